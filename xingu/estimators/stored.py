"""Write what a library's own model file does not keep as JSON: parameters, categories, labels."""

from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError

_PLAIN = (type(None), bool, int, float, str)


def to_json(value: Any, where: str) -> Any:
    """Return `value` as JSON takes it; `from_json` gives back an equal one.

    Args:
        value: None, a bool, number or text, or tuples, lists and dicts of these.
        where: What it is, for errors.

    Raises:
        DataError: If something else is in it.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list):
        return [to_json(item, where) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [to_json(item, where) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[to_json(k, where), to_json(v, where)] for k, v in value.items()]}
    raise DataError(
        f"{where} is a {type(value).__name__}, which cannot be stored; make it text or a number.",
        type=type(value).__name__,
    )


def from_json(stored: Any) -> Any:
    """Return what was given to `to_json`."""
    if isinstance(stored, list):
        return [from_json(item) for item in stored]
    if isinstance(stored, dict):
        [(kind, items)] = stored.items()
        values = from_json(items)
        return tuple(values) if kind == "tuple" else dict(values)
    return stored


def index_to_json(index: pd.Index, where: str) -> dict[str, Any]:
    """Return labels or categories with their type; `index_from_json` gives back an equal index.

    Args:
        index: Bools, numbers, text, times, durations, or intervals of numbers.
        where: What it is, for errors.

    Raises:
        DataError: If its values are of another type.
    """
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex):
        values = index.asi8.tolist()
    elif isinstance(index, pd.IntervalIndex):
        values = [[one.left, one.right] for one in index]
    else:
        values = index.tolist()
    return {"dtype": str(index.dtype), "values": to_json(values, where)}


def index_from_json(stored: dict[str, Any]) -> pd.Index:
    """Return what was given to `index_to_json`."""
    dtype, values = stored["dtype"], from_json(stored["values"])
    if dtype.startswith(("datetime64", "timedelta64")):
        return pd.Index(values, dtype="int64").astype(dtype)
    if dtype.startswith("interval"):
        closed = dtype.rstrip("]").rpartition(" ")[2]
        return pd.IntervalIndex.from_tuples([tuple(pair) for pair in values], closed=closed)
    return pd.Index(values, dtype=dtype)
