"""The control DB: how it is opened, brought up to date, read and written.

Its one idea: a write is one transaction that is alone with its subject from its first statement, so
ten processes wait for each other, and none of them fails or finds half of what another wrote.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, table, text
from sqlalchemy.exc import SQLAlchemyError

from xingu.errors import ControlDbError
from xingu.sources import Databases
from xingu.sources.secrets import scrub, secrets_of
from xingu.tracking.schema import Tables, tables

logger = logging.getLogger(__name__)

NICKNAME = "xingu"
HEAD = "0003"
"""The newest migration."""
BUSY_SECONDS = 300
"""How long a process waits for others that write into the same SQLite file."""


class ControlDB:
    """The control DB behind the nickname `xingu`; it is opened when it is first used.

    Args:
        databases: Databases by nickname, `xingu` among them.
        prefix: Start of all names of tables.
    """

    def __init__(self, databases: Databases, prefix: str = "") -> None:
        self._databases = databases
        self.prefix = prefix

    @property
    def tables(self) -> Tables:
        """The tables."""
        return tables(self.prefix)

    @property
    def identity(self) -> str:
        """The URL without its secrets."""
        return self._databases.identity(NICKNAME)

    @cached_property
    def engine(self) -> Engine:
        """The engine; the tables are there.

        Raises:
            ControlDbError: If the database cannot be opened, or is newer than this code.
        """
        with self._errors("cannot be opened"):
            engine = self._connected()
            self._migrate(engine)
            return engine

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection that reads.

        Raises:
            ControlDbError: If it cannot be read, or is a file that was not made yet.
        """
        file = self._databases.file(NICKNAME)
        if file is not None and not file.exists():  # whoever only looks shall not make one
            raise ControlDbError(
                f"There is no control DB at {self.identity}: train a model first, which makes it, "
                "or set XINGU_DB_URL to where one is.",
                database=NICKNAME,
            )
        return self._use(writes=False)

    @contextmanager
    def write(self, about: str) -> Iterator[Connection]:
        """Give a connection in a transaction that writes; it is undone if the block raises.

        Args:
            about: What is written about, for example a `train_id`: one transaction at a time.
        """
        with self._use(writes=True) as connection:
            _lock(connection, f"{self.prefix}{about}")
            yield connection

    @contextmanager
    def _use(self, *, writes: bool) -> Iterator[Connection]:
        engine = self.engine.execution_options(writes=writes)
        what = "cannot be written" if writes else "cannot be read"
        with self._errors(what), engine.begin() as connection:
            yield connection

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, ImportError) as error:
            secrets = secrets_of(self._databases.url(NICKNAME).render_as_string(False))
            reason = scrub(str(getattr(error, "orig", None) or error).strip(), secrets)
            advice = "look whether it runs, and at XINGU_DB_URL and its permissions"
            raise ControlDbError(
                f"The control DB ({self.identity}) {what}: {reason}; {advice}.",
                database=NICKNAME,
            ) from None

    def _connected(self) -> Engine:
        url = self._databases.url(NICKNAME)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
        file = self._databases.file(NICKNAME)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        return _sqlite_engine(url)

    def _migrate(self, engine: Engine) -> None:
        version = f"{self.prefix}xingu_version"
        if _version_of(engine, version) == HEAD:
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
                f"The control DB ({self.identity}) has a version that this Xingu does not know "
                f"({error}); install the Xingu that wrote it, or a newer one.",
                database=NICKNAME,
            ) from error


def _lock(connection: Connection, name: str) -> None:
    """Wait for other transactions that write about the same; SQLite lets one write at a time."""
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(hashtext(:name))")
        connection.execute(lock, {"name": name})


def _version_of(engine: Engine, version_table: str) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table(version_table):
            return None
        statement = select(text("version_num")).select_from(table(version_table))
        return connection.scalar(statement)


def _sqlite_engine(url: Any) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        # The driver would begin a transaction only at the first write: too late to wait for others.
        connection.isolation_level = None
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except Exception as error:  # noqa: BLE001 - a read-only file can still be read
            logger.debug("no write-ahead log: %s", error)
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
