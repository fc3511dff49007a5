"""Parse ``--from``, and read a bounded sample of its data."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from xingu.errors import DeclarationError, QueryError, SettingsError, did_you_mean
from xingu.masking import secrets_of
from xingu.model.reference import sample
from xingu.names import key_part
from xingu.sources import (
    Databases,
    SourceCache,
    SourceSpec,
    SqlSource,
    UrlSource,
    parse_sources,
    read_sources,
    table_query,
)

SAMPLE_ROWS = 100_000
_QUERY = re.compile(r"(?is)\s*(select|with)\s")
_ROW_BY_ROW = ("csv", "txt")
"""Formats of which the first rows can be read alone."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the data of a proposal comes from.

    Attributes:
        name: Name of the source.
        entry: Its declaration: ``source`` and ``query``, or ``url``.
        description: What it is, for people.
        table: Table of the database, with its schema; None for queries and files.
    """

    name: str
    entry: Mapping[str, str]
    description: str
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of an origin.

    Attributes:
        frame: The rows that were looked at.
        rows: Number of rows of the origin; None: more than were looked at.
        how: Which rows these are, for people.
    """

    frame: pd.DataFrame = field(repr=False)
    rows: int | None
    how: str

    @property
    def complete(self) -> bool:
        """Whether these are all rows."""
        return self.rows == len(self.frame)


def parse_origin(
    text: str, databases: Databases, known: Mapping[str, object], source: str | None = None
) -> Origin:
    """Return what a text names: a query, a table of a database, or a file.

    Args:
        text: ``SELECT …``, ``NICK.table``, ``NICK.schema.table``, or a path or URL.
        databases: Databases by nickname; relative paths start at their home.
        known: Nicknames of the databases, without the control DB.
        source: Nickname of the database of a query; None: the only one there is.

    Raises:
        SettingsError: If a query names no database and not exactly one is possible.
        UnknownDatabaseError: If there is no database `source`.
        DeclarationError: If it is none of the three, or an address that contains a secret.
    """
    if _QUERY.match(text):
        nickname = _database_of_query(known, source)
        databases.url(nickname)  # or an error that names those there are
        return Origin("rows", {"source": nickname, "query": text.strip()}, f"a query on {nickname}")
    nickname, _, table = text.partition(".")
    if table and nickname in {*known, "xingu"} and not (databases.home / text).exists():
        entry = {"source": nickname, "query": table_query(databases, nickname, table)}
        return Origin(key_part(table.rpartition(".")[2]), entry, f"{nickname}.{table}", table)
    if secrets_of(text):
        raise DeclarationError(
            "the address contains a password or a key, which a file of code must not hold; give "
            "access by other means (environment, a profile), or download the file."
        )
    stem = re.split(r"[?#]", text.rstrip("/").rpartition("/")[2])[0].partition(".")[0]
    origin = Origin(key_part(stem).strip("_") or "rows", {"url": text}, text)
    try:
        parse_sources("xingu new", "--from", {origin.name: origin.entry})
    except DeclarationError as error:
        nicknames = ", ".join(sorted(known)) or "none, DATABASES sets them"
        raise DeclarationError(
            f"--from {text!r} is no query, no table of a database (databases: {nicknames}; write "
            f"NICK.table) and no file of a known format.{did_you_mean(nickname, known)}"
        ) from error
    return origin


def _database_of_query(known: Mapping[str, object], source: str | None) -> str:
    if source is not None:
        return source
    if len(known) == 1:
        return next(iter(known))
    nicknames = ", ".join(sorted(known))
    raise SettingsError(
        f"a query needs to know its database: name it with --source ({nicknames})."
        if known
        else "a query needs a database: set DATABASES=nick|url in .env, or give a file."
    )


def with_columns(origin: Origin, databases: Databases, names: Sequence[str]) -> Origin:
    """Return the origin with a query of these columns alone, if it is a table."""
    if origin.table is None:
        return origin
    query = table_query(databases, origin.entry["source"], origin.table, names)
    return dataclasses.replace(origin, entry={**origin.entry, "query": query})


def relative_to_home(path: str, cwd: Path, home: Path) -> str:
    """Return a path below `cwd` as one that starts at the project's home; other texts as given."""
    if "://" in path or not (cwd / path).exists():
        return path
    found = (cwd / path).resolve()
    return str(found.relative_to(home)) if found.is_relative_to(home) else str(found)


def look(origin: Origin, databases: Databases, rows: int = SAMPLE_ROWS) -> Sample:
    """Read at most `rows` rows of an origin, as a train reads them.

    The database limits a query, if it can; a file that has to be read as a whole is sampled at
    random.

    Raises:
        SourceError: If it cannot be read.
    """
    [spec] = parse_sources("xingu new", "--from", {origin.name: origin.entry})
    limited = spec
    if isinstance(spec, SqlSource):
        inner = spec.query.rstrip("; \n\t")
        query = f"SELECT * FROM (\n{inner}\n) AS looked_at LIMIT {rows + 1}"
        limited = dataclasses.replace(spec, query=query)
    elif isinstance(spec, UrlSource) and spec.format in _ROW_BY_ROW:
        limited = dataclasses.replace(spec, params={**spec.params, "nrows": rows + 1})

    def read(one: SourceSpec) -> pd.DataFrame:
        [result] = read_sources("xingu new", [one], databases, SourceCache(None))
        return result.frame

    try:
        frame = read(limited)
    except QueryError:
        # Not every database takes a query as a table; of a wrong query, its own error is clearer.
        limited, frame = spec, read(spec)
    if len(frame) <= rows:
        return Sample(frame, len(frame), f"all {len(frame):,} rows")
    if limited is spec:
        return Sample(
            sample(frame, rows), len(frame), f"{rows:,} of {len(frame):,} rows, at random"
        )
    return Sample(frame.iloc[:rows], None, f"the first {rows:,} rows")
