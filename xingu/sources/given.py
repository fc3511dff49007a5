"""Databases that the caller has connections to: a SQLAlchemy engine, or a function that connects.

The function returns a connection of SQLAlchemy, of DuckDB or of any driver with the DB-API of
Python, or a context manager that gives one; what it returns is closed after each use.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from types import SimpleNamespace
from typing import Any

import pandas as pd

from xingu.sources.connections import cancel_query, duckdb_rows, last_rows

GivenDatabase = Any
"""A SQLAlchemy `Engine`, or a `Callable` that returns a connection or a context manager of one."""


def is_engine(database: GivenDatabase) -> bool:
    """Return whether a database is given as a SQLAlchemy engine."""
    return hasattr(database, "dialect") and hasattr(database, "connect")


@contextmanager
def connected(database: GivenDatabase) -> Iterator[Any]:
    """Give a connection, and close it at the end of the block without a commit."""
    connect: Callable[[], Any] = database.connect if is_engine(database) else database
    connection = connect()
    if not _is_connection(connection) and isinstance(connection, AbstractContextManager):
        with connection as inner:
            yield inner
    else:
        with closing(connection):
            yield connection


@contextmanager
def opened(database: GivenDatabase) -> Iterator["GivenBackend"]:
    """Connect, and give what runs queries.

    Raises:
        TypeError: If what the function gives is no connection.
    """
    with connected(database) as connection:
        yield GivenBackend(connection)


class GivenBackend:
    """An open connection of the caller."""

    def __init__(self, connection: Any) -> None:
        if not _is_connection(connection):
            raise TypeError(
                f"get_connection gave a {type(connection).__name__}, which has neither cursor() "
                "nor exec_driver_sql()"
            )
        self._connection = connection

    def run(self, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        """See `xingu.sources.connections.Backend`."""
        if hasattr(self._connection, "extract_statements"):
            return duckdb_rows(self._connection, sql, parameters)
        if hasattr(self._connection, "exec_driver_sql"):
            dbapi = self._connection.dialect.loaded_dbapi
            return last_rows(self._connection.connection, sql, parameters, dbapi)
        return last_rows(self._connection, sql, parameters, _driver_of(self._connection))

    def cancel(self) -> None:
        """See `xingu.sources.connections.Backend`."""
        driver = getattr(self._connection, "connection", self._connection)
        cancel_query(getattr(driver, "driver_connection", driver))

    def close(self) -> None:
        """Do nothing: `connected` closes the connection."""


def _driver_of(connection: Any) -> Any:
    """Return the module of the driver of a connection, as far as it can be told."""
    parents = type(connection).__module__.split(".")
    names = [".".join(parents[: at + 1]) for at in range(len(parents))]
    modules = (sys.modules.get(name) for name in names)
    found = next((one for one in modules if hasattr(one, "paramstyle")), None)
    return SimpleNamespace(
        NotSupportedError=Exception,
        paramstyle=getattr(found, "paramstyle", ""),
        __name__=getattr(found, "__name__", ""),
    )


def _is_connection(value: Any) -> bool:
    return hasattr(value, "exec_driver_sql") or hasattr(value, "cursor")
