"""Phases in one worker hand over what later ones read, and make the same of it."""

import pandas as pd
import pytest

from tests.support.project import Project
from tests.support.toys import Houses
from xingu.values import ValueStore
from xingu_dagster.engine import memory


@pytest.fixture
def reads(monkeypatch):
    """Keys of the values that are read from storage."""
    keys, read = [], ValueStore.read
    monkeypatch.setattr(
        ValueStore, "read", lambda self, key, *rest: keys.append(key) or read(self, key, *rest)
    )
    return keys


def test_splits_and_raw_batch_rows_are_not_read_again_in_a_worker(tmp_path, reads):
    with memory.enabled():
        Project(tmp_path, [Houses]).run("houses/*")
    assert ("houses", "splits") not in reads
    assert ("houses", "batch", "raw", "houses") not in reads


def test_outside_a_worker_they_are_read(tmp_path, reads):
    Project(tmp_path, [Houses]).run("houses/*")
    assert ("houses", "splits") in reads
    assert ("houses", "batch", "raw", "houses") in reads


def test_results_do_not_depend_on_the_memory(tmp_path):
    projects = []
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
        projects.append(Project(tmp_path / name, [Houses]))
    with memory.enabled():
        projects[0].run("houses/*")
    projects[1].run("houses/*")
    metrics = [project.load("houses/trainset_metrics").value_number for project in projects]
    pd.testing.assert_series_equal(*metrics)
    batches = [project.load("houses/batch/estimations").frame for project in projects]
    pd.testing.assert_frame_equal(*batches)
