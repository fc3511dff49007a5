"""Report an asset of which a part failed.

Such an asset is not materialized, so that nothing downstream uses it as complete. Its metadata is
logged as an observation, and the step fails once everything else is done.
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
        XinguError: If a part failed; the metadata of the others was logged as an observation.
    """
    if failures.errors and result.asset_key:
        observed = dg.AssetObservation(asset_key=result.asset_key, metadata=result.metadata)
        step.context.log_event(observed)
    failures.raise_collected()
    yield result
