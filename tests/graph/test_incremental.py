"""A batch that estimates new and changed rows only, through Dagster."""

import re
import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from tests.support.project import Project
from tests.support.toys import Houses, MeanEstimator

TRAIN = ["houses/raw/houses", "houses/cleaned", "houses/features", "houses/splits",
         "houses/hyperparameters", "houses/model", "houses/trainset_estimations"]  # fmt: skip
BATCH = [f"houses/batch/{name}" for name in ("raw/houses", "cleaned", "features", "estimations")]
COUNTS = ("new", "changed", "deleted", "kept", "verified")


class BySize(MeanEstimator):
    """Estimates a row by its size and the mean of the train."""

    def predict(self, data):
        return pd.DataFrame({"estimation": data["size"] + self.mean}, index=data.index)


class Rowwise(Houses):
    estimator_class = BySize
    batch_incremental = True


class Ranked(Rowwise):
    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred.rank()


def change(project, *statements):
    with closing(sqlite3.connect(project.home / "houses.db")) as db, db:
        for statement in statements:
            db.execute(statement)


def counts(project):
    told = project.metadata("houses/batch/estimations")
    return tuple(told[f"{name} rows"] for name in COUNTS)


def expected(project):
    """The estimations of a whole batch with the current model."""
    features = project.load("houses/batch/features").frame
    train_id = project.models.current("houses")
    return project.models.load("houses", train_id).estimate(features)


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path, [Rowwise])
    project.run(*TRAIN, *BATCH)
    return project


def test_changed_rows_are_estimated_with_the_current_model_and_a_new_train_estimates_all(project):
    assert counts(project) == (50, 0, 0, 0, 0)
    change(
        project,
        "update houses set size = size + 1 where id in (3, 4)",
        "delete from houses where id = 5",
        "insert into houses (id, size, town) values (-1, 77, 'west')",
    )
    project.run(*BATCH)
    assert counts(project) == (1, 2, 1, 47, 20)
    found = project.load("houses/batch/estimations").frame
    pd.testing.assert_frame_equal(found, expected(project))
    change(project, "update houses set price = price + 1 where price is not null",
           "update houses set price = 1 where price is null")  # fmt: skip
    project.run(*TRAIN, *BATCH)
    assert counts(project) == (50, 0, 0, 0, 0)
    found = project.load("houses/batch/estimations").frame
    pd.testing.assert_frame_equal(found, expected(project))


def test_what_is_kept_and_damaged_is_estimated_again(project):
    for file in (project.home / ".xingu/values/houses/batch/incremental").glob("2*/0_*"):
        file.write_bytes(b"damaged")
    assert project.run(*BATCH).success
    assert counts(project) == (50, 0, 0, 0, 0)


def test_hooks_that_look_at_other_rows_fail_with_the_advice(tmp_path):
    project = Project(tmp_path, [Ranked])
    project.run(*TRAIN, *BATCH)
    before = project.values.find(("houses", "batch", "estimations"))
    change(project, "delete from houses where id < 10")
    result = project.run(*BATCH, raise_on_error=False)
    (failed,) = result.get_step_failure_events()
    text = failed.step_failure_data.error.to_string()
    assert re.search(r"houses.batch_incremental: \d+ of 20 rows .+ the row \d+ had", text)
    assert "work row by row" in text
    assert project.values.find(("houses", "batch", "estimations")) == before
