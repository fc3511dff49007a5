"""Look for a secret in everything that a project has told and written."""

import re
import sqlite3
import traceback
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq

from tests.support.project import Project, everything_told


def unpacked(home: Path) -> Iterator[str]:
    """What is in files whose bytes do not show it: compressed, or cut into pages."""
    for path in home.rglob("*.parquet"):
        table = pq.read_table(path)
        yield f"{path} {table.schema.metadata} {table.to_pylist()}"
    for path in home.rglob("*.db"):
        with closing(sqlite3.connect(path)) as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                for row in db.execute(f'SELECT * FROM "{table}"'):
                    yield f"{path} {table} {[_inflated(value) for value in row]}"


def _inflated(value: object) -> object:
    # Dagster keeps snapshots of jobs and plans so.
    is_packed = isinstance(value, bytes) and value[:1] == b"\x78"
    return zlib.decompress(value) if is_packed else value


def told(project: Project, caught: list[BaseException], caplog, capfd) -> list[str]:
    """Return everything that anybody can read of the runs of `project`."""
    return [
        everything_told(project, caught, caplog),
        caplog.text,
        *capfd.readouterr(),
        *("".join(traceback.format_exception(error)) for error in caught),
        *unpacked(project.home),
    ]


def found(needle: str, texts: list[str]) -> list[str]:
    """Return every place where `needle` is, with what is around it."""
    return [
        text[max(0, match.start() - 80) : match.end() + 20]
        for text in texts
        for match in re.finditer(re.escape(needle), text)
    ]


def chain(error: BaseException) -> list[BaseException]:
    """Return an error and all that led to it; Dagster makes circles of them."""
    known: list[BaseException] = []
    more: list[BaseException | None] = [error]
    while more:
        last = more.pop()
        if last is not None and last not in known:
            known.append(last)
            more += [last.__cause__, last.__context__]
    return known
