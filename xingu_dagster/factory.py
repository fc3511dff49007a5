"""One DataProvider becomes its assets."""

import dagster as dg

from xingu.provider.base import DataProvider
from xingu_dagster.phases.batch import build_batch, build_batch_raw
from xingu_dagster.phases.evaluate import build_evaluate
from xingu_dagster.phases.fit import build_fit
from xingu_dagster.phases.observe import build_sources
from xingu_dagster.phases.prepare import build_prepare
from xingu_dagster.phases.tune import build_tune
from xingu_dagster.translator import XinguTranslator


def build_provider_assets(
    cls: type[DataProvider], strategy: str = "last"
) -> list[dg.AssetsDefinition]:
    """Build the assets of one DataProvider: its outside data, then one definition per phase.

    Args:
        cls: The DataProvider.
        strategy: Where hyperparameters come from, unless a run says otherwise.

    Raises:
        DeclarationError: If its sources cannot be named.
    """
    names = XinguTranslator(cls)
    sources = build_sources(names)
    phases = [
        build_prepare(names),
        build_tune(names, strategy),
        build_fit(names),
        build_evaluate(names),
    ]
    if names.batch_sources:
        phases += [build_batch_raw(names), build_batch(names)]
    return [sources, *phases] if sources else phases
