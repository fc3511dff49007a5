"""Convert query results of any driver to frames with the same dtypes.

Dtypes are those of `pandas.read_sql` over SQLAlchemy: integers are int64, or float64 with NULLs;
dates are `datetime.date`; booleans with NULLs are objects. In addition, decimals are float64, a
column of NULLs is float64, a UUID is a string, timestamps have microsecond resolution and, with a
time zone, are in UTC, and a column of numbers and text is text. An empty result has object columns,
because not every database reports their types.

Where float64 would round integers (from 2**53 on), the column is exact: int64, Int64 with NULLs, or
Python integers that int64 cannot hold; decimals too, if all of them are whole numbers. `infinity`
and `-infinity` are the last and the first moment or day of `datetime`, as for psycopg2.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pandas as pd

from xingu.sources.exact import ROUNDED

if TYPE_CHECKING:
    import pyarrow as pa

_DAYS_TO_2000 = 10_957
"""Days between the epochs of Arrow and of PostgreSQL."""
_LAST, _FIRST = dt.datetime.max, dt.datetime.min
"""Values that replace `infinity` and `-infinity`."""


def from_rows(names: Sequence[str], rows: Sequence[Any]) -> pd.DataFrame:
    """Convert rows of a DB-API driver to a frame."""
    if not rows:
        return _empty(names)
    # pandas takes twice as long for rows that are not tuples.
    tuples = [tuple(row) for row in rows]
    frame = pd.DataFrame.from_records(tuples, columns=list(range(len(names))), coerce_float=True)
    for place in frame.columns:
        series = frame[place]
        plain = _plain_series(series, lambda place=place: map(itemgetter(place), tuples))
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
            plain = _objects(column, decode or (lambda cell: cell))
        else:
            plain = _plain_array(column)
        if isinstance(plain, pd.Series):
            objects[place] = plain
            arrays.append(pa.nulls(len(column)))
        else:
            arrays.append(plain)
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


def _plain_array(column: "pa.ChunkedArray") -> "pa.ChunkedArray | pa.Array | pd.Series":
    """Return `column` as a type whose pandas dtype does not depend on the driver.

    A Series if pandas would convert an Arrow type with a loss.
    """
    import pyarrow as pa
    from pyarrow import compute, types

    kind = column.type
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.float64())
    if isinstance(kind, pa.UuidType):
        return pa.array([None if cell is None else str(cell) for cell in column.to_pylist()])
    if isinstance(kind, pa.BaseExtensionType):
        storage = pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        is_numeric = getattr(kind, "type_name", "") == "numeric"  # of PostgreSQL, as text
        return _decimals(storage) if is_numeric else _plain_array(storage)
    if types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if types.is_float32(kind) or types.is_float16(kind):
        # Through a string, so that 0.1 stays 0.1 as with drivers of text protocols.
        return compute.cast(compute.cast(column, pa.string()), pa.float64())
    if types.is_decimal(kind):
        return _decimals(column)
    if types.is_integer(kind):
        if column.null_count and _is_wide(column):
            return _exact_array(column)
        return column if types.is_uint64(kind) else column.cast(pa.int64())
    if types.is_timestamp(kind):
        unit = kind.unit if kind.unit == "ns" else "us"
        return _finite(column, pa.timestamp(unit, "UTC" if kind.tz else None))
    if types.is_date32(kind):
        return _finite(column, kind)
    if types.is_interval(kind):
        return pa.array([_duration(cell) for cell in column.to_pylist()], pa.duration("us"))
    return column


def _is_wide(numbers: Any) -> bool:
    from pyarrow import compute

    bounds = compute.call_function("min_max", [numbers]).as_py()
    return any(one is not None and abs(one) >= ROUNDED for one in bounds.values())


def _decimals(column: "pa.ChunkedArray") -> "pa.ChunkedArray | pd.Series":
    """Convert decimals, or their text, to floats; to exact integers if floats would round them."""
    import pyarrow as pa

    floats = column.cast(pa.float64())
    exact = _exact_array(column) if _is_wide(floats) else None
    return floats if exact is None else exact


def _exact_array(column: "pa.ChunkedArray") -> pd.Series | None:
    """Convert numbers, or their text, to exact integers; None if not all are whole."""
    import pyarrow as pa

    try:
        whole = column.cast(pa.int64())
    except pa.ArrowInvalid:  # a fraction, or too large
        return _exact_cells(
            Decimal(cell) if isinstance(cell, str) else cell for cell in column.to_pylist()
        )
    exact = whole.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return exact if exact.hasnans else exact.astype("int64")


def _exact_cells(cells: Iterable[Any]) -> pd.Series | None:
    """Convert integers and decimals to exact integers; None if not all are whole."""
    whole: list[int | None] = []
    for cell in cells:
        if cell is None or cell != cell:  # NaN is missing
            whole.append(None)
        elif isinstance(cell, int) or (isinstance(cell, Decimal) and _is_whole(cell)):
            whole.append(int(cell))
        else:
            return None
    exact = pd.Series(whole, dtype=object)
    if all(cell is None or -(2**63) <= cell < 2**63 for cell in whole):
        return exact.astype("Int64" if None in whole else "int64")
    return exact


def _is_whole(number: Decimal) -> bool:
    return number.is_finite() and number == number.to_integral_value()


def _finite(column: Any, plain: Any) -> "pa.ChunkedArray":
    """Cast timestamps or days to the type `plain`, with `infinity` as the last moment or day.

    DuckDB stores infinities as plus and minus the largest integer, PostgreSQL as the largest and
    the smallest, to which its driver adds the time until 2000, so that they overflow.
    """
    import pyarrow as pa
    from pyarrow import compute

    is_day = pa.types.is_date32(plain)
    whole, bits = (pa.int32(), 32) if is_day else (pa.int64(), 64)
    largest = 2 ** (bits - 1) - 1
    to_2000 = _DAYS_TO_2000 if is_day else _DAYS_TO_2000 * 86_400_000_000
    numbers = column.cast(whole)
    search: Any = compute  # its functions are generated at import, which type checkers do not see
    bounds = search.min_max(numbers).as_py()
    if bounds["max"] < largest and bounds["min"] >= to_2000 - largest:
        return column.cast(plain)
    late = search.is_in(numbers, pa.array([largest, to_2000 - largest - 2], whole))
    early = search.is_in(numbers, pa.array([-largest, to_2000 - largest - 1], whole))
    known = search.if_else(search.or_(late, early), None, column)
    if not is_day:  # nanoseconds end in 2262
        plain = pa.timestamp("us", plain.tz)
        known = known.cast(plain, safe=False)
    last, first = (pa.scalar(one, pa.timestamp("us")).cast(plain) for one in (_LAST, _FIRST))
    return search.if_else(late, last, search.if_else(early, first, known))


def _duration(interval: Any) -> Any:
    if interval is None:
        return None
    days = interval.months * 30 + interval.days
    return pd.Timedelta(days=days, microseconds=interval.nanoseconds // 1000).to_pytimedelta()


def _plain_series(series: pd.Series, cells: Callable[[], Iterable[Any]]) -> pd.Series:
    """Return a Series without dtypes that depend on the driver.

    Args:
        series: What pandas made of a column.
        cells: Returns the cells as the driver gave them.
    """
    if series.dtype == "float64" and series.abs().max() >= ROUNDED:
        exact = _exact_cells(cells())
        return series if exact is None else exact
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return series.dt.tz_convert("UTC").dt.as_unit("us")
    if series.dtype.kind in "mM":
        return series.dt.as_unit("us")
    if series.dtype != object:
        return series
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind == "empty":
        return series.astype("float64")
    if kind == "datetime":  # more than one offset from UTC, or beyond nanoseconds
        zoned = any(cell.tzinfo for cell in series.dropna())
        return series.astype("datetime64[us, UTC]" if zoned else "datetime64[us]")
    if kind == "decimal":
        return _plain_series(series.astype("float64"), cells)
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
