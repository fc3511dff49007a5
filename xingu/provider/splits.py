"""Splits of rows into sets: the default of a DataProvider, and those that its hook can call.

Sizes of sets are shares or numbers of rows, as scikit-learn has them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError


def set_rows(owner: str, sizes: dict[str, Any], total: int) -> dict[str, int]:
    """Return the number of rows of each set; 0 means that there is no such set.

    Args:
        owner: Id of the DataProvider.
        sizes: ``test_size`` and ``val_size``: a share in [0, 1), a number of rows, or None.
        total: Number of rows to split.

    Raises:
        DeclarationError: If a size is none of these, or the shares leave nothing for `train`.
        DataError: If the numbers of rows leave nothing for `train`.
    """
    rows, shares = {}, 0.0
    for name, size in sizes.items():
        if size is None:
            rows[name] = 0
        elif isinstance(size, int | np.integer) and not isinstance(size, bool) and size >= 0:
            rows[name] = int(size)
        elif isinstance(size, float | np.floating) and 0 <= size < 1:
            rows[name], shares = round(size * total), shares + float(size)
        else:
            raise DeclarationError(
                f"{owner}.{name}: {size!r}; write a share of at least 0 and below 1, a whole "
                "number of rows, or None for no such set.",
                dataprovider_id=owner,
            )
    declared = " and ".join(f"{owner}.{name}={size!r}" for name, size in sizes.items() if size)
    if shares >= 1:
        raise DeclarationError(
            f"{declared}: nothing is left for train; the shares must add up to less than 1.",
            dataprovider_id=owner,
        )
    counted = any(size and not isinstance(size, float | np.floating) for size in sizes.values())
    if counted and sum(rows.values()) >= total:
        raise DataError(
            f"{declared}: nothing is left for train, because there are {total} rows.",
            dataprovider_id=owner,
        )
    return rows


def default_split(
    data: pd.DataFrame, target: pd.Series | None, rows: Mapping[str, int], seed: int
) -> dict[str, pd.DataFrame]:
    """Split rows at random, stratified by the classes of `target`.

    Args:
        data: The rows.
        target: Class of each row; None: not stratified.
        rows: Number of rows for ``test_size`` and ``val_size``; see `set_rows`.
        seed: Seed of the random numbers.

    Returns:
        Frames by set name: `train`, and `val` and `test` unless they would be empty.
    """
    from sklearn.model_selection import train_test_split

    classes = None
    if target is not None:
        classes = pd.factorize(target, sort=True, use_na_sentinel=False)[0]
    sets: dict[str, pd.DataFrame] = {}
    rest = np.arange(len(data))
    for name, count in (("test", rows["test_size"]), ("val", rows["val_size"])):
        drawn = rest if classes is None else rest[_repeats(classes[rest])]
        if not 0 < count < len(drawn):
            continue
        strata = None if classes is None else classes[drawn]
        if strata is not None and len(set(strata)) > min(count, len(drawn) - count):
            strata = None
        kept, taken = train_test_split(drawn, test_size=count, random_state=seed, stratify=strata)
        rest = np.concatenate([kept, np.setdiff1d(rest, drawn)])
        sets[name] = data.iloc[taken]
    return {"train": data.iloc[rest], **dict(reversed(sets.items()))}


def random_data_split(
    data: pd.DataFrame, rows: Mapping[str, int], seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Split rows at random into (train, val, test).

    Args:
        data: The rows.
        rows: Number of rows for ``test_size`` and ``val_size``; see `set_rows`.
        seed: Seed of the random numbers.
    """
    sets = default_split(data, None, rows, seed)
    none = data.iloc[:0]
    return sets["train"], sets.get("val", none), sets.get("test", none)


def time_data_split(
    data: pd.DataFrame, date_column: str, days: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows by date into (train, test): `test` has those of the last days.

    Args:
        data: The rows.
        date_column: Column of dates, times (also with a time zone), or texts of dates.
        days: Number of days before now; rows from the midnight of that day on are in `test`.

    Returns:
        Rows before that day, and rows since. A row without a date is in neither.
    """
    dates = pd.to_datetime(data[date_column])
    midnight: Any = pd.Timestamp((datetime.now() - timedelta(days)).date(), tz=dates.dt.tz)
    return data[dates < midnight], data[dates >= midnight]


def _repeats(codes: np.ndarray) -> np.ndarray:
    """Return which of `codes` occur more than once."""
    return np.bincount(codes)[codes] > 1
