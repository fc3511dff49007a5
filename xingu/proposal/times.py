"""Find the column that orders rows in time, and the parts of dates that are features."""

import re
from collections.abc import Collection, Sequence

import pandas as pd

from xingu.proposal.columns import Column

VAL_FROM, TEST_FROM = 0.7, 0.9
"""Shares of the rows, by time, before `val` and `test` of the default sizes."""
MIN_MOMENTS = 10
"""Distinct dates from which on a column can order rows."""
YEARS, WEEKS = pd.Timedelta(days=730), pd.Timedelta(days=28)
"""Spans from which on the month of a date, and its weekday, have been seen twice and more."""
_STATIC = re.compile(r"(?i)birth|dob|expir|due|valid|until|deadline|end")
"""Names of dates that are properties of a row, not the moment when it came about."""

ATTRIBUTES = {"weekday": "day_of_week"}
"""Attribute of ``Series.dt`` by part of a date, where the names differ."""


def time_column(dates: Sequence[Column], target: Column, *, classify: bool) -> Column | None:
    """Return the column that orders rows in time; None: there is none.

    A date that is complete, and by which a split leaves every set with rows to learn from. Of
    several, one in whose order the rows are already is preferred, then the one with most moments.
    """
    known = target.values.notna()
    usable = [one for one in dates if _orders(one, target, known, classify=classify)]
    return max(usable, key=lambda one: (_in_order(one.values), one.distinct), default=None)


def _orders(column: Column, target: Column, known: pd.Series, *, classify: bool) -> bool:
    if column.distinct < MIN_MOMENTS or column.missing or _STATIC.search(column.name):
        return False
    sets = splits_by(column.values[known], target.values[known])
    if not all(map(len, sets)):
        return False
    return set(sets[0]) == {*sets[0], *sets[1], *sets[2]} if classify else sets[0].nunique() > 1


def splits_by(times: pd.Series, values: pd.Series) -> list[pd.Series]:
    """Return `values` of train, val and test, as the proposed split by time makes them."""
    val_from, test_from = times.quantile([VAL_FROM, TEST_FROM], interpolation="nearest")
    return [
        values[times < val_from],
        values[(times >= val_from) & (times < test_from)],
        values[times >= test_from],
    ]


def _in_order(times: pd.Series) -> bool:
    return bool(times.is_monotonic_increasing or times.is_monotonic_decreasing)


def calendar_of(dates: Sequence[Column], taken: Collection[str]) -> dict[str, list[str]]:
    """Return the parts of dates that can be learned from, by name of the column.

    Args:
        dates: Columns of dates.
        taken: Names of all columns, which a part cannot have as well.
    """
    found = {}
    for column in dates:
        if column.known < 2:
            continue
        span = column.values.max() - column.values.min()
        parts = [
            ("month", span >= YEARS),
            ("weekday", span >= WEEKS),
            ("hour", column.times_of_day),
        ]
        names = [part for part, useful in parts
                 if useful and part_name(column.name, part) not in taken]  # fmt: skip
        if names:
            found[column.name] = names
    return found


def part_name(column: str, part: str) -> str:
    """Return the name of the feature that holds a part of a date."""
    return f"{column}_{part}"
