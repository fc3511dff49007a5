"""Gates that compare a train with the one before it, and what the control DB knows of checks."""

import dagster as dg
import pytest

from tests.support.checks import figures, results
from tests.support.control import rows
from tests.support.project import Project
from tests.support.toys import Houses


class Gated(Houses):
    quality_gates = {"test": {"R2": [(">=", 0.5), ("not worse by", 0.01)]}}


class Worse(Gated):
    estimator_params = {**Houses.estimator_params, "n_estimators": 3}


class NoTowns(Gated):
    x_features = x_estimator_features = ("size",)

    def feature_engineering_for_train(self, data):
        return data.drop(columns="town", errors="ignore")

    feature_engineering_for_batch_predict = feature_engineering_for_train


@pytest.fixture
def make(tmp_path):
    return lambda cls: Project(tmp_path, [cls])


def test_the_first_train_is_worse_than_none(make):
    evaluation = results(make(Gated).run("houses/*"))["trainset_metrics not_worse_than_current"]
    assert evaluation.passed
    assert "no train before" in figures(evaluation)["not applicable"]


def test_a_train_is_compared_with_the_one_before_on_the_same_rows(make, tmp_path):
    project = make(Gated)
    project.run("houses/*")
    first = project.models.current("houses")
    again = results(project.run("houses/*"))["trainset_metrics not_worse_than_current"]
    assert again.passed
    assert figures(again)["before"] == first
    run = Project(tmp_path, [Worse]).run("houses/*", raise_on_error=False)
    worse = results(run)["trainset_metrics not_worse_than_current"]
    assert not run.success
    shown = figures(worse)
    assert shown["test R2"] < shown["test R2 before"] == pytest.approx(figures(again)["test R2"])


def test_a_train_that_was_refused_is_not_the_measure_of_the_next(make, tmp_path):
    project = make(Gated)
    project.run("houses/*")
    good = project.models.current("houses")
    worse = Project(tmp_path, [Worse])
    for _ in range(2):
        run = worse.run("houses/*", raise_on_error=False)
        assert not run.success
        shown = results(run)["trainset_metrics not_worse_than_current"]
        assert figures(shown)["before"] == good


def test_what_checks_find_is_in_the_control_db_once(make):
    project = make(Gated)
    project.run("houses/*")
    project.run("houses/trainset_estimations", "houses/trainset_metrics")
    found = rows(project, "SELECT asset, name, passed, severity FROM checks ORDER BY asset, name")
    assert found == [
        ("trainset_estimations", "batch_parity", 1, "error"),
        ("trainset_estimations", "complete_estimations", 1, "error"),
        ("trainset_metrics", "not_worse_than_current", 1, "error"),
        ("trainset_metrics", "quality_gates", 1, "error"),
    ]


def test_a_check_that_is_switched_off_is_forgotten(make, tmp_path):
    make(Gated).run("houses/*")

    class Ungated(Gated):
        checks = {"quality_gates": "off"}

    project = Project(tmp_path, [Ungated])
    project.run("houses/trainset_metrics")
    assert ("quality_gates",) not in rows(project, "SELECT name FROM checks")


def test_a_train_before_that_cannot_estimate_the_rows_is_a_warning(make, tmp_path):
    make(Gated).run("houses/*")
    run = Project(tmp_path, [NoTowns]).run("houses/*", raise_on_error=False)
    evaluation = results(run)["trainset_metrics not_worse_than_current"]
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "town" in evaluation.description
