"""Metrics of users and of classes, through the whole graph."""

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from tests.support.control import control, rows
from tests.support.project import Project
from tests.support.toys import Houses, Kinds, Priced, houses, write_database
from xingu import Model
from xingu.errors import HookError
from xingu.reports.report import report_trains
from xingu.tracking.query import TrainFilter, model_metrics, steps_of


class Profitable(Houses):
    """Declares which way a metric of its own is better, and demands that it stays."""

    metric_directions = {"profit": "maximize"}
    quality_gates = {"test": {"profit": ("not worse by", 1)}}

    def compute_trainsets_model_metrics_profit(self, XY, Y_pred):
        loss = (XY["price"] - Y_pred["estimation"]).abs()
        return {"profit": 100 - loss.mean(), "rows": len(XY)}


class Lazy(Profitable):
    estimator_params = {**Houses.estimator_params, "n_estimators": 2}


class Failing(Priced):
    """Two metric methods and one plot method raise, beside others that work."""

    def compute_trainsets_model_metrics_a_broken(self, XY, Y_pred, model):
        raise KeyError("speed")

    def compute_trainsets_model_metrics_rows(self, XY, Y_pred, model):
        return {"rows": len(XY)}

    def compute_global_model_metrics_double(self, model):
        return {"double": 1}

    def compute_global_model_metrics_other(self, model):
        return {"double": 2}

    def compute_batch_model_metrics_broken(self, XY, Y_pred, model):
        return {"list": [1]}

    def compute_estimation_metrics_broken(self, XY, Y_pred):
        return XY

    def compute_estimation_metrics_doubt(self, XY, Y_pred):
        return pd.DataFrame({"name": "doubt", "value_number": 0.5}, index=XY.index)

    def render_global_model_plots_broken(self, model):
        raise OSError("no ink")


class Unknown(Priced):
    def clean_data_for_batch_predict(self, datasets):
        return super().clean_data_for_batch_predict(datasets).assign(price=np.nan)


class Odd(Houses):
    def compute_global_model_metrics_odd(self):
        return {"endless": float("inf"), "word": "good"}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("kinds"), [Kinds])
    project.run("kinds/*")
    return project


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("failed"), [Failing])
    result = project.run("houses/*", raise_on_error=False)
    project.causes = {
        event.step_key: event.step_failure_data.error.cause
        for event in result.get_step_failure_events()
    }
    return project


def test_three_classes_are_measured_in_every_set_and_in_the_batch(kinds):
    metadata = kinds.metadata("kinds/trainset_metrics")
    for part in ("train", "val", "test"):
        assert 0.5 < metadata[f"{part} Macro F1"] <= 1
        assert metadata[f"{part} Log Loss"] > 0
    estimations = kinds.load("kinds/batch/estimations").frame
    assert list(estimations) == [*(f"estimation_class_{i}" for i in range(3)), "estimation"]
    assert kinds.metadata("kinds/batch/metrics")["batch_predict Accuracy"] > 0.5


def test_metrics_are_weighted_by_the_declared_column(kinds):
    model = Model.load("kinds", path=kinds.models.root)
    frame = kinds.load("kinds/splits").frames["test"]
    labels = np.array(model.estimator.classes())
    likeliest = labels[model.predict_proba(frame).to_numpy().argmax(axis=1)]
    expected = np.average(likeliest == frame["kind"], weights=frame["weight"])
    metadata = kinds.metadata("kinds/trainset_metrics")
    assert metadata["test Accuracy"] == pytest.approx(expected, rel=1e-3)
    assert expected != (likeliest == frame["kind"]).mean()


def test_a_partly_known_target_is_measured_where_it_is_known(tmp_path):
    project = Project(tmp_path, [Priced])
    project.run("houses/*")
    metadata = project.metadata("houses/batch/metrics")
    assert (metadata["batch_predict Rows"], metadata["batch_predict Rows with target"]) == (50, 40)
    batch = project.load("houses/batch/features").frame
    estimated = project.load("houses/batch/estimations").frame["estimation"]
    expected = (estimated - batch["price"]).abs().mean()
    assert metadata["batch_predict MAE"] == pytest.approx(expected, rel=1e-3)
    found = model_metrics(control(project)).query("set == 'batch_predict'").set_index("name")
    assert found.loc["MAE", "value_number"] == pytest.approx(expected)
    assert found.loc["Rows with target", "value_number"] == 40


def test_a_batch_whose_target_is_not_known_yet_has_no_metrics_of_it(tmp_path, caplog):
    project = Project(tmp_path, [Unknown])
    project.run("houses/*")
    assert project.metadata("houses/batch/metrics")["batch_predict Rows with target"] == 0
    assert set(project.load("houses/batch/metrics")["model"]["name"]) == {
        "Rows",
        "Rows with target",
    }


# -- methods that fail ---------------------------------------------------------------------------


def test_every_failure_is_named_with_provider_method_and_set(failed):
    error = str(failed.causes["houses__evaluate"])
    for part in ("train", "val", "test"):
        method = "houses.compute_trainsets_model_metrics_a_broken"
        assert f"{method} (set '{part}') raised KeyError: 'speed'" in error
    assert (
        "houses.compute_global_model_metrics_double and houses.compute_global_model_metrics_other "
        "both yield the metric 'double'" in error
    )
    assert "houses.render_global_model_plots_broken raised OSError: no ink" in error
    error = str(failed.causes["houses__batch"])
    assert "houses.compute_batch_model_metrics_broken (set 'batch_predict') returned list" in error
    assert "houses.compute_estimation_metrics_broken returned DataFrame" in error


def test_the_other_metrics_are_stored_recorded_and_shown(failed):
    table = failed.load("houses/trainset_metrics").set_index(["set", "name"])["value_number"]
    assert table["test", "rows"] == 40
    found = model_metrics(control(failed)).set_index(["set", "name"])["value_number"]
    assert found["test", "rows"] == 40
    assert found["global", "double"] == 1
    assert "R2" in found["test"].index
    key = dg.AssetKey(["houses", "trainset_metrics"])
    [seen] = failed.instance.fetch_observations(key, limit=1).records
    assert seen.asset_observation.metadata["xingu/test rows"].value == 40
    query = "SELECT count(*), min(name) FROM metrics_estimation"
    assert rows(failed, query) == [(50, "doubt")]


def test_an_asset_with_a_failed_method_is_not_materialized(failed):
    for name in ("trainset_metrics", "plots", "batch/metrics"):
        key = dg.AssetKey(["houses", *name.split("/")])
        assert failed.instance.get_latest_materialization_event(key) is None
    failed.metadata("houses/batch/plots")
    steps = steps_of(control(failed), TrainFilter(dataprovider_ids=["houses"]))["status"]
    assert "model_trainsets_metrics_start" in set(steps)
    assert "model_trainsets_metrics_end" not in set(steps)


def test_plots_of_the_other_methods_are_saved_and_listed(failed):
    names = {plot["name"] for plot in failed.load("houses/plots")}
    assert {"Residuals (test)", "Feature importance"} <= names
    assert rows(failed, "SELECT count(DISTINCT name) FROM plots WHERE channel <> 'batch_predict'")
    with control(failed).read() as connection:
        listed = connection.execute(text("SELECT DISTINCT name FROM plots")).scalars()
        assert names <= set(listed)


def test_a_model_measures_itself_and_then_raises(failed, monkeypatch):
    monkeypatch.setenv("PROJECT_HOME", str(failed.home))
    model = Model.load("houses", path=failed.models.root)
    model.sets = failed.load("houses/splits").frames
    with pytest.raises(HookError, match="a_broken"):
        model.compute_and_save_metrics("trainsets")
    assert rows(failed, "SELECT count(*) FROM metrics_model WHERE name = 'rows'") == [(3,)]


def test_the_declared_direction_of_a_metric_gates_and_colours_it(tmp_path):
    for cls in (Profitable, Lazy):
        run = Project(tmp_path, [cls]).run("houses/*", raise_on_error=False)
    failed = [one for one in run.get_asset_check_evaluations() if not one.passed]
    assert [one.check_name for one in failed] == ["not_worse_than_current"]
    report = report_trains(control(Project(tmp_path, [])), TrainFilter())
    newest = report.trains["train_id"][0]
    assert report.verdicts.loc[("houses", "test", "profit"), newest] == -1
    assert report.verdicts.loc[("houses", "test", "rows"), newest] == 0


def test_metrics_without_a_finite_value_are_shown_as_text(tmp_path):
    project = Project(tmp_path, [Odd])
    write_database(project.home / "houses.db", houses(200))
    project.run("houses/*")
    metadata = project.metadata("houses/trainset_metrics")
    assert (metadata["endless"], metadata["word"]) == ("inf", "good")
