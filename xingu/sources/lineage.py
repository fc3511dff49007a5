"""Find the tables and columns that SQL reads, without a database.

Queries are parsed with sqlglot, which is imported on first use, and results are cached by text. The
queries of one connection belong together: a table that one of them makes, for example a temporary
one, stands for the tables that it was made from. What cannot be parsed has no lineage.

Columns are traced without the schema of the database, so it is only possible that a query reads a
column that it takes by ``*``, or of which the table is not clear.
"""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from threading import Lock

from xingu.sources.spec import SourceSpec, SqlSource
from xingu.sources.sql_names import Lineage

logger = logging.getLogger(__name__)

DIALECTS = {
    "postgresql": "postgres",
    "mariadb": "mysql",
    "mssql": "tsql",
    "awsathena": "athena",
    "teradatasql": "teradata",
    "sparksql": "spark",
    "clickhousedb": "clickhouse",
    "exa": "exasol",
    "cockroachdb": "postgres",
}
"""Names of dialects in sqlglot, by the first part of a URL where the two differ."""


def dialect_of(backend: str) -> str:
    """Return the dialect of a database, by the first part of its URL; empty: SQL of no dialect."""
    from sqlglot import Dialect

    name = DIALECTS.get(backend, backend)
    return name if name in Dialect.classes else ""


@lru_cache(maxsize=4096)
def trace(
    queries: tuple[str, ...], backend: str = "", *, with_columns: bool = True
) -> tuple[Lineage, ...]:
    """Return the lineage of each of the queries that run one after the other on a connection.

    Args:
        queries: SQL, each of one or several statements.
        backend: First part of the URL of the database, for example ``postgresql``.
        with_columns: Whether columns are traced too, which takes most of the time.
    """
    from xingu.sources.sql_script import Script

    found = []
    with _LOCK:
        script = Script(dialect_of(backend), with_columns=with_columns)
        for query in queries:
            try:
                found.append(script.run(query))
            except Exception as error:  # noqa: BLE001 - of many types, among them RecursionError
                logger.debug("No lineage of a query: %s: %s", type(error).__name__, error)
                found.append(Lineage(parsed=False))
    return tuple(found)


def trace_source(
    spec: SqlSource,
    specs: Sequence[SourceSpec],
    backend: Callable[[str], str],
    *,
    with_columns: bool = True,
) -> Lineage:
    """Return the lineage of a source, in which tables that its group makes are replaced.

    Args:
        spec: The source.
        specs: All sources of the declaration.
        backend: Returns the first part of the URL of a database.
        with_columns: Whether columns are traced too.
    """
    group = [
        one
        for one in specs
        if isinstance(one, SqlSource)
        and one.group is not None
        and (one.group, one.database) == (spec.group, spec.database)
    ]
    queries = group[: group.index(spec) + 1] if spec in group else [spec]
    texts = tuple(one.query for one in queries)
    return trace(texts, backend(spec.database), with_columns=with_columns)[-1]


_LOCK = Lock()
"""Held while sqlglot parses, because its logger is silenced meanwhile."""
