"""A control DB that remembers trains which never happened."""

import pytest

from tests.support.control import control_db
from tests.support.recorded import Trains


@pytest.fixture
def trains(tmp_path):
    db = control_db(f"sqlite:///{tmp_path / 'control.db'}", tmp_path)
    yield Trains(db)
    db.engine.dispose()
