"""Tests of which assets a run materializes, and which it leaves as they are."""

import dagster as dg
import pandas as pd
import pytest

from tests.support.project import Project
from tests.support.toys import Houses, Taxes, houses, write_database
from xingu import Model
from xingu.errors import DataError

ALL = [
    "raw/houses", "cleaned", "features", "splits", "hyperparameters", "model",
    "trainset_estimations", "trainset_metrics", "plots",
    "batch/raw/houses", "batch/cleaned", "batch/features", "batch/estimations", "batch/metrics",
    "batch/plots",
]  # fmt: skip


class OtherSplit(Houses):
    random_state = 7


def test_every_asset_is_materialized_and_stored(trained):
    for dp in ("houses", "taxes"):
        for name in ALL:
            assert trained.metadata(f"{dp}/{name}")["seconds"] >= 0
            trained.load(f"{dp}/{name}")


def test_every_frame_shows_rows_columns_and_first_rows(trained):
    metadata = trained.metadata("houses/features")
    assert metadata["dagster/row_count"] == 400
    columns = [column.name for column in metadata["dagster/column_schema"].columns]
    assert columns == ["size", "town", "price", "town_code"]
    assert len(metadata["first rows"].records) == 5


def test_the_model_shows_its_ids_sizes_and_main_metrics_as_numbers(trained):
    metadata = trained.metadata("houses/model")
    model = Model.load("houses", path=trained.models.root)
    assert metadata["train_id"] == model.train_id
    assert metadata["train_session_id"] == model.train_session_id
    assert metadata["rows train"] == 280
    assert 0 < metadata["test RMSE"] < 50
    assert metadata["package bytes"] > 1000
    names = list(metadata)
    assert names[0].startswith("test "), "people look for the scores first"
    assert names.index("open plots") < names.index("train_id")
    assert metadata["open plots"] == trained.metadata("houses/plots")["open plots"].replace(
        "Open 8 interactive plots", "Open the plots, once the train is evaluated"
    )


def test_the_run_is_tagged_with_session_trains_and_trigger(trained):
    run = trained.instance.get_run_by_id(trained.result.run_id)
    models = [Model.load(dp, path=trained.models.root) for dp in ("houses", "taxes")]
    assert {name: value for name, value in run.tags.items() if name.startswith("xingu/")} == {
        "xingu/session": models[0].train_session_id,
        "xingu/train/houses": models[0].train_id,
        "xingu/train/taxes": models[1].train_id,
        "xingu/trigger": "command",
    }


def test_keys_of_metadata_are_in_a_namespace(trained):
    for name in ALL:
        event = trained.instance.get_latest_materialization_event(
            dg.AssetKey(["houses", *name.split("/")])
        )
        assert all("/" in key for key in event.asset_materialization.metadata)


def test_the_models_of_one_run_share_their_session(trained):
    sessions = {
        Model.load(dp, path=trained.models.root).train_session_id for dp in ("houses", "taxes")
    }
    assert len(sessions) == 1


def test_metrics_are_stored_by_set_and_shown_as_numbers(trained):
    table = trained.load("houses/trainset_metrics").set_index(["set", "name"])["value_number"]
    metadata = trained.metadata("houses/trainset_metrics")
    for name in ("train", "val", "test"):
        assert metadata[f"{name} R2"] == pytest.approx(table[name, "R2"], rel=1e-3)
        assert table[name, "R2"] > 0.8


def test_what_the_model_learned_in_training_is_known_in_batch(trained):
    features = trained.load("houses/batch/features").frame
    assert features["town_code"].notna().all()


def test_a_classifier_estimates_the_probability_of_its_class(trained):
    estimations = trained.load("taxes/batch/estimations").frame
    assert list(estimations) == ["estimation_class_0", "estimation_class_1", "estimation"]
    assert (estimations["estimation"] == estimations["estimation_class_1"]).all()
    assert estimations.index.tolist() == list(range(50))


def test_plots_are_saved_as_pages_and_json_by_train(trained):
    train_id = trained.metadata("houses/model")["train_id"]
    folder = trained.home / "plots" / "houses" / train_id
    names = {path.stem for path in folder.glob("*.html")} - {"index"}
    assert names == {path.stem for path in folder.glob("*.json")} - {"plots"}
    assert len(names) == 8  # two for each of three sets, errors by segment, and the importance
    assert (trained.home / ".xingu" / "plots" / "houses" / train_id / "plots.ipynb").exists()


def test_batch_estimations_are_a_parquet_file_that_people_can_open(trained):
    path = trained.metadata("houses/batch/estimations")["path"]
    frame = pd.read_parquet(f"{path}/0_frame.parquet")
    pd.testing.assert_frame_equal(frame, trained.load("houses/batch/estimations").frame)


def test_other_assets_get_what_people_want_to_see(trained):
    def load(name):
        return trained.definitions.load_asset_value(name.split("/"), instance=trained.instance)

    assert load("houses/features").shape == (400, 4)
    assert list(load("houses/splits")) == ["train", "val", "test"]
    assert load("houses/model").predict(houses(3)).shape == (3, 1)


def test_each_asset_can_be_materialized_on_its_own_in_a_run_of_its_own(project):
    for name in ALL:
        assert project.run(f"houses/{name}").success
    assert (
        project.load("houses/trainset_metrics")
        .query("set == 'test' and name == 'R2'")["value_number"]
        .item()
        > 0.8
    )


def test_the_same_data_and_code_have_the_same_versions_and_other_data_others(project):
    def versions():
        project.run("houses/raw/houses", "houses/cleaned", "houses/features", "houses/splits")
        return [
            project.values.record(("houses", *name)).data_version
            for name in (("raw", "houses"), ("cleaned",), ("splits",))
        ]

    project.run("houses/*")
    first, again = versions(), versions()
    (project.home / "houses.db").unlink()
    write_database(project.home / "houses.db", houses(seed=1))
    other = versions()
    assert first == again
    assert not set(first) & set(other)


def test_evaluation_uses_the_very_sets_that_the_model_was_trained_on(tmp_path):
    project = Project(tmp_path, [Houses])
    project.run("houses/*")
    before = project.load("houses/trainset_estimations").frames["test"].index
    later = Project(tmp_path, [OtherSplit])
    later.run("houses/splits")
    assert set(later.load("houses/splits").frames["test"].index) != set(before)
    later.run("houses/trainset_estimations", "houses/trainset_metrics")
    assert set(later.load("houses/trainset_estimations").frames["test"].index) == set(before)


def test_metrics_alone_are_of_the_current_model_not_of_older_estimations(project):
    project.run("houses/*")
    old = project.values.record(("houses", "trainset_estimations")).facts.train_id
    project.run("houses/model")
    project.run("houses/trainset_metrics")
    new = project.values.record(("houses", "trainset_metrics")).facts.train_id
    assert new != old


def test_batch_features_of_an_older_model_are_refused_with_what_to_do(project):
    project.run("houses/*")
    project.run("houses/model", "houses/trainset_estimations")
    with pytest.raises(
        DataError,
        match="houses/batch/features was made with the train .* but the "
        "current model is .*; materialize houses/batch/features and the assets before",
    ):
        project.run("houses/batch/estimations")


def test_a_prerequisite_that_is_not_selected_is_taken_as_it_is(project):
    project.run("houses/*")
    first = project.models.current("houses")
    project.run("taxes/*")
    taxes = Model.load("taxes", path=project.models.root)
    assert dict(taxes.dp.pre_req_model.trains) == {"houses": first}


def test_a_prerequisite_that_is_selected_is_trained_first_and_used(project):
    project.run("houses/*", "taxes/*")
    project.run("houses/*", "taxes/*")
    taxes = Model.load("taxes", path=project.models.root)
    assert dict(taxes.dp.pre_req_model.trains) == {"houses": project.models.current("houses")}


def test_a_second_train_in_the_same_session_gets_a_name_of_its_own(tmp_path):
    project = Project(tmp_path, [Houses], {"train_session_id": "nightly"})
    project.run("houses/*")
    assert project.models.find("houses", session_id="nightly")
    project.run("houses/model")
    trains = list((tmp_path / "models" / "houses" / "trains").iterdir())
    assert len(trains) == 2


def test_old_values_are_removed_but_not_what_a_saved_model_was_made_from(tmp_path):
    project = Project(tmp_path, [Houses], {"keep_values": 1})
    for _ in range(3):
        project.run("houses/*")
    kept = {
        name: len(list((tmp_path / ".xingu/values/houses" / name).glob("2*")))
        for name in ("cleaned", "splits")
    }
    assert kept == {"cleaned": 1, "splits": 3}


def test_outside_data_is_observed_with_a_version_that_follows_the_data(project):
    key = dg.AssetKey(["sources", "houses", "houses"])

    def version():
        project.run("sources/houses/houses")
        records = project.instance.fetch_observations(key, limit=1).records
        return records[0].asset_observation.tags["dagster/data_version"]

    assert project.config  # makes the database
    first, again = version(), version()
    (project.home / "houses.db").unlink()
    write_database(project.home / "houses.db", houses(seed=1))
    assert first == again != version()


def test_taxes_are_estimated_from_the_packaged_prerequisite(trained):
    importance = Model.load("taxes", path=trained.models.root).estimator.feature_importance()
    assert importance.index[0] == "estimated_price"
    assert Taxes.pre_req == {"houses"}
