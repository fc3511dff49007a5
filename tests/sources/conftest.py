from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.web import Site, serve
from xingu.sources import Databases


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as site:
        yield site


@pytest.fixture
def no_databases(tmp_path: Path) -> Databases:
    return Databases({}, tmp_path)
