"""Explain a DataProvider: what it overrides and where, its sources, assets, checks and settings.

The explanation is plain values by section; a place is a dict of `file` and `line`.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from xingu.config import Settings
from xingu.errors import XinguError
from xingu.provider.base import DataProvider
from xingu.provider.card import declared_text
from xingu.provider.class_source import Place, owner_of, place_of
from xingu.provider.hooks import HOOKS
from xingu.provider.methods import FAMILIES
from xingu.sources import Databases, SqlSource, parse_sources
from xingu.tuning.declaration import Declaration
from xingu.workspace import Workspace
from xingu_dagster.code_references import BATCH_SOURCES, TRAIN_SOURCES, own_members
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.spec import ProviderSpec

Record = dict[str, Any]
Classes = Mapping[str, type[DataProvider]]
SHOWN_APART = {
    "id",
    "checks",
    "quality_gates",
    "retrain",
    "batch_predict_when",
    "estimator_hyperparams_search_space",
    "pre_req",
}
"""Declarations that have sections of their own."""


def explain_provider(cls: type[DataProvider], known: Classes, settings: Settings) -> Record:
    """Describe a DataProvider before it is trained, by section.

    Args:
        cls: The DataProvider.
        known: All DataProviders of the project by id.
        settings: The settings of the project.

    Raises:
        DeclarationError: If a declaration cannot be used.
    """
    spec, databases = ProviderSpec(cls), Workspace(settings).databases
    sources = list(_sources(spec, databases))
    space = _search_space(cls)
    return {
        "dataprovider": {
            "id": spec.id,
            "class": f"{cls.__module__}.{cls.__qualname__}",
            "declared_at": _place(place_of(cls)),
            "description": spec.description.splitlines()[0],
            "code_version": spec.code_version,
        },
        "hooks": list(_hooks(cls)),
        "declarations": list(_declarations(cls)),
        "sources": sources,
        "assets": list(_assets(cls)),
        "checks": list(_checks(spec)),
        "gates": [
            {"set": one.set, "metric": one.metric, "required": f"{one.operator} {one.value:g}"}
            for one in spec.gates
        ],
        "by_itself": list(_policies(spec)),
        "methods": list(_methods(cls)),
        "search_space": space,
        "pre_reqs": {
            "needs": list(spec.pre_reqs),
            "is_needed_by": sorted(one for one, other in known.items() if spec.id in other.pre_req),
        },
        "settings": list(_settings(spec, settings, databases, sources, space)),
    }


def _place(place: Place | None) -> Record | None:
    return {"file": str(place.file), "line": place.line} if place else None


def _origin(cls: type, member: str) -> Record:
    owner = owner_of(cls, member)
    return {
        "declared_by": owner.__name__ if owner else None,
        "declared_at": _place(place_of(cls, member)),
    }


def _is_method(name: str) -> bool:
    return callable(getattr(DataProvider, name, None))


def _hooks(cls: type[DataProvider]) -> Iterator[Record]:
    """Yield overridden hooks in calling order, then other overridden methods."""
    others = [name for name in dir(DataProvider) if _is_method(name) and name not in HOOKS]
    others = [name for name in others if not name.startswith("__") or name == "__getstate__"]
    for name in own_members(cls, [*HOOKS, *others]):
        stage = HOOKS[name].stage if name in HOOKS else ""
        yield {"hook": name, "phase": stage, **_origin(cls, name)}


def _declarations(cls: type[DataProvider]) -> Iterator[Record]:
    apart = {*SHOWN_APART, TRAIN_SOURCES[1], BATCH_SOURCES[1]}
    names = [name for name in dir(DataProvider) if not name.startswith("_") and name not in apart]
    for name in own_members(cls, [name for name in names if not _is_method(name)]):
        value = declared_text(getattr(cls, name))
        yield {"declaration": name, "value": value, **_origin(cls, name)}


def _sources(spec: ProviderSpec, databases: Databases) -> Iterator[Record]:
    kinds = {
        "train": (TRAIN_SOURCES, spec.train_declarations),
        "batch": (BATCH_SOURCES, spec.batch_declarations),
    }
    for kind, ((hook, attribute), declared) in kinds.items():
        member = next(iter(own_members(spec.cls, [hook, attribute])), attribute)
        for one in parse_sources(spec.id, attribute, declared):
            yield {
                "source": one.name,
                "for": kind,
                "reads": _reads(one, databases),
                "database": one.database if isinstance(one, SqlSource) else None,
                "group": one.group,
                "declared_at": _place(place_of(spec.cls, member, one.name)),
            }


def _reads(source: Any, databases: Databases) -> str:
    if not isinstance(source, SqlSource):
        return source.label
    try:
        address = databases.address(source.database)
    except XinguError:  # `xingu check` reports it
        address = f"{source.database} (not in the settings)"
    return f"a query on {address}"


def _assets(cls: type[DataProvider]) -> Iterator[Record]:
    for definition in build_provider_assets(cls):
        step = definition.op.name.rpartition("__")[2]
        checks: dict[dg.AssetKey, list[str]] = {}
        for check in definition.check_specs:
            checks.setdefault(check.asset_key, []).append(check.name)
        for key in definition.keys_by_output_name.values():
            yield {
                "asset": key.to_user_string(),
                "phase": step,
                "checks": sorted(checks.get(key, ())),
            }


def _checks(spec: ProviderSpec) -> Iterator[Record]:
    for check in spec.checks.values():
        blocks = check.severity == "error"
        effect = "reports it"
        if blocks:
            effect = "refuses the value" if check.refuses else "stops what is downstream"
        yield {
            "check": check.name,
            "on": ["/".join(path) for path in check.assets],
            "if_it_fails": effect,
            "severity": check.severity,
            "limits": {name: value for name, value in check.limits.items() if value != ()},
            "title": check.title,
        }


def _policies(spec: ProviderSpec) -> Iterator[Record]:
    policies = {"retrain": spec.policy, "batch_predict_when": spec.batch_policy}
    for name, policy in policies.items():
        if policy is not None:
            parts = policy.described()
            if name == "batch_predict_when":
                parts = {part: parts[part] for part in ("when", "limits")}
            for part, text in parts.items():
                yield {"policy": name, "part": part, "meaning": text}


def _methods(cls: type[DataProvider]) -> Iterator[Record]:
    for name in own_members(cls, FAMILIES):
        if callable(inspect.getattr_static(cls, name)):
            yield {"method": name, **_origin(cls, name)}


def _search_space(cls: type[DataProvider]) -> list[Record]:
    if cls.hollow:
        return []
    space = Declaration.of(cls()).space
    return [{"hyperparameter": name, "range": str(one)} for name, one in space.items()]


def _settings(
    spec: ProviderSpec,
    settings: Settings,
    databases: Databases,
    sources: list[Record],
    space: list[Record],
) -> Iterator[Record]:
    """Yield the settings that change how this DataProvider is trained and applied."""
    has_batch, needs = bool(spec.batch_sources), bool(spec.pre_reqs)
    relevant = {
        "HYPEROPT_STRATEGY": not spec.cls.hollow,
        "PARALLEL_HYPEROPT_MAX_WORKERS": bool(space),
        "PARALLEL_DATASOURCE_MAX_WORKERS": len(sources) > 1,
        "DATASOURCE_CACHE_PATH": bool(sources),
        "PRE_REQ_TRAIN_OR_SESSION_IDS": needs,
        "TRAINED_MODELS_PATH": True,
        "XINGU_VERIFY_PACKAGES": True,
        "PLOTS_PATH": True,
        "PLOTS_FORMAT": True,
        "SAVE_SETS": True,
        "BATCH_PREDICT_SAVE_ESTIMATIONS": has_batch,
    }
    fields = {field.alias: name for name, field in type(settings).model_fields.items()}
    for variable, applies in relevant.items():
        if applies:
            value = getattr(settings, fields[variable])
            yield {"setting": variable, "value": list(value) if isinstance(value, tuple) else value}
    for nickname in sorted({one["database"] for one in sources if one["database"]}):
        if nickname in databases.nicknames:
            yield {"setting": f"DATABASES: {nickname}", "value": databases.address(nickname)}
