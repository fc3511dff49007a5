"""Announce what is saved of an asset that failed in part.

Its one idea: such an asset is not materialized, so nothing downstream takes it for whole; its
numbers are seen as an observation, and the step fails once everything else is done.
"""

from collections.abc import Iterator

import dagster as dg

from xingu.error_collector import ErrorCollector
from xingu_dagster.phases.step import PhaseStep


def announced(
    step: PhaseStep, result: dg.MaterializeResult, failures: ErrorCollector
) -> Iterator[dg.MaterializeResult]:
    """Yield `result`, unless a part of it failed.

    Raises:
        XinguError: What failed, if anything; the metadata of the rest was observed.
    """
    if failures.errors and result.asset_key:
        observed = dg.AssetObservation(asset_key=result.asset_key, metadata=result.metadata)
        step.context.log_event(observed)
    failures.raise_collected()
    yield result
