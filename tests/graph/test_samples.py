"""Trains of samples (SAMPLE_ROWS), and their comparison on identical rows."""

import pytest

from tests.support.project import Project
from tests.support.toys import Houses, MeanEstimator
from xingu.errors import UntrainedModelError
from xingu.registry.lifecycle import pin, status
from xingu.reports.markdown import as_markdown
from xingu.reports.same_rows import compare_on_same_rows, newest_trains


class Means(Houses):
    """A quick estimator."""

    estimator_class = MeanEstimator
    estimator_params = {}
    checks = {"batch_parity": None}
    batch_predict_sinks = {"prices": {"url": "prices.csv"}}


TRAIN = [f"houses/{name}" for name in ("raw/houses", "cleaned", "features", "splits",
         "hyperparameters", "model", "trainset_estimations", "trainset_metrics")]  # fmt: skip
BATCH = ["houses/batch/raw/houses", *(f"houses/batch/{one}" for one in
         ("cleaned", "features", "estimations"))]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """One full train, then one of 100 rows."""
    made = Project(tmp_path_factory.mktemp("home"), [Means], {"verify_packages": False})
    assert made.run(*TRAIN).success
    tags = {"xingu/sample_rows": "100"}
    assert made.run(*TRAIN, *BATCH, tags=tags).success
    return made


@pytest.fixture(scope="module")
def sampled(project):
    (found,) = newest_trains(project.models, project.values)
    return found


def test_every_source_is_sampled(project):
    assert project.metadata("houses/raw/houses")["sampled from rows"] == 400
    assert len(project.load("houses/batch/raw/houses")) == 50


def test_a_train_of_samples_is_recorded_and_never_becomes_current(project, sampled):
    assert sum(sampled.set_rows.values()) == 100
    assert sampled.provenance["sample_rows"] == 100
    assert project.models.current("houses") != sampled.train_id
    assert status(project.models, sampled) == "sample"
    assert project.metadata("houses/model")["becomes current"].startswith("never")


def test_a_train_of_samples_cannot_be_pinned(project, sampled):
    with pytest.raises(UntrainedModelError, match="samples of its sources"):
        pin(project.models, sampled)


def test_estimations_of_samples_are_not_written_to_sinks(project):
    result = project.run("houses/batch/sinks/prices", raise_on_error=False)
    assert not result.success
    assert not (project.home / "prices.csv").exists()


def test_a_model_of_sampled_values_is_one_of_samples_without_the_option(project):
    project.run("houses/model")
    assert project.models.manifest("houses", project.load("houses/model").train_id).sampled


def test_both_trains_are_measured_on_the_rows_of_the_new_one(project, sampled):
    compared = compare_on_same_rows(project.models, project.values, sampled)
    before = compared.before or ""
    frame = project.values.read(
        ("houses", "splits"), value_id=sampled.values["houses/splits"]
    ).value.frames["test"]
    errors = {}
    for train_id in (before, sampled.train_id):
        estimator = project.models.load("houses", train_id).estimator
        errors[train_id] = (frame["price"] - estimator.mean).abs().mean()
    (mae,) = [one for one in compared.changes if (one.set, one.name) == ("test", "MAE")]
    assert (mae.before, mae.after) == pytest.approx([errors[before], errors[sampled.train_id]])
    text = as_markdown([compared])
    assert f"train `{sampled.train_id}`: sample" in text
    assert "samples of at most 100 rows of each source." in text
    assert "| test | MAE |" in text
    assert "Both trains are measured on the same rows" in text


def test_markdown_without_trains_says_so():
    assert "No model was trained." in as_markdown([])
