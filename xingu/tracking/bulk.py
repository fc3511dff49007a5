"""Insert many rows in the transaction of the caller.

SQLite receives tuples through the driver's `executemany`, PostgreSQL a COPY of CSV: a million rows
take seconds in both. For every other database SQLAlchemy's `insert` is used.
"""

import io
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import Connection, Table, insert

ROWS_AT_ONCE = 100_000


def insert_columns(
    connection: Connection,
    table: Table,
    constants: Mapping[str, Any],
    columns: Mapping[str, Sequence[Any]],
) -> None:
    """Insert rows.

    Args:
        connection: A connection in a transaction.
        table: Target table.
        constants: Values that are equal in every row, by column.
        columns: Plain Python values by column, all of the same length; None becomes NULL.
    """
    rows = len(next(iter(columns.values())))
    if not rows:
        return
    names = [*constants, *columns]
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101
    quoted = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in names)
    target = f"{connection.dialect.identifier_preparer.format_table(table)} ({quoted})"
    if connection.dialect.name == "sqlite":
        placeholders = ", ".join("?" * len(names))
        repeated = [repeat(value, rows) for value in constants.values()]
        driver.executemany(
            f"INSERT INTO {target} VALUES ({placeholders})",
            zip(*repeated, *columns.values(), strict=True),
        )
    elif connection.dialect.driver == "psycopg":
        with driver.cursor().copy(f"COPY {target} FROM STDIN (FORMAT csv)") as copy:
            for start in range(0, rows, ROWS_AT_ONCE):
                copy.write(_csv(constants, columns, start))
    else:
        for start in range(0, rows, ROWS_AT_ONCE):
            chunk = [values[start : start + ROWS_AT_ONCE] for values in columns.values()]
            records = (dict(zip(columns, row, strict=True)) for row in zip(*chunk, strict=True))
            connection.execute(insert(table), [{**constants, **record} for record in records])


def _csv(constants: Mapping[str, Any], columns: Mapping[str, Sequence[Any]], start: int) -> bytes:
    chunk = {name: _array(v[start : start + ROWS_AT_ONCE]) for name, v in columns.items()}
    rows = len(next(iter(chunk.values())))
    repeated = {name: pa.repeat(value, rows) for name, value in constants.items()}
    buffer = io.BytesIO()
    csv.write_csv(pa.table({**repeated, **chunk}), buffer, csv.WriteOptions(include_header=False))
    return buffer.getvalue()


def _array(values: Sequence[Any]) -> pa.Array:
    """Return values as Arrow has them; a mixture of texts and others becomes texts."""
    types = set(map(type, values)) - {type(None)}
    if str in types and len(types) > 1:
        return pa.array([None if value is None else str(value) for value in values])
    return pa.array(values)


def index_strings(index: pd.Index) -> list[str]:
    """Return the values of `index` as strings; levels of a MultiIndex are joined by commas."""
    if isinstance(index, pd.MultiIndex):
        return [", ".join(map(str, value)) for value in index]
    if index.dtype.kind in "iufmM" and not index.hasnans:  # astype(str) keeps missing values
        return index.astype(str).tolist()
    return [str(value) for value in index]


def plain_values(series: pd.Series) -> list[Any]:
    """Return values that a database driver accepts.

    Returns:
        Numbers as numbers (booleans as 0 and 1), missing values as None, all others as strings.
    """
    if series.dtype.kind in "biuf":
        boolean = series.dtype.kind == "b"
        values: list[Any] = (series.fillna(False).astype(int) if boolean else series).tolist()
    else:
        numbers = pd.api.types.is_numeric_dtype(series.dtype)
        values = [value if numbers else _number_or_string(value) for value in series.tolist()]
    known = series.notna()
    if known.all():
        return values
    return [value if present else None for value, present in zip(values, known, strict=True)]


def _number_or_string(value: object) -> int | float | str:
    return value if isinstance(value, int | float) else str(value)
