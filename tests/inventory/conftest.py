"""Control databases of both kinds."""

import pytest

from xingu.inventory.database import ControlDB
from xingu.sources import Databases


def control_db(url: str, home, prefix: str = "") -> ControlDB:
    return ControlDB(Databases({"xingu": url}, home), prefix)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'control.db'}"
    return request.getfixturevalue("postgres_schema")


@pytest.fixture
def db(url, tmp_path):
    db = control_db(url, tmp_path)
    yield db
    db.engine.dispose()
