"""Sets and batches are estimated and measured; the Model stays as it is."""

import numpy as np
import pandas as pd
import pytest

from tests.support.purity import unchanged
from tests.support.stages import Stages, variant
from tests.support.toys import Houses, Kinds, Priced, houses
from xingu.error_collector import ErrorCollector
from xingu.errors import CheckFailedError, DataError, HookError
from xingu.records import BATCH_SET
from xingu.stages.evaluate import (
    Rows,
    classical_metrics,
    estimate_sets,
    known_targets,
    main_metrics,
    measure_batch,
    measure_estimations,
    measure_global,
    measure_sets,
    row_weight,
)
from xingu.stages.reference import EvaluationSet


class Measured(Houses):
    """Has a method of every family."""

    def pre_process_for_trainsets_metrics(self, model):
        self.before = set(model.sets_estimations)

    def post_process_after_trainsets_metrics(self, model):
        self.after = True

    def compute_trainsets_model_metrics_rows(self, XY, Y_pred):
        return {"rows": len(XY)}

    def compute_global_model_metrics_features(self, model):
        return {"features": len(model.signature().estimator_features)}

    def compute_batch_model_metrics_mean(self, Y_pred):
        return {"mean": Y_pred["estimation"].mean()}

    def compute_estimation_metrics_size(self, XY):
        return pd.DataFrame({"name": "size", "value_number": XY["size"]})


def raising(self, *_):
    raise ValueError("no idea")


def values(table, set_name):
    return {row.name: row.value_number for row in table.rows if row.set == set_name}


@pytest.fixture(scope="module")
def model():
    return Stages(Measured).evaluated()


@pytest.fixture(scope="module")
def kinds():
    return Stages(Kinds).evaluated()


def batch_of(model, targets=None):
    """Rows of a batch, with a target for some of them, and their estimations."""
    data = houses(50, seed=1).set_index("id")
    data = model.dp.feature_engineering_for_batch_predict(data)
    if targets is not None:
        data = data.assign(price=data["price"].where(data.index < targets))
    return data, model.estimate(data)


# -- estimate -------------------------------------------------------------------------------------


def test_every_set_is_estimated_with_its_index():
    stages = Stages()
    splits = stages.splits()
    made = estimate_sets(stages.fitted(splits).model, splits)
    assert list(made.frames) == ["train", "val", "test"]
    for name, frame in made.frames.items():
        assert list(frame) == ["estimation"]
        assert frame.index.equals(splits.frames[name].index)


def test_a_classifier_estimates_the_probabilities_of_all_classes():
    stages = Stages(Kinds)
    splits = stages.splits()
    made = estimate_sets(stages.fitted(splits).model, splits).frames["test"]
    assert list(made) == [f"estimation_class_{number}" for number in range(3)]
    assert made.sum(axis=1).to_numpy() == pytest.approx(1)


def test_attributes_of_predict_hooks_are_in_the_state_of_the_estimations():
    def post_process_after_predict(self, X, Y_pred, model):
        self.estimated = getattr(self, "estimated", 0) + len(X)
        return Y_pred

    stages = Stages(variant(post_process_after_predict=post_process_after_predict))
    splits = stages.splits()
    state = estimate_sets(stages.fitted(splits).model, splits).state
    assert state.attributes()["estimated"] == 40 + 400  # the evaluation set, then all sets


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_estimations_that_are_not_finite_are_refused_unless_that_is_tolerated(value):
    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred.assign(estimation=Y_pred["estimation"].where(X.index != X.index[0], value))

    stages = Stages(variant(post_process_after_predict=post_process_after_predict))
    splits = stages.splits()
    model = stages.fitted(splits).model
    with pytest.raises(CheckFailedError, match="complete_estimations: .* for example of row"):
        estimate_sets(model, splits)
    assert estimate_sets(model, splits, checks={}).frames["train"].shape == (280, 1)


# -- measure --------------------------------------------------------------------------------------


def test_each_set_and_the_whole_model_are_measured(model):
    table = measure_sets(model)
    assert table.failures.errors == []
    for name, rows in (("train", 280), ("val", 80), ("test", 40)):
        assert values(table, name)["rows"] == rows
        assert values(table, name)["R2"] > 0.9
    assert values(table, None) == {"features": 2}
    assert (model.dp.before, model.dp.after) == ({"train", "val", "test"}, True)


def test_a_method_that_raises_does_not_lose_the_others(model):
    cls = variant(Measured, compute_trainsets_model_metrics_bad=raising)
    table = measure_sets(Stages(cls).evaluated())
    assert values(table, "test")["rows"] == 40
    assert len(table.failures.errors) == 3
    with pytest.raises(HookError, match="metrics_bad .*raised ValueError: no idea"):
        table.failures.raise_collected()


def test_the_hook_before_metrics_that_raises_ends_it():
    model = Stages(variant(pre_process_for_trainsets_metrics=raising)).evaluated()
    with pytest.raises(HookError, match="pre_process_for_trainsets_metrics raised ValueError"):
        measure_sets(model)


def test_the_hook_after_metrics_that_raises_is_a_failure_of_the_table():
    model = Stages(variant(post_process_after_trainsets_metrics=raising)).evaluated()
    table = measure_sets(model)
    assert values(table, "test")["R2"] > 0.9
    assert len(table.failures.errors) == 1


def test_global_metrics_need_no_sets(model):
    assert values(measure_global(model), None) == {"features": 2}


def test_a_batch_is_measured_on_the_rows_whose_target_is_known(model):
    XY, Y_pred = batch_of(model, targets=40)
    found = values(measure_batch(model, XY, Y_pred), BATCH_SET)
    assert (found["Rows"], found["Rows with target"]) == (50, 40)
    assert found["mean"] == pytest.approx(Y_pred["estimation"].mean())
    assert found["RMSE"] == pytest.approx(
        ((XY["price"] - Y_pred["estimation"]).loc[:39] ** 2).mean() ** 0.5
    )


def test_a_batch_without_any_target_has_the_metrics_of_methods_only(model):
    XY, Y_pred = batch_of(model, targets=0)
    assert set(values(measure_batch(model, XY, Y_pred), BATCH_SET)) == {
        "Rows", "Rows with target", "mean"
    }  # fmt: skip
    without = measure_batch(model, XY.drop(columns="price"), Y_pred)
    assert set(values(without, BATCH_SET)) == {"mean"}


def test_single_estimations_are_measured_row_by_row(model):
    XY, Y_pred = batch_of(model)
    failures = ErrorCollector()
    table = measure_estimations(model, XY, Y_pred, failures)
    assert failures.errors == []
    assert table["value_number"].to_list() == XY["size"].to_list()
    assert set(table["name"]) == {"size"}


def test_two_methods_that_yield_one_estimation_metric_are_a_failure():
    cls = variant(
        Measured, compute_estimation_metrics_twice=Measured.compute_estimation_metrics_size
    )
    model, failures = Stages(cls).evaluated(), ErrorCollector()
    table = measure_estimations(model, *batch_of(model), failures)
    assert len(table) == 50
    with pytest.raises(HookError, match="both yield the metric 'size'"):
        failures.raise_collected()


def test_without_methods_there_are_no_metrics_of_estimations():
    model = Stages().evaluated()
    table = measure_estimations(model, *batch_of(model), ErrorCollector())
    assert list(table) == ["name", "value_number", "value_text"]
    assert table.empty


# -- rows -----------------------------------------------------------------------------------------


def test_rows_are_selected_by_a_mask(model):
    XY, Y_pred = batch_of(model)
    chosen = Rows("batch", XY, Y_pred).where(XY["size"] > 100)
    assert chosen.XY["size"].min() > 100
    assert chosen.Y_pred.index.equals(chosen.XY.index)


def test_rows_of_other_estimations_are_refused(model):
    XY, Y_pred = batch_of(model)
    with pytest.raises(DataError):
        Rows("batch", XY, Y_pred.iloc[::-1]).where(XY["size"] > 100)


def test_known_targets_are_a_mask_or_none(model):
    XY, _ = batch_of(model, targets=40)
    assert known_targets(model, XY).sum() == 40
    assert known_targets(model, XY.drop(columns="price")) is None


def test_weights_come_from_the_declared_column(kinds, model, caplog):
    XY = kinds.sets["test"]
    assert row_weight(kinds, XY).equals(XY["weight"])
    assert row_weight(model, XY) is None
    assert row_weight(kinds, XY.drop(columns="weight")) is None
    assert "there is no column 'weight'" in caplog.text


def test_classical_metrics_are_of_the_kind_of_the_model(model, kinds):
    sets, made = model.sets["test"], model.sets_estimations["test"]
    assert "RMSE" in classical_metrics(model, sets, made).values
    found = classical_metrics(kinds, kinds.sets["test"], kinds.sets_estimations["test"]).values
    assert {"ROC AUC", "Macro F1"} <= set(found)
    assert classical_metrics(model, sets.drop(columns="price"), made).values == {}


def test_main_metrics_are_those_of_the_evaluation_set(model):
    found = main_metrics(model, EvaluationSet("val", model.sets_estimations["val"]))
    assert found == classical_metrics(model, model.sets["val"], model.sets_estimations["val"])
    assert main_metrics(model, EvaluationSet("val", None, "it failed")).values == {}


# -- purity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [Priced, Kinds])
def test_estimating_and_measuring_write_nothing_into_the_model(cls):
    stages = Stages(cls)
    splits = stages.splits()
    model = stages.fitted(splits).model
    model.sets_estimations = estimate_sets(model, splits, checks={}).frames
    rows = batch_of(model)
    with unchanged(model, *splits.frames.values()):
        estimate_sets(model, splits)
        measure_sets(model)
        measure_batch(model, *rows)
