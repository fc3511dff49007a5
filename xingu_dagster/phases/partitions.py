"""Run a phase of a batch for each partition of the run, each with values of its own.

A run of several partitions ("single-run backfill") yields one result per asset, for which Dagster
records one materialization per partition. If a partition fails, those before it are recorded all
the same.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

import dagster as dg

from xingu.errors import DataError
from xingu_dagster.partitions import partition_of
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.phases.upstream import VERSION

Results = Iterator[dg.MaterializeResult | dg.AssetCheckResult]
BATCH_PHASES = ("batch_raw", "batch", "batch_sinks")


def run_phase(step: PhaseStep, phase: str, compute: Callable[[PhaseStep], Results]) -> Results:
    """Yield the results of a phase; of a batch with partitions, those of all partitions together.

    Raises:
        DataError: If the batch has partitions and the run has none.
    """
    context, provider = step.context, step.spec
    definition = provider.batch_partitions if phase in BATCH_PHASES else None
    if definition is None:
        yield from compute(step)
        return
    if not (context.has_partition_key or context.has_partition_key_range):
        raise DataError(
            f"The batch of {provider.id} has partitions, and this run is of none; run `xingu "
            "batch-predict --partition KEY` (or FIRST..LAST, or latest), choose partitions in the "
            "UI, or give `dagster asset materialize` a --partition.",
            dataprovider_id=provider.id,
        )
    several = _Several(context)
    for key in context.partition_keys:
        of_partition = PhaseStep(context, provider, partition_of(definition, key))
        if len(context.partition_keys) == 1:
            yield from compute(of_partition)
            return
        several.add(key, compute(of_partition))
    yield from several.results()


class _Several:
    """Results of several partitions, one for each asset and check."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self.context = context
        self.made: dict[dg.AssetKey, dict[str, dg.MaterializeResult]] = {}
        self.checked: dict[tuple[dg.AssetKey | None, str | None], dg.AssetCheckResult] = {}

    def add(self, partition: str, results: Iterable[object]) -> None:
        """Take the results of one partition; record those of earlier ones if it fails."""
        try:
            for result in results:
                if isinstance(result, dg.MaterializeResult) and result.asset_key:
                    self.made.setdefault(result.asset_key, {})[partition] = result
                elif isinstance(result, dg.AssetCheckResult):
                    self._add_check(partition, result)
        except BaseException:
            self._record_made()
            raise

    def _add_check(self, partition: str, result: dg.AssetCheckResult) -> None:
        """Keep the first failure of a check, else the newest result."""
        place = result.asset_key, result.check_name
        known = self.checked.get(place)
        if known is None or known.passed:
            text = f"{partition}: {result.description}"
            self.checked[place] = result._replace(description=text)

    def _record_made(self) -> None:
        for key, by_partition in self.made.items():
            for partition, result in by_partition.items():
                version = result.data_version
                tags = {VERSION: str(version.value)} if version else {}
                event = dg.AssetMaterialization(
                    key, metadata=result.metadata, partition=partition, tags=tags
                )
                self.context.log_event(event)

    def results(self) -> Results:
        """Yield one result for each asset, with the metadata of its last partition."""
        for key, by_partition in self.made.items():
            versions = [str(one.data_version and one.data_version.value)
                        for one in by_partition.values()]  # fmt: skip
            *_, newest = by_partition.values()
            told = {**(newest.metadata or {}), "xingu/partitions of the run": len(by_partition)}
            digest = blake2b("\0".join(versions).encode(), digest_size=8).hexdigest()
            yield dg.MaterializeResult(
                asset_key=key, metadata=told, data_version=dg.DataVersion(digest)
            )
        yield from self.checked.values()
