"""The phase `fit`: train the model and save its package."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import dagster as dg

from xingu.model import Model
from xingu.options import InForce
from xingu.records import ModelRef, SourceRecord
from xingu.registry.lifecycle import time_of_fit
from xingu.stages.evaluate import named_class
from xingu.stages.train import Trained, fit
from xingu.tracking.attributes import provenance_attributes, train_attributes
from xingu.tracking.record import record_train
from xingu.tracking.schema import SETTINGS
from xingu.tuning.resolve import Hyperparameters
from xingu.values import Facts, Label, Record
from xingu_dagster.metadata import Metadata, cell, rounded, uri_metadata
from xingu_dagster.options import USED_BY
from xingu_dagster.phases.build import build_phase
from xingu_dagster.phases.plots import plot_links
from xingu_dagster.phases.step import PhaseStep, timed
from xingu_dagster.phases.verdict import becomes_current, settle
from xingu_dagster.spec import ProviderSpec

PARTS = ("splits", "hyperparameters")
MADE_IN_FIT = ("model", "made_in_fit")
"""Path of the sets and estimations that an Estimator added in its fit; it is no asset."""


def build_fit(provider: ProviderSpec) -> dg.AssetsDefinition:
    """Build the asset ``<dp>/model``."""
    spec = provider.asset_spec(
        "model",
        deps=[provider.asset_key(part) for part in PARTS],
        kinds=provider.estimator_kinds,
        description=provider.description,
    )
    return build_phase(provider, "fit", [spec], run_fit)


def run_fit(step: PhaseStep) -> Iterator[dg.MaterializeResult]:
    """Train, save the package and record it; without blocking checks it becomes current."""
    with step.recorded("train_fit"):
        yield from _run(step)


def _run(step: PhaseStep) -> Iterator[dg.MaterializeResult]:
    splits, chosen = (step.stored(part) for part in PARTS)
    values = {
        "/".join(step.spec.key(part)): stored.record.value_id
        for part, stored in zip(PARTS, (splits, chosen), strict=True)
    }
    sources = splits.record.facts.sources

    settings = _settings_in_force(step, splits.record, chosen.record)

    def train() -> Trained:
        known = replace(step.workspace.provenance, sample_rows=_sample_rows(splits.record))
        fitted = fit(step.builder, splits.value, chosen.value, step.train_run, known)
        model = fitted.model
        assert model.trained  # noqa: S101
        model.trained = time_of_fit(step.workspace.models, model.id, model.trained)
        if model.made_in_fit.estimations or model.made_in_fit.sets:
            label = Label(step.context.run.run_id)
            record = step.write(step.spec.key(*MADE_IN_FIT), model.made_in_fit, label)
            values["/".join(step.spec.key(*MADE_IN_FIT))] = record.value_id
        package = step.workspace.models.save(model, values, sources)
        for name, value_id in values.items():
            step.workspace.values.pin(tuple(name.split("/")), value_id, package)
        _record(step, model, chosen.value, sources, settings)
        return fitted

    fitted, seconds = timed(train)
    reference = ModelRef(fitted.model.id, fitted.model.train_id, values)
    label = Label(facts=Facts(train_id=fitted.model.train_id))
    metadata = {**_describe(step, fitted, sources), "settings": _settings_table(settings)}
    result = step.keep(("model",), reference, label, seconds, metadata)
    # Last, so that a step that is killed leaves the model before it as the current one.
    settle(step, fitted.model.train_id)
    yield result


def _record(
    step: PhaseStep,
    model: Model,
    chosen: Hyperparameters,
    sources: Sequence[SourceRecord],
    settings: InForce,
) -> None:
    package = step.workspace.models.package_record(model.id, model.train_id)
    attributes = {**train_attributes(model, chosen), SETTINGS: json.dumps(settings)}
    parents = model.pre_req_trains
    record_train(step.workspace.control, model.run, attributes, parents, sources, package)


def _settings_in_force(step: PhaseStep, splits: Record, hyperparameters: Record) -> InForce:
    """Return the settings of this train: earlier runs may have made the values that it is of."""
    later = step.options_of["evaluate"].used(*USED_BY["evaluate"])
    session = step.options_of["prepare"].used("train_session_id")
    used = {**later, **splits.facts.options, **hyperparameters.facts.options, **session}
    return step.workspace.effective_settings(used)


def _sample_rows(splits: Record) -> int:
    """Return the SAMPLE_ROWS that the sets were made with, perhaps by an earlier run; 0: none."""
    return int(splits.facts.options.get("sample_rows", {}).get("value") or 0)


def _settings_table(settings: InForce) -> dg.TableMetadataValue:
    """Return the settings that are no defaults as a table."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"setting": name, "value": cell(one["value"]), "from": one["from"]})
            for name, one in settings.items()
            if one["from"] != "default"
        ],
        schema=dg.TableSchema([dg.TableColumn(name) for name in ("setting", "value", "from")]),
    )


def _describe(step: PhaseStep, fitted: Trained, sources: Sequence[SourceRecord]) -> Metadata:
    model = fitted.model
    package = step.workspace.models.package_record(model.id, model.train_id)
    return {
        **{
            f"{set_name} {metric}": rounded(value)
            for set_name, values in model.scores.items()
            for metric, value in values.items()
        },
        **plot_links(step, model.train_id, "", "Open the plots, once the train is evaluated"),
        "becomes current": becomes_current(step, model.provenance.sample_rows),
        **({"algorithm": model.estimator.algorithm} if model.estimator else {}),
        "hyperparameters from": model.hyperparams_origin,
        "features": len(model.signature().estimator_features),
        **({"classes": cell(model.signature().classes)} if model.is_classifier() else {}),
        **named_class(model),
        **{f"rows {name}": rows for name, rows in model.signature().set_rows.items()},
        **{f"pre-req {name}": train_id for name, train_id in model.pre_req_trains.items()},
        **{
            f"source {source.source}": f"{source.rows} rows, version {source.data_version}"
            for source in sources
        },
        "train_id": model.train_id,
        "train_session_id": model.train_session_id,
        "run": dg.MetadataValue.dagster_run(model.run.run_id),
        **uri_metadata(package.path),
        "package": dg.MetadataValue.path(package.path),
        "package bytes": sum(size for _, size in package.files.values()),
        **{
            name.replace("_", " ", 1): value
            for name, value in provenance_attributes(model.provenance).items()
        },
    }
