"""Tests of the control DB's rows that runs write, and of the ids of trains."""

import os
import subprocess
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from tests.support.control import control, rows
from tests.support.project import Project
from tests.support.toys import Houses, Taxes
from xingu import Model
from xingu.model.provenance import read_provenance
from xingu.registry.manifest import read_manifest
from xingu.tracking.query import TrainFilter, attributes_of, find_trains, model_metrics, steps_of


def test_a_train_is_recorded_with_its_steps_in_order(trained):
    steps = steps_of(control(trained), TrainFilter(dataprovider_ids=["houses"]))
    parts = ["train_dataprep", "train_hyperhandle", "train_fit", "train_savesets"]
    parts += ["model_trainsets_metrics", "model_batch_predict_metrics"]
    expected = [f"{part}_{end}" for part in parts for end in ("start", "end")]
    assert sorted(steps["status"]) == sorted(expected)
    assert steps["status"].tolist()[:6] == expected[:6]


def test_the_ids_in_the_database_are_those_of_the_packages(trained):
    found = find_trains(control(trained)).set_index("dataprovider_id")
    for dp_id in ("houses", "taxes"):
        model = Model.load(dp_id, path=trained.models.root)
        assert found.loc[dp_id, "train_id"] == model.train_id
        assert found.loc[dp_id, "train_session_id"] == model.train_session_id


def test_metrics_in_the_database_are_those_of_the_asset(trained):
    table = trained.load("houses/trainset_metrics").set_index(["set", "name"])["value_number"]
    wanted = TrainFilter(dataprovider_ids=["houses"])
    found = model_metrics(control(trained), wanted).set_index(["set", "name"])["value_number"]
    pd.testing.assert_series_equal(found.sort_index(), table.sort_index())


def test_sets_are_saved_with_index_and_target(trained):
    model = Model.load("houses", path=trained.models.root)
    query = f"SELECT \"set\", count(*), avg(target) FROM sets WHERE train_id = '{model.train_id}'"
    found = {name: (count, mean) for name, count, mean in rows(trained, f'{query} GROUP BY "set"')}
    frames = trained.load("houses/splits").frames
    expected = {name: (len(f), pytest.approx(f["price"].mean())) for name, f in frames.items()}
    assert found == expected


def test_attributes_say_what_a_train_was_made_of(trained):
    known = attributes_of(control(trained), TrainFilter(dataprovider_ids=["taxes"]))
    known = known.set_index("attribute")["value"]
    assert known["estimator"] == "LightGBMClassifier"
    assert known["x_estimator_features"] == '["size", "estimated_price"]'
    assert known["rows_train"] == "280"
    assert {"python", "library_lightgbm", "host_name", "dagster_run_id"} <= set(known.index)


def test_parents_and_sources_are_recorded_and_shown(trained):
    houses, taxes = (Model.load(dp, path=trained.models.root) for dp in ("houses", "taxes"))
    query = "SELECT parent_dataprovider_id, parent_train_id FROM train_parents WHERE train_id = "
    assert rows(trained, f"{query}'{taxes.train_id}'") == [("houses", houses.train_id)]
    query = "SELECT source, declared, data_version, rows FROM train_sources WHERE train_id = "
    [(source, declared, version, count)] = rows(trained, f"{query}'{houses.train_id}'")
    raw = trained.values.record(("houses", "raw", "houses"))
    assert (source, version, count) == ("houses", raw.data_version, 400)
    assert declared.startswith("sqlite:///") and declared.endswith(": select * from houses")  # noqa: PT018
    assert trained.metadata("taxes/model")["pre-req houses"] == houses.train_id
    assert trained.metadata("houses/model")["source houses"].startswith("400 rows, version ")
    manifest = read_manifest(trained.models.package("houses", houses.train_id))
    assert manifest.sources[0]["data_version"] == version


def test_the_package_is_recorded_with_its_checksums(trained):
    model = Model.load("houses", path=trained.models.root)
    query = f"SELECT file, sha256 FROM package_files WHERE train_id = '{model.train_id}'"
    manifest = read_manifest(trained.models.package("houses", model.train_id))
    assert dict(rows(trained, query)) == {n: file.sha256 for n, file in manifest.files.items()}


def test_materializing_again_replaces_the_rows_of_the_train(project):
    project.run("houses/*")
    query = "SELECT count(*) FROM metrics_model UNION ALL SELECT count(*) FROM sets"
    before = rows(project, query)
    project.run("houses/trainset_estimations", "houses/trainset_metrics")
    assert rows(project, query) == before


def test_estimations_are_saved_if_that_is_wished(tmp_path):
    project = Project(tmp_path, [Houses], {"save_estimations": True, "save_sets": False})
    project.run("houses/*")
    saved = dict(rows(project, 'SELECT "index", estimation FROM estimations'))
    frame = project.load("houses/batch/estimations").frame
    assert saved == {str(k): v for k, v in frame["estimation"].items()}
    assert rows(project, "SELECT count(*) FROM sets") == [(0,)]


class Measuring(Houses):
    def compute_estimation_metrics_doubt(self, XY, Y_pred, model):
        return pd.DataFrame({"name": "doubt", "value_number": 0.5}, index=XY.index)

    def compute_batch_model_metrics_mean(self, XY, Y_pred, model):
        return {"mean": Y_pred["estimation"].mean(), "endless": float("inf")}


def test_metrics_of_the_batch_and_of_its_estimations_are_saved(tmp_path):
    project = Project(tmp_path, [Measuring])
    project.run("houses/*")
    found = rows(project, "SELECT count(*), min(name), avg(value_number) FROM metrics_estimation")
    assert found == [(50, "doubt", 0.5)]
    batch = model_metrics(control(project)).query("set == 'batch_predict'").set_index("name")
    assert batch.loc["endless", "value_number"] == float("inf")


# -- names -------------------------------------------------------------------------------------


def test_two_runs_have_sessions_of_their_own(project):
    project.run("houses/model", "houses/splits", "houses/features", "houses/cleaned",
                "houses/raw/houses", "houses/hyperparameters")  # fmt: skip
    project.run("houses/model")
    found = find_trains(control(project))
    assert found["train_session_id"].nunique() == found["train_id"].nunique() == 2


class FailingOnce(Houses):
    """Fails while a file called `off` is in the project's folder."""

    def post_process_after_train(self, model):
        if Path(os.environ["TEST_HOME"], "off").exists():
            raise ValueError("the power went out")


def job_of_the_test():
    project = Project(Path(os.environ["TEST_HOME"]), [FailingOnce])
    with_job = dg.Definitions(jobs=[dg.define_asset_job("retried")])
    return dg.Definitions.merge(project.definitions, with_job).resolve_job_def("retried")


def test_a_retry_keeps_the_session_and_the_name_of_the_train(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_HOME", str(tmp_path))
    project, job = Project(tmp_path, [FailingOnce]), dg.reconstructable(job_of_the_test)
    keys = project._keys("houses/*", project.definitions.resolve_asset_graph())
    (tmp_path / "off").touch()
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        failed = dg.execute_job(job, instance, asset_selection=keys)
        (tmp_path / "off").unlink()
        options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
        assert not failed.success
        assert dg.execute_job(job, instance, reexecution_options=options).success
    steps = steps_of(control(project), TrainFilter(dataprovider_ids=["houses"]))
    assert steps["train_session_id"].nunique() == steps["train_id"].nunique() == 1
    assert steps["status"].is_unique
    assert steps["train_id"][0] == project.models.current("houses")


def test_the_session_can_be_named(tmp_path):
    project = Project(tmp_path, [Houses, Taxes], {"train_session_id": "nightly"})
    project.run("houses/*", "taxes/*")
    assert set(find_trains(control(project))["train_session_id"]) == {"nightly"}


def test_a_preferred_train_of_a_prerequisite_is_used(project):
    project.run("houses/*")
    first = project.models.current("houses")
    project.run("houses/*")
    session = project.models.manifest("houses", first).train_session_id
    for wish in (first, session):
        settings = {"preferred_trains": ("nobody", wish)}
        Project(project.home, [Houses, Taxes], settings).run("taxes/*")
        assert Model.load("taxes", path=project.models.root).pre_req_trains == {"houses": first}


def test_an_inventory_file_that_pins_a_train_is_obeyed(project):
    project.run("houses/*")
    first = project.models.current("houses")
    project.run("houses/*")
    pins = f"models:\n  houses: {{train_id: {first}, pinned: true}}\n"
    (project.home / "inventory.yaml").write_text(pins)
    pinned = Project(project.home, [Houses, Taxes])
    pinned.run("taxes/*")
    assert Model.load("taxes", path=project.models.root).pre_req_trains == {"houses": first}
    pinned.run("houses/batch/estimations", "houses/batch/features", "houses/batch/cleaned",
               "houses/batch/raw/houses")  # fmt: skip
    record = pinned.values.record(("houses", "batch", "estimations"))
    assert record.facts.train_id == first


def test_going_back_to_an_older_train_brings_its_own_prerequisite_back(project):
    project.run("houses/*", "taxes/*")
    first = Model.load("taxes", path=project.models.root)
    project.run("houses/*", "taxes/*")
    old = Model.load("taxes", train_id=first.train_id, path=project.models.root)
    assert old.dp.pre_req_model["houses"].train_id == first.pre_req_trains["houses"]
    assert old.dp.pre_req_model["houses"].train_id != project.models.current("houses")


# -- provenance --------------------------------------------------------------------------------


def git(home, *command):
    subprocess.run(["git", "-C", home, "-c", "user.name=x", "-c", "user.email=x@y", *command],
                   check=True, capture_output=True)  # fmt: skip


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "a.py").write_text("1\n")
    git(tmp_path, "init", "-b", "trunk")
    git(tmp_path, "remote", "add", "origin", "https://me:s3cret@example.org/project.git")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-m", "first")
    read_provenance.cache_clear()
    yield tmp_path
    read_provenance.cache_clear()


def test_a_train_knows_commit_branch_and_remote_without_its_password(repository):
    known = read_provenance(repository)
    assert (len(known.git_commit or ""), known.git_branch, known.git_dirty) == (40, "trunk", False)
    assert known.git_remote == "https://example.org/project.git"
    assert known.git_diff is None


def test_other_uncommitted_changes_have_another_hash(repository):
    hashes = set()
    for change in ("2\n", "3\n"):
        (repository / "a.py").write_text(change)
        read_provenance.cache_clear()
        known = read_provenance(repository)
        assert known.git_dirty
        hashes.add(known.git_diff)
    assert len(hashes - {None}) == 2


@pytest.mark.parametrize("trouble", ["no repository", "no git", "dubious ownership"])
def test_without_a_usable_repository_a_train_is_one_warning(
    repository, monkeypatch, caplog, trouble, tmp_path_factory
):
    home = repository
    if trouble == "no repository":
        home = tmp_path_factory.mktemp("plain")
    elif trouble == "no git":
        monkeypatch.setattr("git.Git.GIT_PYTHON_GIT_EXECUTABLE", "/nowhere/git")
    else:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    project = Project(home, [Houses])
    project.run("houses/*")
    warnings = [r for r in caplog.records if "not tied to a commit" in r.getMessage()]
    assert len(warnings) == 1
    assert Model.load("houses", path=project.models.root).git_commit is None
    assert os.environ.get("HOSTNAME") or Model.load("houses", path=project.models.root).host_name
