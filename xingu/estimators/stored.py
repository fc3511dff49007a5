"""Convert parameters, categories and labels to JSON values and back, with their types.

These are stored beside a library's own model file, which does not contain them.
"""

from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError

_PLAIN = (type(None), bool, int, float, str)


def to_json(value: Any, where: str) -> Any:
    """Return `value` as JSON values, from which `from_json` restores an equal value.

    Args:
        value: None, a bool, number or string, or nested tuples, lists and dicts of these.
        where: Description of the value, for errors.

    Raises:
        DataError: If a value has another type.
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
        f"{where} is a {type(value).__name__}, which cannot be stored; convert it to a string or a "
        "number.",
        type=type(value).__name__,
    )


def from_json(stored: Any) -> Any:
    """Return the value that `to_json` has converted."""
    if isinstance(stored, list):
        return [from_json(item) for item in stored]
    if isinstance(stored, dict):
        [(kind, items)] = stored.items()
        values = from_json(items)
        return tuple(values) if kind == "tuple" else dict(values)
    return stored


def index_to_json(index: pd.Index, where: str) -> dict[str, Any]:
    """Return labels or categories as JSON values; `index_from_json` restores an equal index.

    Args:
        index: Bools, numbers, strings, datetimes, timedeltas, or intervals of numbers.
        where: Description of the values, for errors.

    Raises:
        DataError: If a value has another type.
    """
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex):
        values = index.asi8.tolist()
    elif isinstance(index, pd.IntervalIndex):
        values = [[one.left, one.right] for one in index]
    else:
        values = index.tolist()
    return {"dtype": str(index.dtype), "values": to_json(values, where)}


def index_from_json(stored: dict[str, Any]) -> pd.Index:
    """Return the index that `index_to_json` has converted."""
    dtype, values = stored["dtype"], from_json(stored["values"])
    if dtype.startswith(("datetime64", "timedelta64")):
        return pd.Index(values, dtype="int64").astype(dtype)
    if dtype.startswith("interval"):
        closed = dtype.rstrip("]").rpartition(" ")[2]
        return pd.IntervalIndex.from_tuples([tuple(pair) for pair in values], closed=closed)
    return pd.Index(values, dtype=dtype)
