"""Partitions of batches as Dagster has them: definitions, windows, and the tags of runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from xingu.errors import SettingsError, did_you_mean
from xingu.provider.partitions import Partitions, StaticPartitions
from xingu.records import BatchPartition

LATEST, BETWEEN = "latest", ".."
ONE, FIRST, LAST = (
    "dagster/partition",
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)
"""Tags of runs of one partition, or of a range in one run."""
_PERIODS = {
    "hourly": dg.HourlyPartitionsDefinition,
    "daily": dg.DailyPartitionsDefinition,
    "weekly": dg.WeeklyPartitionsDefinition,
    "monthly": dg.MonthlyPartitionsDefinition,
}


def partitions_def_of(declared: Partitions) -> dg.PartitionsDefinition:
    """Return declared partitions as Dagster's."""
    if isinstance(declared, StaticPartitions):
        return dg.StaticPartitionsDefinition(list(declared.keys))
    return _PERIODS[declared.period](
        start_date=declared.start,
        timezone=declared.timezone,
        end_offset=declared.end_offset,
    )


def partition_of(definition: dg.PartitionsDefinition, key: str) -> BatchPartition:
    """Return a partition with its period, if partitions are periods.

    Times in UTC have no time zone, as most columns of databases; others have theirs.
    """
    of_time = getattr(definition, "time_window_for_partition_key", None)
    if of_time is None:
        return BatchPartition(str(key))
    window = of_time(key)
    if str(getattr(definition, "timezone", "UTC")) == "UTC":
        return BatchPartition(str(key), *(one.replace(tzinfo=None) for one in window[:2]))
    return BatchPartition(str(key), *window[:2])


def latest_partition(
    definition: dg.PartitionsDefinition | None, store: dg.DagsterInstance | None = None
) -> BatchPartition | None:
    """Return the last partition; None if there is none, or it takes an instance to know."""
    if definition is None:
        return None
    try:
        keys = definition.get_partition_keys(dynamic_partitions_store=store)
    except dg.DagsterError:
        return None
    return partition_of(definition, keys[-1]) if keys else None


def chosen_partitions(
    requested: str,
    definitions: Mapping[str, dg.PartitionsDefinition],
    store: dg.DagsterInstance | None = None,
) -> Sequence[str]:
    """Return the partitions that a request means.

    Args:
        requested: A key, ``FIRST..LAST``, or ``latest``.
        definitions: Partitions by DataProvider.
        store: The instance that knows the keys of dynamic partitions.

    Raises:
        SettingsError: If there is no such partition, or DataProviders have different ones.
    """
    if not definitions:
        raise SettingsError(
            f"There is no partition {requested!r}, because no batch that was asked for has any; "
            "leave the partition out, or declare batch_partitions."
        )
    (first, definition), *others = definitions.items()
    for other, one in others:
        if one != definition:
            raise SettingsError(
                f"The batches of {first} and {other} have different partitions, and a run makes "
                "those of one kind; estimate them apart, with --dps."
            )
    keys: Any = definition.get_partition_keys(dynamic_partitions_store=store)
    if requested == LATEST:
        if keys:
            return keys[-1:]
        raise SettingsError(f"{first} has no partition yet: its first period has not ended.")
    start, mark, end = (requested, "", requested)
    if requested not in keys and BETWEEN in requested:
        start, mark, end = requested.partition(BETWEEN)
    for key in (start, end):
        if key not in keys:
            shown = f"{keys[0]}{BETWEEN}{keys[-1]}" if len(keys) > 5 else ", ".join(keys) or "none"
            raise SettingsError(
                f"There is no partition {key!r} of {first}; it has {shown}."
                f"{did_you_mean(key, keys)}",
                partition=key,
            )
    found = keys[keys.index(start) : keys.index(end) + 1]
    if not found:
        raise SettingsError(f"{start} is after {end}; write {end}{mark}{start}.")
    return found


def partition_tags(keys: Sequence[str]) -> dict[str, str]:
    """Return the tags of a run of consecutive partitions; none for none."""
    if not keys:
        return {}
    return {ONE: keys[0]} if len(keys) == 1 else {FIRST: keys[0], LAST: keys[-1]}
