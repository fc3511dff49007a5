"""Parse `DataProvider.batch_partitions`: how the batch is divided, without any import of Dagster.

A batch has one partition per period (`TimePartitions`), or one per given key (`StaticPartitions`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from xingu.errors import DeclarationError, did_you_mean

Period = Literal["hourly", "daily", "weekly", "monthly"]

PERIODS: tuple[Period, ...] = get_args(Period)
STATIC = "static"
_OPTIONS = {"timezone", "end_offset", "backfill"}
BACKFILLS = ("one_run", "run_each")
FORBIDDEN = ("/", "\\", "...", ",", "|")
"""Parts of no key: folders, and what Dagster uses between keys."""


@dataclass(frozen=True, slots=True)
class TimePartitions:
    """One partition for each period of time.

    Attributes:
        period: Length of the periods.
        start: Start of the first partition, wall-clock time in `timezone`.
        timezone: Name of the time zone in which periods begin; None: UTC, and times without a zone.
        end_offset: Number of periods after the last complete one that are partitions too; 1: also
            the current one. Negative: the newest complete ones are not.
        one_run: Whether a backfill makes all of its partitions in one run.
    """

    period: Period
    start: dt.datetime
    timezone: str | None = None
    end_offset: int = 0
    one_run: bool = False

    def __str__(self) -> str:
        return f"{self.period} from {self.start:%Y-%m-%d %H:%M} ({self.timezone or 'UTC'})"


@dataclass(frozen=True, slots=True)
class StaticPartitions:
    """One partition for each of some keys.

    Attributes:
        keys: The keys.
        one_run: Whether a backfill makes all of its partitions in one run.
    """

    keys: tuple[str, ...]
    one_run: bool = False

    def __str__(self) -> str:
        return ", ".join(self.keys)


Partitions = TimePartitions | StaticPartitions


def parse_partitions(provider_id: str, declared: Any) -> Partitions | None:
    """Parse declared partitions.

    Args:
        provider_id: Id of the DataProvider, for errors.
        declared: ``{"daily": start}`` (or hourly, weekly, monthly) with optional ``timezone`` and
            ``end_offset``, or ``{"static": [keys]}``; each with an optional ``backfill``. None:
            the batch has no partitions.

    Raises:
        DeclarationError: If it has another form; the text names all problems.
    """
    if declared is None:
        return None
    where = f"{provider_id}.batch_partitions"
    example = '{"daily": "2026-01-01"} or {"static": ["north", "south"]}'
    if not isinstance(declared, Mapping):
        raise DeclarationError(
            f"{where} is {declared!r}; give a dict, as {example}.", dataprovider_id=provider_id
        )
    kinds = (*PERIODS, STATIC)
    given = [kind for kind in kinds if kind in declared]
    known = {*given, "backfill"} if given == [STATIC] else {*kinds, *_OPTIONS}
    errors = [
        f"{where}: {name!r} is not known{' beside static' if given == [STATIC] else ''}; known: "
        f"{', '.join(sorted(known))}.{did_you_mean(str(name), known)}"
        for name in declared
        if name not in known
    ]
    if len(given) != 1:
        errors.append(f"{where} needs one of {', '.join(kinds)}, as {example}.")
    errors += [text for name in declared for text in _errors_of(where, name, declared[name])]
    if errors:
        raise DeclarationError("\n".join(errors), dataprovider_id=provider_id)
    one_run = declared.get("backfill", BACKFILLS[1]) == BACKFILLS[0]
    if given == [STATIC]:
        return StaticPartitions(tuple(declared[STATIC]), one_run)
    period: Any = given[0]
    start, zone = _time(declared[period]), declared.get("timezone")
    return TimePartitions(period, start, zone, declared.get("end_offset", 0), one_run)


def _errors_of(where: str, name: Any, value: Any) -> list[str]:
    """Return what is wrong with one entry."""
    place = f"{where}[{name!r}]"
    if name in PERIODS:
        try:
            _time(value)
        except (TypeError, ValueError):
            return [f"{place} is {value!r}; give the start of the first partition, as 2026-01-01."]
    if name == STATIC:
        return _errors_of_keys(place, value)
    if name == "timezone":
        try:
            ZoneInfo(value)
        except (TypeError, ValueError, OSError, KeyError):
            return [f"{place} is {value!r}; give the name of a time zone, as 'Europe/Paris'."]
    if name == "end_offset" and (not isinstance(value, int) or isinstance(value, bool)):
        return [f"{place} is {value!r}; give a number of periods, as 1."]
    if name == "backfill" and value not in BACKFILLS:
        return [f"{place} is {value!r}; known: {', '.join(BACKFILLS)}."]
    return []


def _errors_of_keys(place: str, keys: Any) -> list[str]:
    is_list = isinstance(keys, list | tuple) and len(keys) > 0
    if not is_list or not all(isinstance(key, str) for key in keys):
        return [f"{place} is {keys!r}; give a list of keys, as ['north', 'south']."]
    errors = [
        f"{place}: {key!r} is no key: a key is not empty, has no control character and no space at "
        f"its ends, is not . or .., and has none of {' '.join(FORBIDDEN)}"
        for key in keys
        if not is_partition_key(key)
    ]
    if len({key.lower() for key in keys}) < len(keys):
        errors.append(f"{place}: a key is there twice, apart from upper and lower case.")
    return errors


def is_partition_key(key: str) -> bool:
    """Return whether a key can be a part of a path and cannot lead to another folder."""
    plain = key == key.strip() and key not in ("", ".", "..") and key.isprintable()
    return plain and not any(part in key for part in FORBIDDEN)


def _time(value: Any) -> dt.datetime:
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    if not isinstance(value, dt.datetime) or value.tzinfo is not None:
        raise ValueError(value)
    return value
