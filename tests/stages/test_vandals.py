"""Hooks, methods and Estimators that change every frame in reach change nothing for others."""

import copy
import functools
import pickle
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.support.purity import unchanged
from tests.support.stages import Stages, variant
from tests.support.toys import Houses, MeanEstimator, houses
from xingu.error_collector import ErrorCollector
from xingu.errors import DataError
from xingu.estimators import SklearnEstimator
from xingu.model import Model
from xingu.stages.batch import clean_batch, engineer_batch
from xingu.stages.draw import draw_batch, draw_sets
from xingu.stages.evaluate import measure_batch, measure_estimations, measure_sets


def spoil(value) -> None:
    """Change frames, and those in dicts and Models, in place."""
    if isinstance(value, pd.DataFrame):
        value.loc[:, [name for name in ("size", "estimation") if name in value]] = 0.0
        value["town"] = "nowhere"
        value["other"] = 1
        for tags in value.get("tags", ()):
            tags.append("other")
    elif isinstance(value, Mapping):
        for one in value.values():
            spoil(one)
    elif hasattr(value, "sets"):
        spoil(value.sets)
        spoil(getattr(value, "sets_estimations", {}))


def with_tags(frame: pd.DataFrame) -> pd.DataFrame:
    """Add a column of lists."""
    return frame.assign(tags=pd.Series([["new"] for _ in range(len(frame))], index=frame.index))


def spoiling(function):
    @functools.wraps(function)
    def spoils(self, *arguments, **named):
        result = pickle.loads(pickle.dumps(function(self, *arguments, **named)))
        for value in (*arguments, *named.values()):
            spoil(value)
        return result

    return spoils


class Tidy(Houses):
    """Houses with a hook or method for each place that hands out frames."""

    def clean_data_for_train(self, datasets):
        data = super().clean_data_for_train(datasets)
        return with_tags(data)

    def feature_engineering_for_train(self, data):
        return super().feature_engineering_for_train(data)

    def last_pre_process_for_train(self, data):
        return data

    def data_split_for_train(self, data):
        return super().data_split_for_train(data)

    def post_process_after_hyperparam_optimize(self, model):
        pass

    def post_process_after_train(self, model):
        pass

    def pre_process_for_predict(self, X, model):
        return super().pre_process_for_predict(X, model)

    def pre_process_for_trainsets_metrics(self, model):
        pass

    def post_process_after_trainsets_metrics(self, model):
        pass

    def clean_data_for_batch_predict(self, datasets):
        return self.clean_data_for_train(datasets)

    def feature_engineering_for_batch_predict(self, data):
        return super().feature_engineering_for_batch_predict(data)

    def last_pre_process_for_batch_predict(self, data):
        return data

    def compute_trainsets_model_metrics_size(self, XY):
        return {"size": XY["size"].sum()}

    def compute_trainsets_model_metrics_zones(self, XY, Y_pred, model):
        return {"towns": XY["town"].nunique(), "rows": len(model.sets["train"])}

    def compute_global_model_metrics_sum(self, model):
        return {"sum": sum(one["size"].sum() for one in model.sets.values())}

    def compute_batch_model_metrics_a(self, XY, Y_pred):
        return {"a": XY["size"].sum()}

    def compute_batch_model_metrics_b(self, XY, Y_pred):
        return {"b": XY["size"].sum() + Y_pred["estimation"].sum()}

    def compute_estimation_metrics_a(self, XY, Y_pred):
        return pd.DataFrame({"name": "a", "value_number": XY["size"]})

    def compute_estimation_metrics_b(self, XY, Y_pred):
        return pd.DataFrame({"name": "b", "value_number": XY["size"] + Y_pred["estimation"]})

    def render_trainsets_model_plots_size(self, XY, Y_pred):
        return {}

    def render_batch_model_plots_size(self, XY, Y_pred):
        return {}

    def render_global_model_plots_size(self, model):
        return {}


SPOILED = {
    name: spoiling(function)
    for name, function in vars(Tidy).items()
    if callable(function) and name != "clean_data_for_batch_predict"
}
Vandal = variant(Tidy, **SPOILED)
TIDY, VANDAL = Stages(Tidy), Stages(Vandal)


@pytest.fixture(scope="module")
def tidy() -> Model:
    return TIDY.evaluated()


@pytest.fixture(scope="module")
def vandal() -> Model:
    return VANDAL.evaluated()


def raw(rows: int = 50) -> pd.DataFrame:
    return with_tags(houses(rows, seed=5))


def batch_of(model: Model) -> tuple[pd.DataFrame, pd.DataFrame]:
    batch = engineer_batch(model, clean_batch(model, {"houses": houses(50, seed=5)}))
    return batch, model.estimate(batch)


def values(table) -> list[tuple]:
    return [(row.set, row.name, row.value_number) for row in table.rows]


def test_sources_stay_as_they_were_read():
    sources = {"houses": houses()}
    Stages(Vandal, sources).splits()
    assert_frame_equal(sources["houses"], houses())


def test_sets_and_estimations_are_those_of_a_provider_that_changes_nothing(tidy, vandal):
    for name, frame in tidy.sets.items():
        assert_frame_equal(vandal.sets[name], frame)
        assert_frame_equal(vandal.sets_estimations[name], tidy.sets_estimations[name])


def test_metrics_of_sets_are_those_of_a_provider_that_changes_nothing(tidy, vandal):
    with unchanged(vandal):
        assert values(measure_sets(vandal)) == values(measure_sets(tidy))


def test_a_batch_is_measured_and_drawn_as_by_a_provider_that_changes_nothing(tidy, vandal):
    (batch, estimations), (XY, Y_pred) = batch_of(tidy), batch_of(vandal)
    assert_frame_equal(XY, batch)
    assert_frame_equal(Y_pred, estimations)
    with unchanged(vandal, XY, Y_pred):
        assert values(measure_batch(vandal, XY, Y_pred)) == values(
            measure_batch(tidy, batch, estimations)
        )
        assert_frame_equal(
            measure_estimations(vandal, XY, Y_pred, ErrorCollector()),
            measure_estimations(tidy, batch, estimations, ErrorCollector()),
        )
        draw_batch(vandal, XY, Y_pred)


def test_plots_change_neither_sets_nor_estimations(vandal):
    with unchanged(vandal):
        draw_sets(vandal)


def test_frames_of_the_caller_of_predict_stay_and_give_the_same_estimation_again(tidy, vandal):
    rows = raw()
    first, second = vandal.predict(rows), vandal.predict(rows)
    assert_frame_equal(rows, raw())
    assert_frame_equal(first, second)
    assert_frame_equal(first, tidy.predict(rows))


def test_estimations_are_the_callers_own():
    class Kept(Houses):
        def post_process_after_predict(self, X, Y_pred, model):
            if len(getattr(self, "kept", ())) != len(X):
                self.kept = Y_pred
            self.kept.loc[:, "estimation"] = X["size"].iloc[0]
            return self.kept

    model = Stages(Kept).fitted().model
    first = model.predict(raw(3))
    before = first.copy()
    model.predict(raw(6).tail(3))
    assert_frame_equal(first, before)
    first.loc[0, "estimation"] = -1.0
    assert first["estimation"].iloc[0] == -1.0


def test_an_estimator_of_a_user_changes_neither_sets_nor_rows_to_estimate():
    class Spoiling(MeanEstimator):
        def fit(self, datasets, features, target, model=None):
            super().fit(datasets, features, target)
            assert model is not None
            for frame in (*datasets.values(), *model.sets.values()):
                frame.loc[:, ["size", target]] = 0.0
                frame["other"] = 1
            return self

        def predict(self, data):
            data.loc[:, "size"] = 0.0
            data.insert(0, "other", 1)
            return super().predict(data)

        def hyperparam_optimize(self, model=None):
            spoil(model)
            return {}

    def seen(self, X, Y_pred, model):
        assert (X["size"] > 0).all()
        assert "other" not in X
        return Y_pred

    stages = Stages(variant(Tidy, estimator_class=Spoiling, post_process_after_predict=seen))
    splits = stages.splits()
    model = stages.fitted(splits).model
    assert_frame_equal(model.sets["train"], TIDY.splits().frames["train"])
    with unchanged(model):
        model.hyperparam_optimize()
        model.trainsets_predict.__func__(copy.copy(model))


def test_a_step_of_a_pipeline_changes_neither_sets_nor_rows_to_estimate():
    def pipeline():
        from sklearn.linear_model import LinearRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer

        def logarithm(X):
            X["size"] = np.log1p(X["size"])
            X.loc[:, "town_code"] = 0
            return X

        return make_pipeline(FunctionTransformer(logarithm), LinearRegression())

    rows = houses(20).assign(town_code=1)
    before = rows.copy()
    fitted = SklearnEstimator(algorithm=pipeline).fit(
        {"train": rows}, ["size", "town_code"], "price"
    )
    only = rows[["size", "town_code"]]
    assert_frame_equal(fitted.predict(only), fitted.predict(only))
    assert_frame_equal(only, before[["size", "town_code"]])
    assert_frame_equal(rows, before)


@pytest.mark.parametrize(
    "data",
    [{"size": 5.0}, [{"size": 5.0}], pd.Series({"size": 5.0}), np.zeros((1, 2)), None],
    ids=lambda data: type(data).__name__,
)
@pytest.mark.parametrize("kind", ["predict", "predict_proba"])
def test_only_a_frame_is_estimated_and_the_error_says_how_to_make_one(tidy, data, kind):
    expected = rf"houses\.{kind} takes a pandas DataFrame .* not {type(data).__name__}; .*"
    with pytest.raises(DataError, match=expected + r"pd\.DataFrame\(\["):
        getattr(tidy, kind)(data)
