"""Splits of rows into sets: the default of a DataProvider, and those that its hook can call."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd


def default_split(
    data: pd.DataFrame, target: pd.Series | None, rows: Mapping[str, int], seed: int
) -> dict[str, pd.DataFrame]:
    """Split rows at random, stratified by the classes of `target`.

    Args:
        data: The rows.
        target: Class of each row; None: not stratified.
        rows: Number of rows for ``test_size`` and ``val_size``; see `xingu.provider.sizes`.
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
        rows: Number of rows for ``test_size`` and ``val_size``; see `xingu.provider.sizes`.
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
