"""Sinks of a batch as assets."""

import pandas as pd
import pytest

from tests.support.project import Project, coach_of
from tests.support.toys import Houses
from xingu.errors import DeclarationError


class Shared(Houses):
    batch_predict_sinks = {
        "sheet": {"url": "out/prices.csv"},
        "prices": {"database": "db", "table": "prices"},
    }


class Broken(Shared):
    batch_predict_sinks = {"prices": {"database": "nosuch", "table": "prices"}}


class NoBatch(Shared):
    batch_predict_dataset_sources = {}


def read_table(project: Project) -> pd.DataFrame:
    return pd.read_sql("select * from prices", f"sqlite:///{project.home / 'houses.db'}")


def test_sinks_hold_the_estimations_of_the_batch_and_its_train(tmp_path):
    project = Project(tmp_path, [Shared])
    assert project.run("houses/*").success
    estimations = project.load("houses/batch/estimations").frame.reset_index()
    train_id = project.metadata("houses/model")["train_id"]
    expected = estimations.assign(train_id=train_id)
    for found in (pd.read_csv(tmp_path / "out/prices.csv"), read_table(project)):
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    shown = project.metadata("houses/batch/sinks/prices")
    assert (shown["dagster/row_count"], shown["train_id"]) == (len(expected), train_id)
    assert shown["address"].startswith("prices on sqlite:///")


def test_a_sink_can_be_written_again_alone(tmp_path):
    project = Project(tmp_path, [Shared])
    project.run("houses/*")
    (tmp_path / "out/prices.csv").unlink()
    assert project.run("houses/batch/sinks/sheet").success
    assert len(pd.read_csv(tmp_path / "out/prices.csv")) == 50


def test_a_sink_that_fails_loses_nothing_of_the_batch(tmp_path):
    project = Project(tmp_path, [Broken])
    result = project.run("houses/*", raise_on_error=False)
    assert [event.step_key for event in result.get_step_failure_events()] == ["houses__batch_sinks"]
    assert project.load("houses/batch/metrics")


def test_a_coach_writes_sinks_for_a_batch_of_the_current_model_only(tmp_path):
    coach = coach_of(tmp_path, [Shared])
    model = coach.team_train()["houses"]
    sheet = tmp_path / "out/prices.csv"
    sheet.unlink()
    coach.single_batch_predict(model)
    assert not sheet.exists()
    coach.team_batch_predict()
    assert sheet.exists()


def test_a_coach_estimates_samples_without_writing_sinks(tmp_path):
    coach = coach_of(tmp_path, [Shared], sample_rows=100)
    coach.team_train()
    assert not (tmp_path / "out/prices.csv").exists()


def test_sinks_without_a_batch_are_an_error_when_the_graph_is_built(tmp_path):
    with pytest.raises(DeclarationError, match="houses.batch_predict_sinks: there is no batch"):
        _ = Project(tmp_path, [NoBatch]).definitions
