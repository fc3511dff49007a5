"""Replace rows of a table in one transaction, through SQLAlchemy or DuckDB's own client.

Rows go into a temporary table first. The target is created if it does not exist; a target that
exists keeps its columns and their types.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Index,
    MetaData,
    Table,
    Text,
    and_,
    create_engine,
    delete,
    exists,
    insert,
    inspect,
    select,
)
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine

from xingu.errors import DataError
from xingu.sinks.spec import TableSink
from xingu.tracking.bulk import insert_columns

STAGED = "xingu_staged_rows"
PARTITION = "partition_key"
"""Column with the partition of the batch."""


def write_alchemy(
    rows: pd.DataFrame, sink: TableSink, url: URL, key: Sequence[str], partition: str | None = None
) -> None:
    """Write rows to a table of any database that SQLAlchemy knows.

    Args:
        rows: The rows.
        sink: The table.
        url: Its database.
        key: Columns that identify a row.
        partition: Key of the partition that the rows are, which they have in a column; None: they
            are the whole batch.

    Raises:
        DataError: If the table lacks a column of `rows`.
    """
    schema, _, name = sink.table.rpartition(".")
    types = {str(column): _type_of(rows[column]) for column in rows}
    staged = Table(STAGED, MetaData(), *_columns(types), prefixes=["TEMPORARY"])
    target = Table(name, MetaData(), *_columns(types), schema=schema or None)
    if sink.mode == "append":
        Index(f"ix_{name}_key", *(target.c[one] for one in key))
    elif partition is not None:
        Index(f"ix_{name}_partition", target.c[PARTITION])
    with create_engine(url, poolclass=NullPool).begin() as connection:
        inspected = inspect(connection)
        if inspected.has_table(name, schema or None):
            present = [one["name"] for one in inspected.get_columns(name, schema or None)]
            _check_columns(sink, types, present)
        else:
            target.create(connection)
        staged.create(connection)
        as_text = connection.dialect.name == "sqlite"  # which has no type for times
        values = {str(one): _values(rows[one], times_as_text=as_text) for one in rows}
        insert_columns(connection, staged, {}, values)
        removed = delete(target)
        if sink.mode == "append":
            same = and_(*(staged.c[one] == target.c[one] for one in key))
            removed = removed.where(exists().where(same))
        elif partition is not None:
            removed = removed.where(target.c[PARTITION] == partition)
        connection.execute(removed)
        connection.execute(insert(target).from_select([*types], select(*staged.c)))
        staged.drop(connection)


def write_duckdb(
    rows: pd.DataFrame, sink: TableSink, url: URL, key: Sequence[str], partition: str | None = None
) -> None:
    """Write rows to a table of a DuckDB database; the arguments are those of `write_alchemy`.

    Raises:
        DataError: If the table lacks a column of `rows`.
    """
    import duckdb

    table = ".".join(map(_quoted, sink.table.split(".")))
    with duckdb.connect(url.database or ":memory:") as connection:
        connection.register(STAGED, rows)
        connection.begin()
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} AS FROM {STAGED} LIMIT 0")
        present = connection.sql(f"FROM {table} LIMIT 0").columns
        _check_columns(sink, map(str, rows), present)
        same = " AND ".join(f"{STAGED}.{_quoted(one)} = {table}.{_quoted(one)}" for one in key)
        matching, given = "", []
        if sink.mode == "append":
            matching = f" WHERE EXISTS (FROM {STAGED} WHERE {same})"
        elif partition is not None:
            matching, given = f" WHERE {PARTITION} = ?", [partition]
        connection.execute(f"DELETE FROM {table}{matching}", given)
        connection.execute(f"INSERT INTO {table} BY NAME FROM {STAGED}")
        connection.commit()


def _check_columns(sink: TableSink, names: Any, present: Sequence[str]) -> None:
    if missing := [name for name in names if name not in present]:
        raise DataError(
            f"the sink {sink.name!r}: the table {sink.table} has no column "
            f"{', '.join(missing)} (it has {', '.join(present)}); add it, or name another table.",
            sink=sink.name,
        )


def _columns(types: dict[str, TypeEngine[Any]]) -> list[Column[Any]]:
    return [Column(name, kind) for name, kind in types.items()]


def _type_of(values: pd.Series) -> TypeEngine[Any]:
    kind = values.dtype.kind
    if kind == "M":
        return DateTime(timezone=getattr(values.dtype, "tz", None) is not None)
    types = {"b": Boolean, "i": BigInteger, "u": BigInteger, "f": Double}
    return types.get(kind, Text)()


def _values(values: pd.Series, *, times_as_text: bool) -> list[Any]:
    """Return plain Python values; None for missing ones, texts for what is no number or time."""
    plain = values.astype(object).tolist()
    if values.dtype.kind == "M":
        convert = str if times_as_text else pd.Timestamp.to_pydatetime
    elif values.dtype.kind in "biuf":
        convert = None
    else:
        convert = str
    known = values.notna().tolist()
    return [
        None if not present else convert(value) if convert else value
        for value, present in zip(plain, known, strict=True)
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
