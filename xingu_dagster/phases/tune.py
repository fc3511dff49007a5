"""The phase `tune`: decide the hyperparameters."""

from collections.abc import Iterator

import dagster as dg

from xingu.stages.train import tune
from xingu.tuning.hyperparameters import Hyperparameters
from xingu_dagster.metadata import Metadata
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.translator import XinguTranslator


def build_tune(names: XinguTranslator) -> dg.AssetsDefinition:
    """Build the asset ``<dp>/hyperparameters``."""
    spec = names.spec("hyperparameters", deps=[names.asset_key("splits")], kinds=["python"])

    @dg.multi_asset(
        name=f"{names.group}__tune",
        specs=[spec],
        can_subset=True,
        required_resource_keys={"xingu"},
    )
    def tune_phase(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        yield from run_tune(PhaseStep(context, names))

    return tune_phase


def run_tune(step: PhaseStep) -> Iterator[dg.MaterializeResult]:
    """Materialize the hyperparameters."""
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
    import json

    return dg.MetadataValue.json(json.loads(json.dumps(value, default=str)))
