"""Retries and timeouts that a DataProvider declares, in runs."""

import time
from contextlib import suppress

import dagster as dg
import pytest

from tests.support.project import Project
from tests.support.toys import Houses, MeanEstimator
from xingu.errors import StepTimeoutError

TRAIN = ("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model")
DONE: list[str] = []


class Flaky(Houses):
    """Its cleaning fails at the first attempt."""

    dagster = {"prepare": {"retry": {"max_retries": 2}}}

    def clean_data_for_train(self, datasets):
        DONE.append("attempt")
        if len(DONE) == 1:
            raise ConnectionError("not yet")
        return super().clean_data_for_train(datasets)


class Refused(Houses):
    """Its only row is refused by a check."""

    dagster = {"*": {"retry": {"max_retries": 2}}}
    train_dataset_sources = {
        "houses": {"source": "db", "query": "select *, price as size2 from houses"}
    }
    checks = {"leakage": "error"}
    x_features = ("size", "size2")
    x_estimator_features = ("size", "size2")

    def feature_engineering_for_train(self, data):
        DONE.append("attempt")
        return super().feature_engineering_for_train(data)


class Slow(Houses):
    """Its cleaning takes long, and goes on after any error."""

    dagster = {"*": {"timeout": 0.5}}

    def clean_data_for_train(self, datasets):
        with suppress(Exception):
            time.sleep(30)
        return super().clean_data_for_train(datasets)


class Dense(MeanEstimator):
    def fit(self, datasets, features, target, model=None):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            pass
        return super().fit(datasets, features, target, model)


@pytest.fixture(autouse=True)
def _fresh():
    DONE.clear()


def run(home, cls):
    project = Project(home, [cls])
    return project, project.run(*(f"houses/{name}" for name in TRAIN), raise_on_error=False)


def events(result, kind, step):
    return [one for one in result.all_events
            if one.event_type == kind and one.step_key == f"houses__{step}"]  # fmt: skip


def test_a_hook_that_fails_once_is_tried_again(tmp_path):
    _project, result = run(tmp_path, Flaky)
    assert result.success
    assert len(events(result, dg.DagsterEventType.STEP_UP_FOR_RETRY, "prepare")) == 1
    assert DONE == ["attempt", "attempt"]


def test_what_a_check_refuses_is_not_tried_again(tmp_path):
    _project, result = run(tmp_path, Refused)
    assert not result.success
    assert DONE == ["attempt"]


def test_a_step_is_stopped_after_its_timeout(tmp_path):
    started = time.monotonic()
    project, result = run(tmp_path, Slow)
    assert time.monotonic() - started < 15
    failure = events(result, dg.DagsterEventType.STEP_FAILURE, "prepare")[0]
    assert "longer than its timeout of 0.5 s" in failure.step_failure_data.error_display_string
    assert not events(result, dg.DagsterEventType.STEP_START, "fit")
    with pytest.raises(StepTimeoutError, match="houses__prepare") as caught:
        project.run("houses/raw/houses", "houses/cleaned")
    assert caught.value.facts == {"step": "houses__prepare", "seconds": 0.5}


def test_a_timeout_limits_each_step_by_itself(tmp_path):
    declared = {"estimator_class": Dense, "dagster": {"fit": {"timeout": 0.3}}}
    slow = type("SlowFit", (Houses,), declared)
    _project, result = run(tmp_path, slow)
    assert events(result, dg.DagsterEventType.STEP_SUCCESS, "prepare")
    assert events(result, dg.DagsterEventType.STEP_FAILURE, "fit")
