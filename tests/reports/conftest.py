"""A control DB that remembers trains which never happened."""

import pytest

from tests.reports.past import Trains
from tests.tracking.conftest import control_db


@pytest.fixture
def trains(tmp_path):
    db = control_db(f"sqlite:///{tmp_path / 'control.db'}", tmp_path)
    yield Trains(db)
    db.engine.dispose()
