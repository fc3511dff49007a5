"""Ask a database whether it can be reached and whether it accepts queries, without executing them.

Queries are planned with ``EXPLAIN``. In PostgreSQL the transaction is read-only and is rolled back.
What an earlier query of a group creates, such as a temporary table, does not exist then, so an
error of a later one counts only if it is one of syntax.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from xingu.errors import QueryError
from xingu.sources.databases import Connection, Databases
from xingu.sources.statements import split_statements

EXPLAIN = {"postgresql": "EXPLAIN", "sqlite": "EXPLAIN QUERY PLAN", "duckdb": "EXPLAIN"}
"""The statement that plans another one, by the name of the database."""
_SYNTAX = re.compile(
    r"syntax error|parser error|incomplete input|unrecognized token", re.IGNORECASE
)
_LONGEST = 300
"""Longest reason of a database that is shown, in characters."""


class Probe:
    """An open connection that plans queries.

    Attributes:
        plans: Whether the database has an ``EXPLAIN`` that this module knows.
    """

    def __init__(self, connection: Connection, backend: str) -> None:
        self._connection = connection
        self._explain = EXPLAIN.get(backend, "")
        self._has_transaction = backend == "postgresql"
        self.plans = bool(self._explain)

    def problems(
        self, queries: Sequence[str], parameters: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[int, str]]:
        """Yield the position of each query that the database refuses, and its reason.

        Args:
            queries: Queries that run one after the other on one connection.
            parameters: Values of the parameters that they name.
        """
        changed = False
        for number, query in enumerate(queries):
            for statement in split_statements(query):
                explained = statement.can_be_explained
                reason = self._refusal(statement.text, parameters or {}) if explained else None
                if reason and not (changed and not _SYNTAX.search(reason)):
                    yield number, _shortened(reason)
                    break
                changed = changed or not statement.is_read

    def _refusal(self, statement: str, parameters: Mapping[str, Any]) -> str | None:
        try:
            if self._has_transaction:
                self._connection.query("SET TRANSACTION READ ONLY")
            self._connection.query(f"{self._explain} {statement}", parameters)
        except QueryError as error:
            return str(error.facts["reason"])
        finally:
            if self._has_transaction:
                with suppress(QueryError):  # the connection is lost
                    self._connection.query("ROLLBACK")
        return None


@contextmanager
def open_probe(databases: Databases, nickname: str) -> Iterator[Probe]:
    """Connect to a database and run a cheap query.

    Raises:
        SettingsError: If the nickname is unknown, or its URL malformed.
        SourceError: If the database cannot be reached, or refuses the query.
    """
    backend = databases.url(nickname).get_backend_name()
    with databases.without_adbc().connect(nickname) as connection:
        connection.query("SELECT 1")
        yield Probe(connection, backend)


def _shortened(reason: str) -> str:
    lines = [line for line in reason.splitlines() if line.strip(" ^\t")]
    text = " ".join(" ".join(lines).split())
    text = re.sub(r"LINE \d+: (EXPLAIN (QUERY PLAN )?)?", "at: ", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
