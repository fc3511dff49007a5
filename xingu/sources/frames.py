"""Convert query results of any driver to frames with the same dtypes.

Dtypes are those of `pandas.read_sql` over SQLAlchemy: integers are int64, or float64 with NULLs;
dates are `datetime.date`; booleans with NULLs are objects. In addition, decimals are float64, a
column of NULLs is float64, a UUID is a string, timestamps have microsecond resolution and, with a
time zone, are in UTC, and a column of numbers and text is text. An empty result has object columns,
because not every database reports their types.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa


def from_rows(names: Sequence[str], rows: Sequence[Any]) -> pd.DataFrame:
    """Convert rows of a DB-API driver to a frame."""
    if not rows:
        return _empty(names)
    # pandas takes twice as long for rows that are not tuples.
    tuples = [tuple(row) for row in rows]
    frame = pd.DataFrame.from_records(tuples, columns=list(range(len(names))), coerce_float=True)
    for place in frame.columns:
        series = frame[place]
        plain = _plain_series(series)
        if plain is not series:
            frame[place] = plain
    frame.columns = pd.Index(names)
    return frame


def from_arrow(
    table: "pa.Table", decoders: Sequence[Callable[[Any], Any] | None] = ()
) -> pd.DataFrame:
    """Convert a table of an Arrow driver to a frame.

    Args:
        table: The rows; column names may repeat.
        decoders: For each column, a function that converts a non-NULL cell to a Python value.
    """
    import pyarrow as pa

    names = table.column_names
    if not table.num_rows:
        return _empty(names)
    arrays: list[pa.ChunkedArray | pa.Array] = []
    objects: dict[int, pd.Series] = {}
    for place, column in enumerate(table.columns):
        decode = decoders[place] if decoders else None
        if column.null_count < len(column) and (decode or pa.types.is_nested(column.type)):
            objects[place] = _objects(column, decode or (lambda cell: cell))
            arrays.append(pa.nulls(len(column)))
        else:
            arrays.append(_plain_array(column))
    frame = pa.table(arrays, names=[str(place) for place in range(len(names))]).to_pandas()
    frame.columns = pd.RangeIndex(len(names))
    for place, series in objects.items():
        frame[place] = series
    frame.columns = pd.Index(names)
    return frame


def _empty(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({place: [] for place in range(len(names))}, dtype=object).set_axis(
        pd.Index(names), axis=1
    )


def _objects(column: "pa.ChunkedArray", decode: Callable[[Any], Any]) -> pd.Series:
    cells = [None if cell is None else decode(cell) for cell in column.to_pylist()]
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return pd.Series(array)


def _plain_array(column: "pa.ChunkedArray") -> "pa.ChunkedArray | pa.Array":
    """Return `column` cast to a type whose pandas dtype does not depend on the driver."""
    import pyarrow as pa
    from pyarrow import compute, types

    kind = column.type
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.float64())
    if isinstance(kind, pa.UuidType):
        return pa.array([None if cell is None else str(cell) for cell in column.to_pylist()])
    if isinstance(kind, pa.BaseExtensionType):
        return _plain_array(
            pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        )
    if types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if types.is_float32(kind) or types.is_float16(kind):
        # Through a string, so that 0.1 stays 0.1 as with drivers of text protocols.
        return compute.cast(compute.cast(column, pa.string()), pa.float64())
    if types.is_decimal(kind):
        return column.cast(pa.float64())
    if types.is_integer(kind) and not types.is_uint64(kind):
        return column.cast(pa.int64())
    if types.is_timestamp(kind):
        unit = kind.unit if kind.unit == "ns" else "us"
        return column.cast(pa.timestamp(unit, "UTC" if kind.tz else None))
    if types.is_interval(kind):
        return pa.array([_duration(cell) for cell in column.to_pylist()], pa.duration("us"))
    return column


def _duration(interval: Any) -> Any:
    if interval is None:
        return None
    days = interval.months * 30 + interval.days
    return pd.Timedelta(days=days, microseconds=interval.nanoseconds // 1000).to_pytimedelta()


def _plain_series(series: pd.Series) -> pd.Series:
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return series.dt.tz_convert("UTC").dt.as_unit("us")
    if series.dtype.kind in "mM":
        return series.dt.as_unit("us")
    if series.dtype != object:
        return series
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind == "empty":
        return series.astype("float64")
    if kind == "datetime":  # more than one offset from UTC
        return pd.to_datetime(series, utc=True).dt.as_unit("us")
    if kind == "decimal":
        return series.astype("float64")
    if kind in ("string", "boolean", "date", "time", "bytes"):
        return series
    return _plain_cells(series)


def _plain_cells(series: pd.Series) -> pd.Series:
    """Return a series of Python objects without types that depend on the driver."""
    found = {type(cell) for cell in series if cell is not None}
    numbers = {int, float, bool}
    if memoryview in found:
        return series.map(bytes, na_action="ignore")
    if found == {UUID}:
        return _text(series)
    if bytes in found and found <= {bytes, str, *numbers}:
        return series.map(
            lambda cell: cell if isinstance(cell, bytes) else str(cell).encode(),
            na_action="ignore",
        )
    if str in found and found <= {str, *numbers}:
        return _text(series)
    return series


def _text(series: pd.Series) -> pd.Series:
    return pd.Series([None if cell is None else str(cell) for cell in series])
