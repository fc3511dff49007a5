"""Estimations of many rows, a few trees at a time, are those of LightGBM itself."""

import lightgbm as lgb
import numpy as np
import pytest

from xingu.estimators.lightgbm_predict import LEAVES_AT_ONCE, MIN_ROWS, predict

ROWS = MIN_ROWS + 500
SMALL = {"num_leaves": 15, "num_threads": 1, "verbosity": -1}


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(5)
    matrix = rng.normal(size=(ROWS, 6))
    matrix[:, 5] = rng.integers(0, 8, ROWS)
    matrix[rng.random(matrix.shape) < 0.05] = np.nan
    return matrix


def booster_of(features, rounds=150, **params):
    signal = np.nan_to_num(features[:, 0] + features[:, 1] * features[:, 5])
    target = {"classes": signal > 0, "many": np.digitize(signal, [-1, 1])}.get(
        params.pop("target", ""), np.exp(np.clip(signal, -5, 5))
    )
    data = lgb.Dataset(features, target.astype(float), categorical_feature=[5])
    return lgb.train({**SMALL, **params}, data, rounds)


SUMS = [
    {"objective": "regression"},
    {"objective": "regression_l1"},
    {"objective": "huber"},
    {"objective": "fair"},
    {"objective": "quantile", "alpha": 0.8},
    {"objective": "mape"},
    {"objective": "poisson"},
    {"objective": "gamma"},
    {"objective": "tweedie"},
    {"objective": "binary", "target": "classes"},
    {"objective": "binary", "target": "classes", "sigmoid": 1.7},
    {"objective": "cross_entropy", "target": "classes"},
    {"objective": "regression", "boosting": "dart"},
    {"objective": "regression", "linear_tree": True},
    {"objective": "regression", "num_leaves": 2000, "min_data_in_leaf": 1, "rounds": 20},
]


def own_objective(preds, data):
    return preds - data.get_label(), np.ones_like(preds)


def name_of(params):
    return " ".join(getattr(value, "__name__", str(value)) for value in params.values())


OTHERS = [
    {"objective": "regression", "reg_sqrt": True},
    {"objective": "multiclass", "num_class": 3, "target": "many"},
    {"objective": "multiclassova", "num_class": 3, "target": "many"},
    {"objective": "cross_entropy_lambda", "target": "classes"},
    {"objective": "regression", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    {"objective": own_objective},
]


@pytest.mark.parametrize("params", SUMS, ids=name_of)
def test_sums_of_a_few_trees_make_the_estimations_of_all(features, params):
    booster = booster_of(features, **params)
    calls = count_calls(booster)
    found = predict(booster, features, {})
    at_once = max(1, LEAVES_AT_ONCE // params.get("num_leaves", SMALL["num_leaves"]))
    firsts = [call["start_iteration"] for call in calls]
    assert firsts == list(range(0, booster.num_trees(), at_once))
    np.testing.assert_allclose(found, booster.predict(features), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("params", OTHERS, ids=name_of)
def test_what_is_more_than_a_sum_is_left_to_lightgbm(features, params):
    booster = booster_of(features, **params)
    found = predict(booster, features, {})
    np.testing.assert_array_equal(found, booster.predict(features))


def test_few_rows_are_left_to_lightgbm(features):
    booster, few = booster_of(features, objective="binary", target="classes"), features[:50]
    np.testing.assert_array_equal(predict(booster, few, {}), booster.predict(few))


def test_a_booster_that_was_stopped_early_uses_its_best_rounds_only(features):
    target = np.nan_to_num(features[:, 0])
    half = ROWS // 2
    train = lgb.Dataset(features[:half], target[:half])
    val = lgb.Dataset(
        features[half:], np.random.default_rng(1).normal(size=ROWS - half), reference=train
    )
    stop = [lgb.early_stopping(5, verbose=False)]
    booster = lgb.train(
        {**SMALL, "objective": "regression"}, train, 300, valid_sets=[val], callbacks=stop
    )
    np.testing.assert_allclose(
        predict(booster, features, {}), booster.predict(features), rtol=1e-12, atol=1e-12
    )


def test_probabilities_at_the_ends_make_no_noise(features):
    steep = booster_of(features, objective="binary", target="classes", sigmoid=100.0)
    found = predict(steep, features, {})
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()


def count_calls(booster):
    """Count calls of `predict` from now on."""
    calls, whole = [], booster.predict

    def counted(*args, **kwargs):
        calls.append(kwargs)
        return whole(*args, **kwargs)

    booster.predict = counted
    return calls
