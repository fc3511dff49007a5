"""Control databases of both kinds."""

import pytest

from xingu.sources import Databases
from xingu.tracking.database import ControlDB


def control_db(url: str, home, prefix: str = "") -> ControlDB:
    return ControlDB(Databases({"xingu": url}, home), prefix)


@pytest.fixture
def url(control_url):
    """URL of an empty database of each kind."""
    return control_url


@pytest.fixture
def db(url, tmp_path):
    db = control_db(url, tmp_path)
    yield db
    db.engine.dispose()
