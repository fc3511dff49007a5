"""Fixtures of the tests of the engine."""

import pytest

from tests.support.laboratory import Laboratory


@pytest.fixture
def laboratory(tmp_path):
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return Laboratory(tmp_path)
