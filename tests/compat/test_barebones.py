"""`Model` without a graph, under the names of Xingu 2.0."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.support.toys import Expensive, Houses, houses, write_database
from xingu import DataProviderFactory, Model
from xingu.config import Settings
from xingu.errors import DataError


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A project, which is the current folder."""
    home = tmp_path_factory.mktemp("bare")
    with pytest.MonkeyPatch.context() as patch:
        for field in Settings.model_fields.values():
            patch.delenv(str(field.alias), raising=False)
        patch.chdir(home)
        patch.setenv("DATABASES", f"db|{write_database(home / 'houses.db')}")
        yield home


@pytest.fixture(scope="module")
def model(home):
    class Asking(Houses):
        id = "houses"

        def get_dataset_sources_for_train(self, model=None):
            self.asked = (model.context, model.trained) if model else None
            return self.train_dataset_sources

        def compute_trainsets_model_metrics_rows(self, XY, Y_pred, model):
            return {"rows": len(XY), "unit": "rows"}

    return Model(Asking()).fit()


def test_a_model_trains_from_the_sources_on_its_own_provider(model):
    assert isinstance(model.trained, datetime)
    assert list(model.sets) == ["train", "val", "test"]
    assert model.dp.asked == ("train_dataprep", False)
    assert len(model.predict(houses(5))) == 5


def test_steps_of_the_train_are_in_the_control_db(model):
    with model._workspace.control.engine.connect() as connection:
        steps = pd.read_sql("select status from training_steps", connection)["status"]
    assert {"train_dataprep_start", "train_hyperhandle_end", "train_fit_end"} <= set(steps)


def test_metrics_are_computed_by_set(model):
    metrics = model.compute_trainsets_model_metrics()
    assert metrics["train"]["rows"] == len(model.sets["train"])
    assert metrics["test"]["unit"] == "rows"
    assert metrics["test"]["RMSE"] > 0
    table = model.compute_model_metrics()
    assert list(table) == ["name", "value_number", "value_text", "set"]
    assert set(table["set"]) == {"train", "val", "test"}
    facet = model.sets["test"].head(20)
    found = model.compute_trainsets_model_metrics_classical(facet, model.predict(facet))
    assert found["MAE"] > 0


def test_a_method_of_xingu_2_is_no_metric_of_the_model(model):
    names = model.compute_model_metrics()["name"]
    assert not names.str.contains("classical|importance").any()
    importance = model.compute_global_model_metrics_feature_importance_from_estimator()
    assert importance["feature importance:estimator:size:rank"] == 1.0


def test_plots_are_drawn_by_set(model):
    plots = model.render_model_plots()
    assert any(name.startswith("Residuals") for name in plots["test"])
    assert "Feature importance" in plots["global"]
    assert model.render_global_model_plots_ROCAUC() is None
    with pytest.raises(DataError, match="no channel 'batches'"):
        model.render_model_plots("batches")


def test_a_batch_is_estimated_and_can_be_released(model):
    assert not hasattr(model, "batch_predict_data")
    estimations = model.batch_predict()
    assert model.batch_predict_data.index.equals(estimations.index)
    assert model.batch_predict_time <= datetime.now(UTC)
    assert model.compute_batch_model_metrics() == {}
    model.compute_and_save_metrics("batch")
    model.save_batch_predict_estimations()
    model.trainsets_save()
    model.cleanup()
    assert not hasattr(model, "batch_predict_data")


def test_sources_are_read_one_by_one(model):
    sources = {"one": {"source": "db", "query": "select 1 as x"}, "none": None}
    assert model.data_sources_to_data(None) is None
    assert model.data_source_to_data("none", sources["none"]) is None
    assert model.data_source_to_data("one", sources["one"])["x"].tolist() == [1]
    assert len(model.data_source_to_data_from_query("select * from houses limit 3", "db")) == 3
    houses(4).to_csv("four.csv", index=False)
    assert len(model.data_source_to_data_from_url("four.csv", {"nrows": 2})) == 2
    grouped = dict.fromkeys(("a", "b"), sources["one"])
    assert list(model.data_sources_group_to_data("g", grouped)) == ["a", "b"]


def test_a_saved_model_takes_the_place_of_an_untrained_one(model, home):
    package = model.save()
    assert (home / "models") in package.parents
    assert Model.load("houses").train_id == model.train_id
    assert Model.load("houses", "*", model.train_id).train_id == model.train_id
    again = Model(dp="houses", trained=True, pre_trained_as_of="2999-01-01")
    assert again.get_full_train_id() == model.get_full_train_id()
    known = Model(type(model.dp)(), trained=True, estimator_only=True)
    assert not hasattr(known.dp, "town_codes")
    placed = Model("houses", None, True, False, home / "models", model.train_session_id)
    assert placed.train_id == model.train_id


def test_what_a_model_is_made_of_is_a_dict(model):
    found = model.serialize_to_dict(include={"train_id", "algo_params", "github_actor"})
    assert found["train_id"] == model.train_id
    assert found["algo_params"]["source_train_id"] == "defaults"
    assert "dp" not in model.serialize_to_dict(exclude={"dp"})
    assert model.time_fs_str(datetime(2026, 1, 31, 23, 5, 9)) == "2026.01.31-23.05.09"
    assert not [name for name in model.serialize_to_dict() if name.startswith("_")]
    assert model.median_ape(pd.Series([1.0, 2.0]), [1.5, 2.0]) == 0.25
    assert model.median_pe(np.array([1.0, 2.0]), np.array([0.5, 2.0])) == -0.25


def test_the_ids_of_the_train_are_written_into_axes(model):
    ax = Figure().subplots()
    assert model.tag_model_plot(ax, None, "upper right", 0.3, 8) is ax
    text = ax.texts[0]
    assert model.get_full_train_id() in text.get_text()
    assert (text.get_ha(), text.get_va(), text.get_fontsize()) == ("right", "top", 8)
    assert model.tag_model_plot(ax, "{dp}").texts[1].get_text() == "houses"


def test_settings_are_texts_with_a_default_and_a_cast(model, monkeypatch):
    monkeypatch.setenv("MINE", "yes")
    assert model.get_config("PLOTS_FORMAT", default="svg") == "svg"
    assert model.get_config("MINE", cast=bool) is True
    assert model.get_config("NOBODY", None) is None
    assert model.get_config("PARALLEL_TRAIN_MAX_WORKERS", default=3, cast=int) == 3


def test_an_unknown_argument_is_an_error_with_a_suggestion():
    with pytest.raises(TypeError, match="hyperopt_stategy.*hyperopt_strategy"):
        Model(Houses(), hyperopt_stategy="dp")


def test_a_factory_takes_folder_and_list_in_either_order(home):
    (home / "dataproviders").mkdir(exist_ok=True)
    (home / "dataproviders/flat.py").write_text(
        "import xingu\nclass Flat(xingu.DataProvider):\n    id = 'flat'\n    y = 'price'\n"
    )
    for factory in (
        DataProviderFactory("dataproviders", ["flat"]),
        DataProviderFactory(["flat"], "dataproviders"),
        DataProviderFactory(providers_list="flat"),
        DataProviderFactory(),
    ):
        assert list(factory.dps) == factory.providers_list == ["flat"]
        assert [dp.id for dp in factory.produce()] == ["flat"]
    both = DataProviderFactory(providers_extra_objects=[Expensive()])
    assert set(both.dps) == {"flat", "expensive"}
    assert both.get_pre_req("expensive") == set()
