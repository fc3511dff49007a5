"""Write many rows at once, in the transaction of the caller.

Its one idea: SQLite takes tuples and PostgreSQL a COPY of CSV; a million rows are seconds in both.
Every other database takes SQLAlchemy's own way.
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
        table: Where to.
        constants: Values that are the same in every row, by column.
        columns: Plain Python values by column, all of the same length; None means NULL.
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
        marks = ", ".join("?" * len(names))
        same = [repeat(value, rows) for value in constants.values()]
        driver.executemany(
            f"INSERT INTO {target} VALUES ({marks})", zip(*same, *columns.values(), strict=True)
        )
    elif connection.dialect.driver == "psycopg":
        with driver.cursor().copy(f"COPY {target} FROM STDIN (FORMAT csv)") as copy:
            for start in range(0, rows, ROWS_AT_ONCE):
                copy.write(_csv(constants, columns, start))
    else:
        for start in range(0, rows, ROWS_AT_ONCE):
            part = [values[start : start + ROWS_AT_ONCE] for values in columns.values()]
            records = (dict(zip(columns, row, strict=True)) for row in zip(*part, strict=True))
            connection.execute(insert(table), [{**constants, **record} for record in records])


def _csv(constants: Mapping[str, Any], columns: Mapping[str, Sequence[Any]], start: int) -> bytes:
    parts = {name: pa.array(v[start : start + ROWS_AT_ONCE]) for name, v in columns.items()}
    rows = len(next(iter(parts.values())))
    same = {name: pa.repeat(value, rows) for name, value in constants.items()}
    file = io.BytesIO()
    csv.write_csv(pa.table({**same, **parts}), file, csv.WriteOptions(include_header=False))
    return file.getvalue()


def index_texts(index: pd.Index) -> list[str]:
    """Return the values of `index` as people read them; parts of a tuple are joined by commas."""
    if isinstance(index, pd.MultiIndex):
        return [", ".join(map(str, value)) for value in index]
    if index.dtype.kind in "iufmM":
        return index.astype(str).tolist()
    return [str(value) for value in index]


def plain_values(series: pd.Series) -> list[Any]:
    """Return numbers as numbers (bool as 0 and 1), everything else as text, missing as None."""
    if series.dtype.kind in "biuf":
        values: list[Any] = (series.astype(int) if series.dtype.kind == "b" else series).tolist()
    else:
        numbers = pd.api.types.is_numeric_dtype(series.dtype)
        values = [value if numbers else _text(value) for value in series.tolist()]
    known = series.notna()
    if known.all():
        return values
    return [value if here else None for value, here in zip(values, known, strict=True)]


def _text(value: object) -> Any:
    return value if isinstance(value, int | float) else str(value)
