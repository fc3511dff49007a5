"""Dagster's SQLite storage with connections that stay open; the files are the same.

Its one idea: a database that has a revision is made, and one that is made needs no look at it.
Dagster opens a new connection for each of the ten statements that an asset costs, and lets every
process compare every database with sixty migrations. `dagster.yaml` names this class; with
``storage: sqlite:`` in its place everything works as well, slower.
"""

import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event, make_url

OPEN_DATABASES = 32
"""Databases that one storage keeps open; the webserver looks into one for each run."""

EVENTS_AT_ONCE = "1000"
"""Dagster hands over so many events that belong together, if the environment says nothing else."""


class Engines:
    """Engines by URL; the one that was not used for longest is closed."""

    def __init__(self) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def begin(self, url: str) -> Iterator[Connection]:
        """Give a connection in a transaction."""
        with self._engine(url).begin() as connection:
            yield connection

    def _engine(self, url: str) -> Engine:
        with self._lock:
            if url not in self._engines:
                self._engines[url] = _new_engine(url)
            self._engines.move_to_end(url)
            if len(self._engines) > OPEN_DATABASES:
                # Connections that are in use are closed when they are given back.
                self._engines.popitem(last=False)[1].dispose()
            return self._engines[url]

    def dispose(self) -> None:
        """Close all."""
        with self._lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


def _new_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _record: Any) -> None:
        # Safe with a write-ahead log: a killed process loses nothing, a power cut the last events.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def is_made(url: str) -> bool:
    """Return whether Dagster has made the database: it then has a revision."""
    path = Path(make_url(url).database or "")
    if not path.exists():
        return False
    with closing(sqlite3.connect(path, timeout=SQLITE_BUSY_TIMEOUT_SECONDS)) as database:
        try:
            return database.execute("SELECT 1 FROM alembic_version").fetchone() is not None
        except sqlite3.OperationalError:  # another process is about to make it
            return False


class _OneDatabase:
    """A storage in one database, to which connections are kept."""

    _conn_string: str

    @cached_property
    def _engine(self) -> Engine:
        return _new_engine(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Give a connection in a transaction."""
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the connections."""
        self._engine.dispose()


class RunStorage(_OneDatabase, SqliteRunStorage):
    """Runs."""

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Any:
        """Return the storage below a folder; it is made if need be."""
        url = create_db_conn_string(base_dir, "runs")
        return cls(url, inst_data) if is_made(url) else super().from_local(base_dir, inst_data)


class ScheduleStorage(_OneDatabase, SqliteScheduleStorage):
    """Ticks of schedules and sensors."""

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Any:
        """Return the storage below a folder; it is made if need be."""
        url = create_db_conn_string(base_dir, "schedules")
        return cls(url, inst_data) if is_made(url) else super().from_local(base_dir, inst_data)


class _Batch(threading.local):
    """The transactions of the batch that this thread stores; None: it stores none."""

    begun: dict[str, Connection] | None = None
    at_the_end: ExitStack


class EventLogStorage(SqliteEventLogStorage):
    """Events: one database for each run, and an index of all."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines = Engines()
        self._batch = _Batch()
        super().__init__(base_dir, inst_data)

    def run_connection(self, run_id: str | None = None) -> Any:
        """Give a connection to the events of a run, in a transaction."""
        return self._begin(str(run_id))

    def index_connection(self) -> AbstractContextManager[Connection]:
        """Give a connection to the index, in a transaction."""
        return self._begin(INDEX_SHARD_NAME)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in one transaction for each database; all of them, or none."""
        with ExitStack() as at_the_end:
            self._batch.begun = {}
            self._batch.at_the_end = at_the_end
            try:
                super().store_event_batch(events)
            finally:
                self._batch.begun = None

    @contextmanager
    def _begin(self, shard: str) -> Iterator[Connection]:
        begun = self._batch.begun
        if begun is None:
            with self._begin_one(shard) as connection:
                yield connection
            return
        if shard not in begun:
            begun[shard] = self._batch.at_the_end.enter_context(self._begin_one(shard))
        yield begun[shard]

    @contextmanager
    def _begin_one(self, shard: str) -> Iterator[Connection]:
        url = self.conn_string_for_shard(shard)
        if shard not in self._initialized_dbs and not is_made(url):
            with super().run_connection(shard):
                pass
        self._initialized_dbs.add(shard)
        with self._engines.begin(url) as connection:
            yield connection

    def wipe(self) -> None:
        """Remove all events."""
        self._engines.dispose()
        super().wipe()

    def dispose(self) -> None:
        """Close the connections."""
        self._engines.dispose()
        super().dispose()


class SqliteStorage(DagsterSqliteStorage):
    """Everything that Dagster stores, below one folder."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # The parent's constructor would make storages of its own classes, and in two processes that
        # start at once on an empty folder one of them fails.
        self.base_dir = base_dir
        # What a run plans to do is hundreds of events before its first step.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", EVENTS_AT_ONCE)
        history = Path(base_dir, "history")
        history.mkdir(parents=True, exist_ok=True)
        with FileLock(history / ".lock"):
            self._run_storage = RunStorage.from_local(str(history))
            self._event_log_storage = EventLogStorage(str(history / "runs"))
            self._schedule_storage = ScheduleStorage.from_local(str(Path(base_dir, "schedules")))
        self._inst_data = inst_data
        super(DagsterSqliteStorage, self).__init__()

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Any:
        """Return the storage that `dagster.yaml` describes."""
        return cls(inst_data=inst_data, **config_value)
