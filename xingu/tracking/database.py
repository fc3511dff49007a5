"""Open, migrate, read and write the control DB.

A write is one transaction, which holds a lock from its first statement: an advisory lock per
subject in PostgreSQL, the write lock of the file in SQLite. Concurrent processes wait for each
other; none fails, and none reads a part of what another writes.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, select, table, text
from sqlalchemy.exc import SQLAlchemyError

from xingu.errors import ControlDbError
from xingu.sources import Databases
from xingu.sources.retrying import is_transient, retried
from xingu.tracking.schema import Tables, tables

logger = logging.getLogger(__name__)

NICKNAME = "xingu"
HEAD = "0005"
"""Revision of the newest migration."""
BUSY_SECONDS = 300
"""Longest wait for other writers of the same SQLite file, in seconds."""


class ControlDB:
    """The control DB, which has the nickname `xingu`; it is opened on first use.

    Args:
        databases: Databases by nickname, including `xingu`.
        prefix: Prefix of all table names.
    """

    def __init__(self, databases: Databases, prefix: str = "") -> None:
        self._databases = databases
        self.prefix = prefix

    @property
    def tables(self) -> Tables:
        """Tables with the prefix of this database."""
        return tables(self.prefix)

    @property
    def address(self) -> str:
        """The part of its URL that may be shown."""
        return self._databases.address(NICKNAME)

    @property
    def exists(self) -> bool:
        """Whether there is a file, if it is one of SQLite; a server has to be asked."""
        file = self._databases.file(NICKNAME)
        return file is None or file.exists()

    @cached_property
    def engine(self) -> Engine:
        """Engine of the database, after its tables were created or migrated.

        Raises:
            ControlDbError: If the database cannot be opened, or its schema is newer than this code.
        """
        with self._errors("cannot be opened"):
            engine = self._create_engine()
            self._migrate(engine)
            return engine

    def read(self) -> AbstractContextManager[Connection]:
        """Return a connection for reading, as a context manager.

        Raises:
            ControlDbError: If the database cannot be read, or its SQLite file does not exist.
        """
        if not self.exists:  # SQLite would create an empty file
            raise ControlDbError(
                f"There is no control DB at {self.address}: train a model first, which creates "
                "it, or set XINGU_DB_URL to an existing one.",
                database=NICKNAME,
            )
        return self._begin(writes=False)

    @contextmanager
    def write(self, subject: str) -> Iterator[Connection]:
        """Yield a connection in a write transaction, which is rolled back if the block raises.

        Args:
            subject: Name of what is written, for example a `train_id`; transactions with the same
                subject run one after the other.

        Raises:
            ControlDbError: If the database cannot be written.
        """
        with self._begin(writes=True) as connection:
            _lock(connection, f"{self.prefix}{subject}")
            yield connection

    @contextmanager
    def _begin(self, *, writes: bool) -> Iterator[Connection]:
        engine = self.engine.execution_options(writes=writes)
        problem = "cannot be written" if writes else "cannot be read"
        with self._errors(problem):
            # A transaction that has begun is not repeated here: its rows come from the caller.
            connected = retried(engine.connect, "the control DB", transient=is_transient)
            with connected as connection, connection.begin():
                yield connection

    @contextmanager
    def _errors(self, problem: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, ImportError) as error:
            reason = str(getattr(error, "orig", None) or error).strip()
            raise ControlDbError(
                f"The control DB ({self.address}) {problem}: {reason}; check that it is running, "
                "its permissions, and XINGU_DB_URL.",
                database=NICKNAME,
            ) from None

    def _create_engine(self) -> Engine:
        url = control_url(self._databases)
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
        file = self._databases.file(NICKNAME)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        return _sqlite_engine(url)

    def _migrate(self, engine: Engine) -> None:
        version = f"{self.prefix}xingu_version"
        if version_of(engine, version) == HEAD:
            return
        with engine.execution_options(writes=True).begin() as connection:
            _lock(connection, version)
            self._upgrade(connection, version)

    def _upgrade(self, connection: Connection, version_table: str) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes |= {
            "connection": connection,
            "prefix": self.prefix,
            "version_table": version_table,
        }
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ControlDbError(
                f"The control DB ({self.address}) has a schema version that this version of Xingu "
                f"does not know ({error}); install the version that wrote it, or a newer one.",
                database=NICKNAME,
            ) from error


def _lock(connection: Connection, name: str) -> None:
    """Wait for transactions with the same lock name; SQLite allows one writer anyway."""
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(hashtext(:name))")
        connection.execute(lock, {"name": name})


def control_url(databases: Databases) -> URL:
    """Return the URL of the control DB; psycopg 3 is the driver of PostgreSQL if it names none."""
    url = databases.url(NICKNAME)
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def version_of(engine: Engine, version_table: str) -> str | None:
    """Return the revision of the newest migration that was run; None: there was none."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(version_table):
            return None
        statement = select(text("version_num")).select_from(table(version_table))
        return connection.scalar(statement)


def _sqlite_engine(url: Any) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        # sqlite3 would begin a transaction at the first write only, after what was read before it
        # may have changed; the "begin" listener below begins it explicitly.
        connection.isolation_level = None
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except Exception as error:  # noqa: BLE001 - a read-only file can be read without it
            logger.debug("no write-ahead log: %s", error)
        # With NORMAL, a power failure would lose the last transactions, although trains whose
        # verdict they are have become current.
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
