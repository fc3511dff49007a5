"""Decode JSON and JSON lines into frames without changing a value.

Texts stay texts, numbers stay numbers: pandas would turn texts of digits into numbers, columns with
names like ``created_at`` into times, and round integers. `dtype` and `convert_dates` convert the
columns that they name, and no others. pandas reads the file if other parameters are given.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from xingu.sources.exact import ROUNDED

_FORM = frozenset({"orient", "lines", "encoding", "encoding_errors", "nrows"})
_CONVERSIONS = frozenset({"dtype", "convert_dates", "date_unit"})
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_YEAR_5138 = 10**11
"""A time in seconds since 1970; numbers beyond it are of a smaller unit."""


def read_json(content: bytes, options: Mapping[str, Any]) -> pd.DataFrame:
    """Read JSON in UTF-8, or in UTF-16 or UTF-32 as `json.loads` detects them.

    Args:
        content: The file.
        options: Parameters of `pandas.read_json`.

    Raises:
        ValueError: If the content is not JSON, or not of the form that `orient` names.
    """
    # The whole file is needed in any case.
    options = {name: value for name, value in options.items() if name != "chunksize"}
    encoding = options.get("encoding") or json.detect_encoding(content)
    text = content.decode(encoding, options.get("encoding_errors") or "strict")
    text = text.removeprefix("\ufeff")
    orient = options.get("orient") or "columns"
    if _is_plain(options):
        return _converted(_ORIENTS[orient](_decode(text, options)), options)
    defaults = {} if orient == "table" else {"dtype": False, "precise_float": True}
    return pd.read_json(io.StringIO(text), **{**defaults, **options})


def _is_plain(options: Mapping[str, Any]) -> bool:
    """Return whether no parameter asks for something that only pandas can do."""
    return (
        options.keys() <= _FORM | _CONVERSIONS
        and (options.get("orient") or "columns") in _ORIENTS
        and options.get("dtype") is not True
        and options.get("convert_dates") is not True
    )


def _converted(frame: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    dtype = options.get("dtype")
    if isinstance(dtype, Mapping):
        frame = frame.astype({name: kind for name, kind in dtype.items() if name in frame})
    elif dtype:
        frame = frame.astype(dtype)
    for name in options.get("convert_dates") or ():
        if name in frame:
            frame[name] = _times(frame[name], options.get("date_unit"))
    return frame


def _times(column: pd.Series, unit: Any) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(column):
        return pd.to_datetime(column)
    largest = column.abs().max()
    sizes = (name for name, size in _UNITS.items() if not largest >= _YEAR_5138 * size)
    unit = unit or next(sizes, "ns")
    return pd.to_datetime(column, unit=unit)


def _decode(text: str, options: Mapping[str, Any]) -> Any:
    if not options.get("lines"):
        return json.loads(text)
    # Not `splitlines`, which also splits at characters that JSON allows in texts.
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    lines = lines[: options.get("nrows")]
    rows = json.loads("[" + ",\n".join(lines) + "]")  # twice as fast as line by line
    if len(rows) != len(lines):
        raise ValueError("a line is not one JSON value")
    return rows


def _from_columns(data: Any) -> pd.DataFrame:
    if isinstance(data, list):
        return _from_records(data)
    if not isinstance(data, dict):
        raise ValueError(f"it holds a {type(data).__name__}; a list of objects is needed")
    if all(isinstance(cells, list) for cells in data.values()):
        return _frame(list(data.values()), list(data))
    if not all(isinstance(cells, dict) for cells in data.values()):
        raise ValueError("it holds one object; a list of objects is needed")
    labels = list({label: None for cells in data.values() for label in cells})
    columns = [[cells.get(label) for label in labels] for cells in data.values()]
    return _frame(columns, list(data), labels)


def _from_index(data: Mapping[str, Any]) -> pd.DataFrame:
    return _from_records(list(data.values())).set_axis(_axis(list(data)))


def _from_split(data: Mapping[str, Any]) -> pd.DataFrame:
    frame = _from_rows(data["data"]).set_axis(data["columns"], axis=1)
    return frame.set_axis(data["index"]) if "index" in data else frame


def _from_records(data: Sequence[Any]) -> pd.DataFrame:
    if not all(isinstance(row, dict) for row in data):
        return _from_rows(data)
    names = list({name: None for row in data for name in row})
    return _frame([[row.get(name) for row in data] for name in names], names)


def _from_rows(data: Sequence[Any]) -> pd.DataFrame:
    rows = [row if isinstance(row, list) else [row] for row in data]
    width = max(map(len, rows), default=0)
    columns = [[row[at] if at < len(row) else None for row in rows] for at in range(width)]
    return _frame(columns, range(width))


def _frame(
    columns: Sequence[Sequence[Any]], names: Sequence[Any], labels: Sequence[str] | None = None
) -> pd.DataFrame:
    index = None if labels is None else _axis(labels)
    series = [_column(cells, index) for cells in columns]
    if len({len(one) for one in series}) > 1:
        raise ValueError("its columns have different lengths")
    frame = pd.concat(series, axis=1) if series else pd.DataFrame(index=index)
    return frame.set_axis(pd.Index(names), axis=1)


def _column(cells: Sequence[Any], index: pd.Index | None) -> pd.Series:
    kinds = {*map(type, cells)}
    if kinds == {type(None)}:
        return pd.Series(cells, index, dtype="float64")
    if int in kinds and kinds <= {int, float, type(None)} and len(kinds) > 1:
        numbers = [cell for cell in cells if type(cell) is int]
        if max(map(abs, numbers)) >= ROUNDED:
            whole = float not in kinds and max(map(abs, numbers)) < 2**63
            return pd.Series(cells, index, dtype="Int64" if whole else object)
    return pd.Series(cells, index)


def _axis(labels: Sequence[str]) -> pd.Index:
    """Return labels as numbers if all of them are written as integers, as pandas writes them."""
    try:
        numbers = [int(label) for label in labels]
    except ValueError:
        return pd.Index(labels)
    return pd.Index(numbers if [*map(str, numbers)] == [*labels] else labels)


_ORIENTS: Mapping[str, Callable[[Any], pd.DataFrame]] = {
    "columns": _from_columns,
    "records": _from_records,
    "values": _from_rows,
    "index": _from_index,
    "split": _from_split,
}
