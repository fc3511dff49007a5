import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from upath import UPath

from tests.support.files import Desk
from tests.support.web import Site, serve
from xingu.sources import Databases


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as site:
        yield site


@pytest.fixture
def no_databases(tmp_path: Path) -> Databases:
    return Databases({}, tmp_path)


@pytest.fixture
def desk(tmp_path, site) -> Desk:
    return Desk(tmp_path, UPath(tmp_path / "cache"), site)


@pytest.fixture
def database(desk, tmp_path) -> Desk:
    for name in ("one", "two"):
        with sqlite3.connect(tmp_path / f"{name}.db") as connection:
            connection.execute("CREATE TABLE t AS SELECT 1 AS a, ? AS b", (name,))
        connection.close()
        desk.urls[name] = f"sqlite:///{name}.db"
    return desk
