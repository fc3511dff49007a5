"""Dagster's SQLite storage with connections that stay open; the files are the same.

A process opens each database once, and caches which tables, columns and indexes exist. Dagster
opens a new connection for each of the ten statements that an asset costs, asks the schema before
many of them, and lets every process compare every database with sixty migrations. `dagster.yaml`
names this class; with ``storage: sqlite:`` in its place everything works as well, slower.
"""

import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
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
from sqlalchemy.pool import Pool

OPEN_DATABASES = 32
"""Databases that a process keeps open; the webserver looks into one for each run."""

EVENTS_AT_ONCE = "1000"
"""Dagster hands over so many events that belong together, if the environment says nothing else."""


@dataclass(frozen=True, slots=True)
class _Database:
    """An open database whose tables exist."""

    engine: Engine
    inode: int
    has: set[str] = field(default_factory=set)
    """Tables, columns and indexes that were found; they are never dropped."""


class _Databases:
    """Open databases of this process by URL; the least recently used one is closed first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Database] = OrderedDict()
        self._lock = threading.RLock()
        self._inherited: list[Pool] = []
        os.register_at_fork(before=self._before_fork, after_in_child=self._after_fork)

    def find(self, url: str) -> _Database | None:
        """Return a database if it is open, and if its file is still the same."""
        with self._lock:
            found = self._open.get(url)
            if found is None or not found.inode or found.inode != _inode(url):
                return None
            self._open.move_to_end(url)
            return found

    def get(self, url: str) -> _Database:
        """Return a database; open it if necessary."""
        with self._lock:
            if found := self.find(url):
                return found
            if replaced := self._open.pop(url, None):
                replaced.engine.dispose()
            self._open[url] = opened = _Database(_new_engine(url), _inode(url))
            while len(self._open) > OPEN_DATABASES:
                # Connections that are in use are closed when they are given back.
                self._open.popitem(last=False)[1].engine.dispose()
            return opened

    def close(self, start: str, *, forget: bool = False) -> None:
        """Close the connections to databases whose URL begins with `start`."""
        with self._lock:
            for url in [url for url in self._open if url.startswith(start)]:
                self._open[url].engine.dispose()
                if forget:
                    del self._open[url]

    def _before_fork(self) -> None:
        """Dispose connections before a fork: SQLite's file locks are not inherited.

        A forked process would rely on the locks of its parent. When the parent ends, another
        process finds the file unlocked and removes the write-ahead log of the forked process.
        """
        for database in list(self._open.values()):
            database.engine.dispose()

    def _after_fork(self) -> None:
        """Keep connections that another thread of the parent used: closing them is not safe."""
        self._lock = threading.RLock()
        for database in self._open.values():
            self._inherited.append(database.engine.pool)
            database.engine.dispose(close=False)


_databases = _Databases()


@cache
def _path(url: str) -> str:
    return make_url(url).database or ""


def _inode(url: str) -> int:
    try:
        return os.stat(_path(url)).st_ino  # noqa: PTH116 - a Path takes longer, and this is often
    except FileNotFoundError:
        return 0


def _new_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _record: Any) -> None:
        # Safe with a write-ahead log: a killed process loses nothing, a power cut the last events.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def is_made(url: str) -> bool:
    """Return whether the database has a migration revision; if so, open it."""
    if _databases.find(url):
        return True
    if not _inode(url):
        return False
    with closing(sqlite3.connect(_path(url), timeout=SQLITE_BUSY_TIMEOUT_SECONDS)) as database:
        try:
            made = database.execute("SELECT 1 FROM alembic_version").fetchone() is not None
        except sqlite3.OperationalError:  # another process is about to make it
            return False
    if made:
        _databases.get(url)
    return made


class _OneDatabase:
    """A storage in one database, with connections that stay open."""

    _conn_string: str

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Give a connection in a transaction."""
        with _databases.get(self._conn_string).engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the connections."""
        _databases.close(self._conn_string)


class RunStorage(_OneDatabase, SqliteRunStorage):
    """Runs."""

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Any:
        """Return the storage below a folder; create it if necessary."""
        url = create_db_conn_string(base_dir, "runs")
        return cls(url, inst_data) if is_made(url) else super().from_local(base_dir, inst_data)


class ScheduleStorage(_OneDatabase, SqliteScheduleStorage):
    """Ticks of schedules and sensors."""

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Any:
        """Return the storage below a folder; create it if necessary."""
        url = create_db_conn_string(base_dir, "schedules")
        return cls(url, inst_data) if is_made(url) else super().from_local(base_dir, inst_data)


class _Batch(threading.local):
    """Transactions of the batch that this thread stores; None: there is no batch."""

    begun: dict[str, Connection] | None = None
    at_the_end: ExitStack


class EventLogStorage(SqliteEventLogStorage):
    """Events: one database for each run, and an index of all."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
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
        with self._together():
            super().store_event_batch(events)

    @contextmanager
    def _together(self) -> Iterator[None]:
        if self._batch.begun is not None:
            yield
            return
        with ExitStack() as at_the_end:
            self._batch.begun, self._batch.at_the_end = {}, at_the_end
            try:
                yield
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
        if not is_made(url):
            self._initialized_dbs.discard(shard)
            with super().run_connection(shard):
                pass
        with _databases.get(url).engine.begin() as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        """Return whether the index has a table."""
        look = super().has_table
        return self._has(f"table {table_name}", lambda: look(table_name))

    def has_secondary_index(self, name: str) -> bool:
        """Return whether all events are in a part of the index."""
        look = super().has_secondary_index
        return self._has(f"index {name}", lambda: look(name))

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        look = super()._has_asset_key_col_on_connection
        return self._has(f"column {column_name}", lambda: look(conn, column_name))

    def _has(self, name: str, look: Callable[[], bool]) -> bool:
        """Return the cached result of `look`; True is final."""
        has = _databases.get(self.conn_string_for_shard(INDEX_SHARD_NAME)).has
        if name not in has and look():
            has.add(name)
        return name in has

    def wipe(self) -> None:
        """Remove all events."""
        self._close(forget=True)
        super().wipe()

    def dispose(self) -> None:
        """Close the connections."""
        self._close()
        super().dispose()

    def _close(self, *, forget: bool = False) -> None:
        _databases.close(self.conn_string_for_shard("").removesuffix(".db"), forget=forget)


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
