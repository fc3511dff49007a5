"""`xingu.Model` as scripts use it: save, load, batch, metrics, search, without Dagster."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.support.fitted import fit_model
from tests.support.searches import Hills
from tests.support.toys import Expensive, Houses, houses, write_database
from xingu import DataProvider, Model
from xingu.config import Settings
from xingu.errors import (
    DataError,
    HookError,
    SettingsError,
    UnknownDatabaseError,
    UntrainedModelError,
)
from xingu.tracking.query import model_metrics
from xingu.workspace import Workspace

ROOT = Path(__file__).parents[1]


class Measured(Houses):
    """Houses with metrics of every kind."""

    id = "houses"

    def compute_global_model_metrics_count(self, model):
        return {"towns": len(self.town_codes)}

    def compute_batch_model_metrics_mean(self, XY, Y_pred, model):
        return {"mean": float(Y_pred["estimation"].mean())}

    def compute_estimation_metrics_share(self, XY, Y_pred, model):
        share = Y_pred["estimation"] / Y_pred["estimation"].sum()
        return pd.DataFrame({"name": "share", "value_number": share, "value_text": None})


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty project, which is the current folder; its settings are in the environment."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASES", f"db|{write_database(tmp_path / 'houses.db')}")
    return tmp_path


@pytest.fixture
def model() -> Model:
    return fit_model(Measured)


def query(statement: str) -> list[tuple]:
    with Workspace(Settings.load()).control.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


# -- save and load --------------------------------------------------------------------------------


def test_a_saved_model_is_loaded_as_the_current_one_and_estimates_the_same(model):
    package = model.save("models")
    assert (package / "manifest.json").exists()
    loaded = Model.load("houses")
    assert type(loaded) is Model
    assert loaded.get_full_train_id() == "brave-day:calm-fox"
    pd.testing.assert_frame_equal(loaded.predict(houses(20)), model.predict(houses(20)))


def test_a_model_is_loaded_by_train_session_and_time(model):
    model.save("models")
    between = datetime.now(UTC)
    fit_model(Measured, ("new-owl", "late-noon")).save("models")
    assert Model.load("houses").train_id == "new-owl"
    assert Model.load("houses", train_id="calm-fox").train_id == "calm-fox"
    assert Model.load("houses", train_session_id="brave-day").train_id == "calm-fox"
    assert Model.load("houses", as_of=between).train_id == "calm-fox"


def test_the_inventory_file_of_the_project_pins_what_is_loaded(model, home, monkeypatch):
    model.save("models")
    fit_model(Measured, ("new-owl", "late-noon")).save("models")
    pins = {"models": {"houses": {"train_id": "calm-fox", "pinned": True}}}
    (home / "inventory.yaml").write_text(yaml.safe_dump(pins))
    (home / "other").mkdir()
    assert Model.load("houses").train_id == "calm-fox"
    monkeypatch.setenv("PROJECT_HOME", str(home / "other"))
    assert Model.load("houses", path=home / "models").train_id == "new-owl"


def test_models_can_be_anywhere(model, tmp_path):
    model.save(f"file://{tmp_path}/elsewhere")
    assert Model.load("houses", path=tmp_path / "elsewhere").train_id == "calm-fox"


def test_a_subclass_of_model_loads_itself(model):
    class OwnModel(Model):
        pass

    model.save("models")
    assert type(OwnModel.load("houses")) is OwnModel


@pytest.mark.parametrize("wanted", [{}, {"train_id": "no-one"}, {"train_session_id": "no-day"}])
def test_what_was_never_saved_cannot_be_loaded(model, wanted):
    if wanted:
        model.save("models")
    with pytest.raises(UntrainedModelError, match="No saved model of 'houses'"):
        Model.load("houses", **wanted)


IMPORTS = """
import sys
import pandas as pd
from xingu.api import Model
model = Model.load("houses")
assert len(model.predict(pd.DataFrame({"size": [50.0], "town": ["north"]}))) == 1
heavy = ("dagster", "xingu_dagster", "sqlalchemy", "alembic", "duckdb", "adbc_driver_manager",
         "plotly", "skopt", "optuna", "xingu.stages", "xingu.metrics", "xingu.tracking")
print([name for name in heavy if name in sys.modules])
"""


def test_loading_and_predicting_imports_nothing_that_only_training_needs(home):
    fit_model(Houses).save("models")
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == "[]\n", ended.stderr


# -- batch ----------------------------------------------------------------------------------------


def test_a_batch_is_read_from_the_declared_sources_and_estimated(model):
    estimations = model.batch_predict()
    assert list(estimations.index) == list(range(50))
    assert "town_code" in model.batch
    pd.testing.assert_frame_equal(estimations, model.predict(houses().set_index("id")[:50]))
    assert model.batch_estimations is estimations


def test_the_sources_of_a_batch_may_depend_on_the_model(model):
    def of_model(model):
        north = min(model.dp.town_codes)
        query = f"select id, size, town from houses where town = '{north}'"
        return {"houses": {"source": "db", "query": query}}

    model.dp.get_dataset_sources_for_batch_predict = of_model
    model.batch_predict()
    assert set(model.batch["town"]) == {"north"}


def test_a_second_batch_is_read_from_the_cache(model, home, monkeypatch):
    monkeypatch.setenv("DATASOURCE_CACHE_PATH", "cache")
    first = model.batch_predict()
    (home / "houses.db").unlink()
    pd.testing.assert_frame_equal(model.batch_predict(), first)


def test_a_batch_from_an_unknown_database_is_refused_before_anything_is_read(model, monkeypatch):
    monkeypatch.setenv("DATABASES", "dbs|sqlite:///houses.db")
    with pytest.raises(UnknownDatabaseError, match=r"'db'.*known: dbs.*Did you mean 'dbs'"):
        model.batch_predict()
    assert model.batch is None


def test_estimations_of_a_batch_are_saved_and_replaced(model):
    model.batch_predict()
    for _ in range(2):
        model.save_batch_predict_estimations()
    rows = query('select "index", estimation, train_id from estimations')
    assert [row[0] for row in rows] == [str(number) for number in range(50)]
    assert [row[1] for row in rows] == model.batch_estimations["estimation"].tolist()
    assert {row[2] for row in rows} == {"calm-fox"}


def test_a_classifier_saves_the_probability_of_its_class():
    model = fit_model(Expensive)
    estimations = model.batch_predict()
    model.save_batch_predict_estimations()
    saved = [row[0] for row in query("select estimation from estimations")]
    assert saved == estimations["estimation_class_1"].tolist()


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.save_batch_predict_estimations(),
        lambda model: model.compute_and_save_metrics("batch_predict"),
    ],
    ids=["estimations", "metrics"],
)
def test_without_a_batch_there_is_nothing_to_save(model, use):
    with pytest.raises(DataError, match=r"houses: .*call model\.batch_predict\(\) first"):
        use(model)


# -- metrics --------------------------------------------------------------------------------------


def saved_metrics(channel_sets: set[str]) -> dict[tuple[str, str], float]:
    """Return the saved metrics by set and name; a metric that is there twice is an error."""
    found = model_metrics(Workspace(Settings.load()).control)
    found = found[found["set"].isin(channel_sets)]
    assert not found[["set", "name"]].duplicated().any()
    return dict(
        zip(zip(found["set"], found["name"], strict=True), found["value_number"], strict=True)
    )


def test_metrics_of_the_sets_are_computed_and_replaced(model):
    rows = [model.compute_and_save_metrics("trainsets") for _ in range(2)][-1]
    saved = saved_metrics({"train", "val", "test", "global"})
    assert saved == {(row.set, row.name): row.value_number for row in rows}
    assert {name for name, _ in saved} == {"train", "val", "test"}
    assert saved["test", "R2"] > 0.8


def test_metrics_of_a_loaded_model_need_its_sets(model):
    model.save("models")
    loaded = Model.load("houses")
    with pytest.raises(DataError, match=r"assign model\.sets"):
        loaded.compute_and_save_metrics("trainsets")
    loaded.sets = {"test": model.sets["test"]}
    rows = loaded.compute_and_save_metrics("trainsets")
    assert {row.set for row in rows} == {"test"}


def test_global_metrics_are_saved_beside_those_of_the_sets(model):
    model.compute_and_save_metrics("trainsets")
    model.compute_and_save_metrics("global")
    assert saved_metrics({"global"}) == {("global", "towns"): 3}
    assert ("test", "R2") in saved_metrics({"test"})


def test_metrics_of_a_batch_and_of_each_estimation_are_saved_and_replaced(model):
    model.batch_predict()
    for _ in range(2):
        model.compute_and_save_metrics("batch_predict")
    saved = saved_metrics({"batch_predict"})
    assert saved["batch_predict", "mean"] == model.batch_estimations["estimation"].mean()
    shares = query("select name, value_number from metrics_estimation")
    assert len(shares) == 50
    assert sum(value for _, value in shares) == pytest.approx(1)


def test_metrics_are_saved_although_one_method_fails():
    class Wrong(Measured):
        def compute_global_model_metrics_wrong(self, model):
            raise ValueError("no idea")

    model = fit_model(Wrong)
    with pytest.raises(HookError, match="compute_global_model_metrics_wrong.*no idea"):
        model.compute_and_save_metrics("global")
    assert saved_metrics({"global"}) == {("global", "towns"): 3}


def test_a_table_prefix_is_used(model, monkeypatch):
    monkeypatch.setenv("XINGU_DB_TABLE_PREFIX", "acme_")
    model.compute_and_save_metrics("global")
    assert query("select name from acme_metrics_model") == [("towns",)]


# -- search and settings --------------------------------------------------------------------------


def test_a_model_without_a_batch_says_so():
    model = fit_model(type("NoBatch", (Houses,), {"batch_predict_dataset_sources": {}}))
    with pytest.raises(UntrainedModelError, match="declares no batch_predict_dataset_sources"):
        model.batch_predict()


def test_the_declared_search_runs_and_sets_what_it_found():
    model = fit_model(Hills)
    found = model.hyperparam_optimize()
    assert found["x"] == pytest.approx(3, abs=2)
    assert model.estimator.hyperparams == found
    assert set(found) == {"x", "colour"}


def test_a_search_that_was_set_is_run_in_place_of_the_declared_one():
    model = fit_model(Hills)
    model.search = lambda: {"x": 7}
    assert model.hyperparam_optimize()["x"] == 7


def test_a_hollow_model_has_nothing_to_search():
    class Hollow(DataProvider):
        id = "hollow"
        hollow = True

        def clean_data_for_train(self, datasets):
            return datasets["houses"].set_index("id")

    assert fit_model(Hollow).hyperparam_optimize() == {}


def test_a_setting_is_read_from_the_environment_or_the_file_of_the_project(
    home, monkeypatch, model
):
    monkeypatch.setenv("PLOTS_PATH", "drawings")
    monkeypatch.setenv("MY_OWN", "x")
    (home / ".env").write_text("TRAINED_MODELS_PATH=saved\n")
    assert model.get_config("PLOTS_PATH") == "drawings"
    assert model.get_config("TRAINED_MODELS_PATH") == "saved"
    assert (model.get_config("MY_OWN"), model.get_config("OTHER", 7)) == ("x", 7)


def test_a_malformed_setting_is_an_error_that_names_it(monkeypatch, model):
    monkeypatch.setenv("XINGU_KEEP_VALUES", "none")
    with pytest.raises(SettingsError, match="XINGU_KEEP_VALUES"):
        model.compute_and_save_metrics("global")
