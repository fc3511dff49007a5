"""The phase `fit`: train the model and save its package."""

import logging
from collections.abc import Iterator

import dagster as dg

from xingu.errors import XinguError
from xingu.identity import session_id_of, train_id_of
from xingu.metrics.builtin import Measured
from xingu.model import Model, TrainRun
from xingu.provenance import read_provenance
from xingu.stages.evaluate import main_metrics
from xingu.stages.train import fit
from xingu_dagster.metadata import Metadata
from xingu_dagster.model_ref import ModelRef
from xingu_dagster.phases.build import build_phase
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.translator import XinguTranslator

logger = logging.getLogger(__name__)

PARTS = ("splits", "hyperparameters")


def build_fit(names: XinguTranslator) -> dg.AssetsDefinition:
    """Build the asset ``<dp>/model``."""
    spec = names.spec(
        "model",
        deps=[names.asset_key(part) for part in PARTS],
        kinds=names.model_kinds,
        text=names.description,
    )

    return build_phase(names, "fit", [spec], run_fit)


def run_fit(step: PhaseStep) -> Iterator[dg.MaterializeResult]:
    """Train, save the package, and make it the current one."""
    splits, chosen = (step.stored(part) for part in PARTS)
    values = {
        "/".join(step.names.key(part)): stored.record.value_id
        for part, stored in zip(PARTS, (splits, chosen), strict=True)
    }
    trained: dict[str, Model] = {}

    def train() -> ModelRef:
        provenance = read_provenance(step.workplace.home)
        model = fit(step.builder, splits.value, chosen.value, _train_run(step), provenance)
        package = step.workplace.models.save(model, values)
        for part, stored in zip(PARTS, (splits, chosen), strict=True):
            step.workplace.values.pin(step.names.key(part), stored.record.value_id, package)
        trained["model"] = model
        return ModelRef(model.id, model.train_id, values)

    result = step.make(
        ("model",),
        train,
        describe=lambda _: _describe(step, trained["model"]),
        facts={"train_id": _train_run(step).train_id},
    )
    # Last, so that a step that is killed leaves the model before it as the current one.
    step.workplace.models.make_current(trained["model"].run)
    yield result


def _train_run(step: PhaseStep) -> TrainRun:
    run = step.context.run
    root = run.root_run_id or run.run_id
    dp_id, models = step.names.id, step.workplace.models
    return TrainRun(
        dataprovider_id=dp_id,
        train_id=models.unused_train_id(dp_id, train_id_of(root, dp_id)),
        train_session_id=step.workplace.train_session_id or session_id_of(root),
        run_id=run.run_id,
    )


def _describe(step: PhaseStep, model: Model) -> Metadata:
    provenance, package = model.provenance, step.workplace.models.package(model.id, model.train_id)
    known = {
        "git commit": provenance.git_commit,
        "git branch": provenance.git_branch,
        "git dirty": provenance.git_dirty,
    }
    return {
        "train_id": model.train_id,
        "train_session_id": model.train_session_id,
        "package": dg.MetadataValue.path(str(package)),
        "package bytes": sum(file.stat().st_size for file in package.rglob("*") if file.is_file()),
        "hyperparameters from": model.hyperparams_origin,
        "features": len(model.signature().estimator_features),
        **{name: value for name, value in known.items() if value is not None},
        **{f"rows {name}": rows for name, rows in model.signature().set_rows.items()},
        **_main_metrics(model),
    }


def _main_metrics(model: Model) -> Metadata:
    """The metrics of one set as numbers, so that the UI draws their history on the model."""
    try:
        name, measured = main_metrics(model, model.sets)
    except XinguError as error:  # the model is saved; its evaluation will say this in full
        logger.warning("%s: no metrics with the model: %s", model.id, error)
        name, measured = "", Measured({}, {})
    return {f"{name} {metric}": value for metric, value in measured.values.items()}
