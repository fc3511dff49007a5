"""Backfills of batches with partitions, as Dagster's daemon makes them."""

import pytest

from tests.support.backfills import backfill
from tests.support.project import Project
from tests.support.toys import Houses, MeanEstimator

DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"]


TRAIN = ["houses/raw/houses", "houses/cleaned", "houses/features", "houses/splits",
         "houses/hyperparameters", "houses/model", "houses/trainset_estimations"]  # fmt: skip


class Days(Houses):
    """Three houses each day."""

    estimator_class = MeanEstimator
    estimator_params = {}
    batch_predict_dataset_sources = {
        "houses": {
            "source": "db",
            "query": "select id, size, town from houses where id / 3 = "
            "cast(julianday(:partition_start) - julianday('2026-01-01') as integer)",
        }
    }
    batch_partitions = {"daily": DAYS[0]}


class DaysInOneRun(Days):
    batch_partitions = {"daily": DAYS[0], "backfill": "one_run"}


@pytest.mark.parametrize(
    ("cls", "runs"), [(Days, DAYS), (DaysInOneRun, [f"{DAYS[0]}..{DAYS[-1]}"])]
)
def test_a_backfill_makes_each_partition_in_runs_as_declared(cls, runs, tmp_path):
    project = Project(tmp_path, [cls])
    project.run(*TRAIN)
    assert backfill(project, DAYS) == runs
    key = ("houses", "batch", "estimations", "partitions")
    for number, day in enumerate(DAYS):
        stored = project.values.read((*key, day.replace("-", "_")))
        assert list(stored.value.frame.index) == [3 * number, 3 * number + 1, 3 * number + 2]
        assert stored.record.facts.partition == day
