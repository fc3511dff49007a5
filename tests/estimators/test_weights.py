"""A DataProvider that declares weights is fitted with them."""

import numpy as np
import pytest

from tests.support.estimators import NUMBERS, houses
from xingu import DataProvider, Model
from xingu.errors import DataError, DeclarationError, MissingColumnError
from xingu.estimators import (
    CatBoostRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    SklearnEstimator,
    XGBoostRegressor,
)
from xingu.model.provenance import Provenance
from xingu.records import TrainRun

TREES = {"n_estimators": 10, "min_child_samples": 1}
LINES = {"algorithm": "sklearn.linear_model.LinearRegression"}


class Weighted(DataProvider):
    id = "weighted"
    sample_weight = "count"


MODEL = Model.of(Weighted(), None, TrainRun("weighted", "t", "s", "r"), Provenance())


def train(count, target="number"):
    return houses(200, 0, target).assign(count=count)


def fitted(estimator, train, model=MODEL, **sets):
    estimator.fit({"train": train, **sets}, NUMBERS, "price", model=model)
    return estimator.predict(train)["estimation"].to_numpy()


@pytest.mark.parametrize(
    "make",
    [
        lambda: LightGBMRegressor(TREES),
        lambda: XGBoostRegressor({"n_estimators": 10}),
        lambda: CatBoostRegressor({"n_estimators": 10}),
        lambda: SklearnEstimator(**LINES),
        lambda: SklearnEstimator(algorithm="tests.estimators.test_weights.pipeline"),
    ],
)
def test_a_row_of_weight_0_teaches_nothing(make):
    frame = train(np.repeat([1.0, 0.0], 100))
    spoiled = frame.assign(price=frame["price"].where(frame["count"] > 0, 1e6))
    assert np.allclose(fitted(make(), frame), fitted(make(), spoiled))
    assert not np.allclose(fitted(make(), frame, None), fitted(make(), spoiled, None))


def pipeline():
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler

    return Pipeline([("scale", MinMaxScaler()), ("line", LinearRegression())])


def test_weights_of_rows_and_of_classes_are_multiplied():
    frame = train(1.0, "bool")
    by_row = fitted(LightGBMClassifier(TREES), frame.assign(count=1.0 + 4 * frame["price"]))
    by_class = fitted(LightGBMClassifier({**TREES, "class_weight": {True: 5.0}}), frame)
    assert (by_row == by_class).all()


@pytest.mark.parametrize("kind", [LightGBMRegressor, XGBoostRegressor, CatBoostRegressor])
def test_val_stops_by_its_weights(kind):
    frame, val = train(1.0), houses(100, 1).assign(count=np.repeat([1.0, 0.0], 50))
    spoiled = val.assign(price=val["price"].where(val["count"] > 0, -1e6))
    params = {"n_estimators": 300, "early_stopping_rounds": 5, "learning_rate": 0.3}
    one = fitted(kind(params), frame, val=val)
    assert (one == fitted(kind(params), frame, val=spoiled)).all()


@pytest.mark.parametrize("count", [-1.0, np.nan, np.inf, 0.0])
def test_impossible_weights_are_refused(count):
    with pytest.raises(DataError, match="sample_weight 'count' must be a number of at least 0"):
        fitted(LightGBMRegressor(TREES), train(count))


def test_a_missing_column_of_weights_is_named():
    with pytest.raises(MissingColumnError, match="lacks sample_weight 'count'"):
        fitted(LightGBMRegressor(TREES), houses())


def test_an_algorithm_that_takes_no_weights_says_so():
    nearest = SklearnEstimator(algorithm="sklearn.neighbors.KNeighborsRegressor")
    with pytest.raises(DeclarationError, match="KNeighborsRegressor does not support weights"):
        fitted(nearest, train(1.0))
