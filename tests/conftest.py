"""Fixtures that every test may use."""

import os

import pytest
from hypothesis import settings

# Tests run side by side: a train that takes all cores would wait for the others' threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"

pytest.register_assert_rewrite("tests.support")
pytest_plugins = ["tests.support.services", "tests.support.control"]

# A busy machine shall not decide whether a rule holds.
settings.register_profile("xingu", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("xingu")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat input and output at once."""
    monkeypatch.setattr("xingu.sources.retrying.FIRST_WAIT", 0.01)


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the secrets of other tests, which would be masked in the texts of this one."""
    monkeypatch.setattr("xingu.masking._secrets", set())
    monkeypatch.setattr("xingu.masking._pattern", None)
