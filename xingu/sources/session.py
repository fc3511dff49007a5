"""Connections of one thread to the databases of sources, which another thread can cancel."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from types import TracebackType
from typing import Any

import pandas as pd

from xingu.errors import SourceError, XinguError
from xingu.sources.databases import Connection, Databases

_CANCEL_SECONDS = 600
"""How long a query is cancelled again; one that has not ended then never will."""


class Session:
    """One connection per database, opened on first use and closed with the session."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._stack = ExitStack()
        self._connections: dict[str, Connection] = {}
        self._stopped = Event()

    def query(
        self, nickname: str, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """Run `sql` as given on the connection of a database.

        Args:
            nickname: The database.
            sql: The query.
            parameters: Values of the parameters that it names.

        Raises:
            SourceError: If the session was stopped, or as `Databases.connect`.
            QueryError: If the database rejects it.
        """
        if self._stopped.is_set():
            raise SourceError("another source has failed")
        if nickname not in self._connections:
            connection = self._stack.enter_context(self._databases.connect(nickname))
            self._connections[nickname] = connection
            if self._stopped.is_set():
                raise SourceError("another source has failed")
        return self._connections[nickname].query(sql, parameters or {})

    def stop(self) -> None:
        """Cancel the running query in the background; a driver without support finishes it."""
        self._stopped.set()
        Thread(target=self._cancel, name="xingu-cancel", daemon=True).start()

    def _cancel(self) -> None:
        # Repeated, because a query that has not started yet cannot be cancelled.
        end = time.monotonic() + _CANCEL_SECONDS
        while self._connections and time.monotonic() < end:
            for connection in list(self._connections.values()):
                connection.cancel()
            time.sleep(0.2)

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connections.clear()
        self._stack.__exit__(kind, error, traceback)


@contextmanager
def named_source(provider_id: str, name: str) -> Iterator[None]:
    """Name the DataProvider and the source in errors of the block."""
    try:
        yield
    except XinguError as error:
        facts = {**error.facts, "dataprovider_id": provider_id, "source": name}
        raise type(error)(f"{provider_id}: source {name!r}: {error}", **facts) from None
