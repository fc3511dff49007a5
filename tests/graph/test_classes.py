"""Classifiers through the whole graph: UI, control DB, gates and reports are of one class."""

import json

import pytest

from tests.support.checks import figures, results
from tests.support.classifiers import Three, Yes
from tests.support.control import control, rows
from tests.support.project import Project
from xingu.reports.json_document import report_records
from xingu.reports.report import report_trains
from xingu.tracking.query import TrainFilter

SAVE = {"save_estimations": True}


class Gated(Yes):
    quality_gates = {"test": {"Recall": ("not worse by", 1.0)}}


class GatedNo(Gated):
    proba_class_index = 0


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("classes"), [Yes, Three], SAVE)
    made.run("yes/*", "three/*")
    return made


def test_the_assets_name_the_class(project):
    for asset in ("yes/model", "yes/trainset_metrics"):
        assert project.metadata(asset)["positive_class"] == "yes"
    assert project.metadata("yes/model")["classes"] == "no, yes"
    shown = project.metadata("three/trainset_metrics")
    assert "positive_class" not in shown
    assert "| F1 (class 'fair') |" in shown["metrics"]
    assert "test Macro F1" in shown


def test_the_control_db_names_the_class(project):
    found = rows(
        project,
        "SELECT dataprovider_id, attribute, value FROM training_attributes "
        "WHERE attribute IN ('classes', 'positive_class') ORDER BY 1, 2",
    )
    assert found == [
        ("three", "classes", '["cheap", "fair", "posh"]'),
        ("yes", "classes", '["no", "yes"]'),
        ("yes", "positive_class", "yes"),
    ]
    named = rows(
        project,
        'SELECT dataprovider_id, "set", value_text FROM metrics_model '
        "WHERE name = 'positive_class'",
    )
    assert sorted(named) == [("yes", name, "yes") for name in ("test", "train", "val")]


def test_estimations_in_the_control_db_are_of_the_class_or_positions_of_labels(project):
    stored = dict(
        rows(project, "SELECT \"index\", estimation FROM estimations WHERE dataprovider_id = 'yes'")
    )
    made = project.load("yes/batch/estimations").frame
    assert stored == {str(at): one for at, one in made["estimation_class_1"].items()}
    stored = dict(
        rows(
            project, "SELECT \"index\", estimation FROM estimations WHERE dataprovider_id = 'three'"
        )
    )
    labels = project.load("three/batch/estimations").frame["estimation"]
    classes = ["cheap", "fair", "posh"]
    assert stored == {str(at): float(classes.index(one)) for at, one in labels.items()}


def test_reports_name_the_class(project):
    found = report_trains(control(project), TrainFilter())
    assert "positive class" in str(found)
    [record] = [one for one in report_records(found) if one["dataprovider_id"] == "yes"]
    assert record["trains"][0]["attributes"]["positive_class"] == "yes"
    assert record["trains"][0]["metrics"]["test"]["positive_class"]["value"] == "yes"


def test_a_gate_compares_the_same_class_of_both_trains(tmp_path):
    project = Project(tmp_path, [GatedNo])
    project.run("yes/*")
    of_no = figures_of(project.run("yes/*"))
    of_yes = figures_of(Project(tmp_path, [Gated]).run("yes/*"))
    # The same trees on the same rows: only the class is another one.
    assert of_no["test Recall before"] == pytest.approx(of_no["test Recall"])
    assert of_yes["test Recall before"] == pytest.approx(of_yes["test Recall"])
    assert of_yes["test Recall"] != pytest.approx(of_no["test Recall"])


def figures_of(run):
    return figures(results(run)["trainset_metrics not_worse_than_current"])


def test_the_noise_of_built_in_metrics_is_recorded_with_the_train(project):
    [(text,)] = rows(
        project,
        "SELECT value FROM training_attributes WHERE attribute = 'metric_noise_test' "
        "AND dataprovider_id = 'yes'",
    )
    noise = json.loads(text)
    assert 0.01 < noise["ROC AUC"] < 0.3
    assert {"F1", "Log Loss", "Accuracy"} <= {*noise}
