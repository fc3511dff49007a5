"""Run SQL as given and return frames, through DuckDB, ADBC or SQLAlchemy.

ADBC is an optimization: a query that it cannot run, or not without loss, is run again over
SQLAlchemy, after the earlier statements of the connection. Nothing is committed, except by DuckDB,
which commits each statement if its URL has ``read_only=false``. Callers translate driver errors and
remove secrets from them.
"""

import datetime as dt
import json
import logging
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any, Literal, Protocol

import pandas as pd

from xingu.sources.frames import from_arrow, from_rows
from xingu.sources.parameters import parameters_of, with_placeholders

logger = logging.getLogger(__name__)

Dialect = Literal["sqlite", "postgresql"]

_END = "; \t\r\n"
"""Characters that may follow the last statement."""

# The driver infers types from the first batch, so it should hold all rows of most results. Not
# more: memory of a batch is reserved ahead, and a process that reserved tens of gigabytes cannot
# fork.
_SQLITE_OPTIONS = {"adbc.sqlite.query.batch_rows": 1 << 22}
_LOSSY_TEXT, _LOSSY_LENGTHS = r"^-?\d\.\d{6}e[+-]\d{2,3}$", (12, 13, 14)
"""Format of floats in a text column of the SQLite driver: it keeps six digits only."""

_PLAIN_POSTGRES = {
    *("int2", "int4", "int8", "float4", "float8", "numeric", "bool", "text", "varchar", "bpchar"),
    *("name", "date", "time", "timestamp", "timestamptz", "interval", "bytea", "uuid"),
}
_JSON_POSTGRES = {"json", "jsonb"}
_FALLBACK_STATES = ("42", "0A")
"""SQLSTATE classes of statements that may fail only because ADBC wraps them into a COPY."""


class Backend(Protocol):
    """An open connection to a database."""

    def run(self, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        """Run `sql` and return its rows; no columns if the statement returns none.

        Args:
            sql: Statements.
            parameters: Values by name; may have more than `sql` names.
        """
        ...

    def cancel(self) -> None:
        """Cancel the query of another thread, if the driver supports it."""
        ...

    def close(self) -> None:
        """Close the connection and roll back its changes."""
        ...


class DuckDbBackend:
    """DuckDB through its own client."""

    def __init__(self, path: str, *, read_only: bool, config: dict[str, Any]) -> None:
        import duckdb

        self._connection = duckdb.connect(path, read_only=read_only, config=config)
        # Otherwise DuckDB resolves unknown tables to Python variables of callers.
        self._connection.execute("SET python_enable_replacements = false")
        self._connection.execute("SET enable_progress_bar = false")

    def run(self, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        """See `Backend`."""
        return duckdb_rows(self._connection, sql, parameters)

    def cancel(self) -> None:
        """See `Backend`."""
        self._connection.interrupt()

    def close(self) -> None:
        """See `Backend`."""
        self._connection.close()


class AlchemyBackend:
    """Any database through SQLAlchemy."""

    def __init__(self, url: Any) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        self._connection = create_engine(url, poolclass=NullPool).connect()
        if self._connection.dialect.driver == "psycopg":
            _accept_infinity(self._connection.connection.driver_connection)

    def run(self, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        """See `Backend`."""
        driver = self._connection.connection
        return last_rows(driver, sql, parameters, self._connection.dialect.loaded_dbapi)

    def cancel(self) -> None:
        """See `Backend`."""
        cancel_query(self._connection.connection.driver_connection)

    def close(self) -> None:
        """See `Backend`."""
        self._connection.close()


class AdbcBackend:
    """SQLite or PostgreSQL through ADBC, with a fallback for queries that ADBC cannot run.

    Args:
        dialect: Database of the driver.
        uri: URI in the format of the driver.
        open_fallback: Opens the connection that replaces this one.
    """

    def __init__(self, dialect: Dialect, uri: str, open_fallback: Callable[[], Backend]) -> None:
        self._dialect: Dialect = dialect
        self._open_fallback = open_fallback
        self._fallback: Backend | None = None
        self._history: list[tuple[str, Mapping[str, Any]]] = []
        self._cancelled = False
        self._connection = _connect_adbc(dialect, uri)
        self._cursor = self._connection.cursor()
        if dialect == "sqlite":
            self._cursor.adbc_statement.set_options(**_SQLITE_OPTIONS)

    def run(self, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        """See `Backend`."""
        if self._fallback is None and not self._needs_fallback(sql, parameters):
            frame = self._run_adbc(sql, parameters)
            if frame is not None:
                self._history.append((sql, parameters))
                return frame
        if self._cancelled:
            raise InterruptedError("cancelled")
        return self._switch_to_fallback().run(sql, parameters)

    def _needs_fallback(self, sql: str, parameters: Mapping[str, Any]) -> bool:
        # The driver wraps PostgreSQL's SQL in a COPY, which takes no parameters.
        if self._dialect == "postgresql" and not parameters.keys().isdisjoint(parameters_of(sql)):
            return True
        # Of several statements the SQLite driver runs only the first.
        ends = re.finditer(";", sql.rstrip(_END)) if self._dialect == "sqlite" else ()
        return any(sqlite3.complete_statement(sql[: end.end()]) for end in ends)

    def _run_adbc(self, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame | None:
        """Return the rows; None if the fallback has to read them."""
        import pyarrow as pa
        from adbc_driver_manager import Error

        sql, given = with_placeholders(sql, parameters, "qmark", times_as_text=True)
        try:
            # The driver wraps PostgreSQL's SQL in a COPY: the newline ends a trailing comment.
            self._cursor.execute(sql.rstrip(_END) + "\n", given)
            if not self._cursor.description:
                return pd.DataFrame()
            table = self._cursor.fetch_arrow_table()
            if self._dialect == "sqlite":
                return None if _is_lossy(table) else from_arrow(table)
            return _from_postgres(table)
        except Error as error:
            state = error.sqlstate
            if state and state[:2] not in _FALLBACK_STATES:
                raise
            return None
        except (OSError, OverflowError, pa.ArrowException):
            return None

    def _switch_to_fallback(self) -> Backend:
        if self._fallback is None:
            logger.info("ADBC cannot read a query without loss: SQLAlchemy takes over, slower")
            self._close_adbc()
            self._fallback = self._open_fallback()
            for statement, given in self._history:
                self._fallback.run(statement, given)
        return self._fallback

    def cancel(self) -> None:
        """See `Backend`."""
        self._cancelled = True
        if self._fallback is not None:
            self._fallback.cancel()
            return
        from adbc_driver_manager import Error

        with suppress(Error):  # not every driver supports it
            self._cursor.adbc_cancel()

    def close(self) -> None:
        """See `Backend`."""
        if self._fallback is None:
            self._close_adbc()
        else:
            self._fallback.close()

    def _close_adbc(self) -> None:
        self._cursor.close()
        self._connection.close()


def cancel_query(driver: Any) -> None:
    """Cancel the query that a connection of a driver runs, if the driver supports it."""
    for name in ("interrupt", "cancel"):  # sqlite3 and DuckDB; psycopg
        if hasattr(driver, name):
            getattr(driver, name)()


def duckdb_rows(connection: Any, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of the last statement of `sql` on a connection of DuckDB."""
    sql, given = with_placeholders(sql, parameters, "dollar")

    def named(statement: Any) -> dict[str, Any]:
        return {name: given[name] for name in statement.named_parameters} if given else {}  # type: ignore[call-overload]

    statements = connection.extract_statements(sql)
    if not statements:
        return pd.DataFrame()
    *earlier, last = statements
    for statement in earlier:
        connection.execute(statement, named(statement)).fetchall()
    relation = connection.sql(last, params=named(last) or None)
    if relation is None:
        return pd.DataFrame()
    kinds = {kind.name for kind in last.expected_result_type}
    if kinds != {"QUERY_RESULT"} and relation.columns in (["Count"], ["Success"]):
        return pd.DataFrame()
    return from_arrow(relation.to_arrow_table())


def last_rows(connection: Any, sql: str, parameters: Mapping[str, Any], dbapi: Any) -> pd.DataFrame:
    """Return the rows of the last statement of `sql` on a connection of the DB-API.

    Args:
        connection: The connection.
        sql: Statements.
        parameters: Values by name; may have more than `sql` names.
        dbapi: Module of the driver, or what has its `NotSupportedError` and `paramstyle`.
    """
    style = getattr(dbapi, "paramstyle", "")
    is_sqlite = getattr(dbapi, "__name__", "").startswith("sqlite3")
    sql, given = with_placeholders(sql, parameters, style, times_as_text=is_sqlite)
    # SQLAlchemy's results end with the first statement, so this takes the driver's own cursor.
    # Without parameters, `%` and `:` in the SQL are not interpreted.
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql, *([] if given is None else [given]))
        _skip_to_last_result(cursor, dbapi)
        if not cursor.description:
            return pd.DataFrame()
        return from_rows([column[0] for column in cursor.description], cursor.fetchall())


def _accept_infinity(connection: Any) -> None:
    """Let psycopg load `infinity` as psycopg2 does, which it refuses otherwise."""
    last, first = dt.datetime.max, dt.datetime.min
    limits = {
        "date": (last.date(), first.date()),
        "timestamp": (last, first),
        "timestamptz": (last.replace(tzinfo=dt.UTC), first.replace(tzinfo=dt.UTC)),
    }
    for name, (late, early) in limits.items():
        known = {b"infinity": late, b"-infinity": early}
        connection.adapters.register_loader(name, _loader(connection.adapters, name, known))


def _loader(adapters: Any, name: str, known: Mapping[bytes, Any]) -> type:
    """Return a psycopg loader of a type that takes some values from `known`."""
    from psycopg import DataError
    from psycopg.adapt import Loader
    from psycopg.pq import Format

    usual = adapters.get_loader(adapters.types[name].oid, Format.TEXT)

    class KnownLoader(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._load = usual(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._load(data)
            except DataError:
                if bytes(data) in known:
                    return known[bytes(data)]
                raise

    return KnownLoader


def _skip_to_last_result(cursor: Any, dbapi: Any) -> None:
    """Skip the results of all statements but the last; psycopg2 has skipped them already."""
    if hasattr(cursor, "nextset"):
        with suppress(dbapi.NotSupportedError):
            while cursor.nextset():
                pass


def _connect_adbc(dialect: Dialect, uri: str) -> Any:
    if dialect == "sqlite":
        from adbc_driver_sqlite import dbapi
    else:
        from adbc_driver_postgresql import dbapi
    return dbapi.connect(uri)


def _is_lossy(table: Any) -> bool:
    import pyarrow as pa
    from pyarrow import compute, types

    search: Any = compute  # its functions are generated at import, which type checkers do not see
    lengths = pa.array(_LOSSY_LENGTHS, pa.int32())
    for column in table.columns:
        if types.is_string(column.type) or types.is_binary(column.type):
            suspects = column.filter(search.is_in(search.binary_length(column), lengths))
            if search.any(search.match_substring_regex(suspects, _LOSSY_TEXT)).as_py():
                return True
    return False


def _from_postgres(table: Any) -> pd.DataFrame | None:
    """Return the frame; None if a column has a type that Arrow represents differently."""
    decoders: list[Callable[[Any], Any] | None] = []
    for field in table.schema:
        name = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
        if name not in _PLAIN_POSTGRES | _JSON_POSTGRES:
            return None
        decoders.append(json.loads if name in _JSON_POSTGRES else None)
    return from_arrow(table, decoders)
