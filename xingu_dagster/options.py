"""Options of a run in Dagster: config of a resource, config of single steps, and tags of the run.

The resource `xingu_options` (`options_key`) has the options of all DataProviders of a run; the
launchpad shows them with the settings as defaults. The config of a step overrides them for one
DataProvider; it has no defaults, because Dagster cannot tell a default from an equal value. A run
that has no config, such as one of a schedule or a backfill, takes options from its tags:
``xingu/<option>``.
"""

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, cast

import dagster as dg

from xingu.errors import SettingsError
from xingu.options import ResolvedOptions, RunOptions, resolve

logger = logging.getLogger(__name__)

TAG = "xingu/"
FACTS = ("trigger", "reason", "session", "train/", "process")
"""Tags, or beginnings of tags, after `TAG` that Xingu writes to tell people about a run."""

DEPLOY = "deploy"
"""The phase that has a step for each target: ``<dp>__deploy_<target>``."""
USED_BY: Mapping[str, tuple[str, ...]] = {
    "prepare": (
        "refresh_sources",
        "sample_rows",
        "pre_req_train_or_session_ids",
        "train_session_id",
    ),
    "tune": ("hyperopt_strategy", "hyperopt_evaluations"),
    "fit": ("register_only",),
    "evaluate": ("save_sets", "register_only"),
    "batch_raw": ("refresh_sources", "sample_rows", "train_id"),
    "batch": ("train_id", "batch_predict_save_estimations"),
    "batch_sinks": (),
    DEPLOY: ("train_id",),
}
"""Options by the phase that uses them first."""
OF_THE_RUN = ("pre_req_train_or_session_ids", "train_session_id")
"""Options that are the same for all DataProviders of a run."""


def phase_of(step: str, op_prefix: str) -> str:
    """Return the phase of a step by its name."""
    phase = step.removeprefix(f"{op_prefix}__")
    return DEPLOY if phase.startswith(f"{DEPLOY}_") else phase


def options_key(resource_key: str) -> str:
    """Return the key of the options of a project, whose resource has the key `resource_key`."""
    return f"{resource_key}_options"


def options_resource(defaults: RunOptions | None = None) -> dg.ResourceDefinition:
    """Return the resource with the options of a run, for all of its DataProviders.

    Its value is the options that are no defaults. The resource of equal defaults is the same one,
    because Dagster refuses assets of one job that bring different ones.

    Args:
        defaults: What the launchpad shows: the options of the settings; None: those without any.
    """
    return _resource_of((defaults or RunOptions.model_validate({})).model_dump_json())


@cache
def _resource_of(defaults: str) -> dg.ResourceDefinition:
    shown = RunOptions.model_validate_json(defaults).model_dump(mode="json")

    def changed(context: dg.InitResourceContext) -> dict[str, Any]:
        config = context.resource_config
        return {name: value for name, value in config.items() if value != shown[name]}

    return dg.ResourceDefinition(
        changed,
        config_schema={name: _field(name, default_value=value) for name, value in shown.items()},
        description="Options of this run, for all of its DataProviders. The config of a step "
        "overrides them for one DataProvider.",
    )


@cache
def step_config(phase: str) -> dg.Field | None:
    """Return the config of the steps of a phase; None if it has no options."""
    names = [name for name in USED_BY.get(phase, ()) if name not in OF_THE_RUN]
    fields = {name: _field(name, is_required=False) for name in names}
    return dg.Field(dg.Shape(fields), is_required=False) if fields else None


def options_by_phase(
    context: dg.AssetExecutionContext, defaults: RunOptions, op_prefix: str, key: str
) -> dict[str, ResolvedOptions]:
    """Return the options of one DataProvider in a run, by phase.

    All are validated, also those of phases that start later.

    Args:
        context: Context of the running step.
        defaults: The options of the settings.
        op_prefix: First part of the names of the steps of the DataProvider.
        key: Key of the resource with the options of the run.

    Raises:
        SettingsError: If an option cannot be used, or a tag looks like a misspelt option.
    """
    of_resource = _of_resource(context, key)
    given = {**_of_tags(context.run.tags), f"config of {key}": of_resource}
    running, ops = context.op_execution_context, _section(context, "ops")
    resolved = {}
    here = running.op_def.name
    for phase, names in USED_BY.items():
        is_here = phase == phase_of(here, op_prefix)
        step = here if is_here else f"{op_prefix}__{phase}"
        own = (ops.get(step) or {}).get("config") or {}
        if is_here:
            own = running.op_config or own
            _report_unused_tags(context.run.tags, {**of_resource, **own}, names)
        resolved[phase] = resolve(defaults, {**given, f"config of {step}": own})
    return resolved


def _of_tags(tags: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the options in the tags of a run, each with the tag as its origin."""
    found = {}
    for tag, value in tags.items():
        name = tag.removeprefix(TAG)
        if name == tag or name.startswith(FACTS):
            continue
        if name in RunOptions.model_fields:
            found[f"tag {tag}"] = {name: value}
        elif close := get_close_matches(name, RunOptions.model_fields, n=1, cutoff=0.85):
            raise SettingsError(
                f"The run has the tag {tag!r}, which is no option. Did you mean "
                f"'{TAG}{close[0]}'?", tag=tag,
            )  # fmt: skip
    return found


def _of_resource(context: dg.AssetExecutionContext, key: str) -> dict[str, Any]:
    """Return the options in the config of the resource.

    Dagster fills in defaults. A value counts if it is in the config of the run or, for a job with a
    config of its own, if it is no default.
    """
    given = (_section(context, "resources").get(key) or {}).get("config") or {}
    return {**getattr(context.resources, key), **given}


def _section(context: dg.AssetExecutionContext, name: str) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], context.run.run_config.get(name) or {})


def _report_unused_tags(
    tags: Mapping[str, str], config: Mapping[str, Any], names: tuple[str, ...]
) -> None:
    for name in names:
        tag = TAG + name
        if name in config and tag in tags and str(config[name]) != tags[tag]:
            logger.warning("%s is %s, because the config of the run wins over the tag %s=%s",
                           name, config[name], tag, tags[tag])  # fmt: skip


def _field(name: str, **given: Any) -> dg.Field:
    """Return an option as a field of a config."""
    option = RunOptions.model_fields[name]
    kind = [str] if isinstance(option.default, tuple) else type(option.default)
    return dg.Field(kind, description=option.description, **given)
