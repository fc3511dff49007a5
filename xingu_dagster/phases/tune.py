"""The phase `tune`: decide the hyperparameters."""

import json
from collections.abc import Iterator

import dagster as dg

from xingu.stages.train import tune
from xingu.tuning.hyperparameters import Hyperparameters
from xingu_dagster.metadata import Metadata
from xingu_dagster.phases.build import build_phase
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.translator import XinguTranslator


def build_tune(names: XinguTranslator) -> dg.AssetsDefinition:
    """Build the asset ``<dp>/hyperparameters``."""
    spec = names.spec("hyperparameters", deps=[names.asset_key("splits")], kinds=["python"])

    return build_phase(names, "tune", [spec], run_tune)


def run_tune(step: PhaseStep) -> Iterator[dg.MaterializeResult]:
    """Materialize the hyperparameters."""
    with step.recorded("train_hyperhandle"):
        splits = step.get("splits")
        yield step.make(
            ("hyperparameters",),
            lambda: tune(step.builder, splits),
            version=step.derived_version(("splits",)),
            describe=_describe,
        )


def _describe(chosen: Hyperparameters) -> Metadata:
    plain = {"params": dict(chosen.params), "hyperparams": dict(chosen.hyperparams)}
    return {"origin": chosen.origin, **{name: as_json(value) for name, value in plain.items()}}


def as_json(value: dict) -> dg.JsonMetadataValue:
    """Return parameters as the UI shows them; what JSON does not know becomes text."""
    return dg.MetadataValue.json(json.loads(json.dumps(value, default=str)))
