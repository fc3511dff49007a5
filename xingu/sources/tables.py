"""Write the query of a table, with names as its database quotes them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xingu.sources.databases import Databases

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import IdentifierPreparer

_LINE = 75


def table_query(
    databases: Databases, nickname: str, table: str, columns: Sequence[str] = ()
) -> str:
    """Return a query of columns of a table.

    Args:
        databases: Databases by nickname.
        nickname: The database.
        table: Name of the table, with its schema if it has one: ``schema.table``.
        columns: Names of the columns; none: all.

    Raises:
        UnknownDatabaseError: If the nickname is unknown.
    """
    quote = _preparer(databases, nickname).quote
    place = ".".join(map(quote, table.split(".")))
    if not columns:
        return f"SELECT * FROM {place}"
    lines = [""]
    for name in map(quote, columns):
        if lines[-1] and len(lines[-1]) + len(name) > _LINE:
            lines.append("")
        lines[-1] += f"{name}, "
    listed = "\n       ".join(line.rstrip() for line in lines).rstrip(",")
    return f"SELECT {listed}\nFROM {place}"


def _preparer(databases: Databases, nickname: str) -> "IdentifierPreparer":
    from sqlalchemy.engine.default import DefaultDialect
    from sqlalchemy.exc import NoSuchModuleError

    try:
        return databases.url(nickname).get_dialect()().identifier_preparer
    except (ImportError, NoSuchModuleError):  # DuckDB is read without SQLAlchemy
        return DefaultDialect().identifier_preparer
