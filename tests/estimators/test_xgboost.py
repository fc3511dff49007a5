"""Tests of the XGBoost Estimators' own behaviour."""

import errno
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from pandas.testing import assert_frame_equal

from tests.support.estimators import FEATURES, NUMBERS, houses, sets
from tests.support.saved import rounds_of
from xingu.errors import DataError, DeclarationError
from xingu.estimators import XGBoostClassifier, XGBoostRegressor

FAST = {"n_estimators": 20, "learning_rate": 0.3, "max_depth": 4}


def fit(estimator, data=None, features=FEATURES):
    return estimator.fit(data or sets(), features, "price")


def test_it_learns_what_xgboost_learns_from_the_same_frame():
    data, plain = houses(), houses().astype({"colour": "category"})
    own = {"nthread": 1, "learning_rate": 0.3, "max_depth": 4}
    matrix = xgb.DMatrix(plain[FEATURES], plain.price, enable_categorical=True)
    expected = xgb.train(own, matrix, 20).predict(matrix)
    ours = fit(XGBoostRegressor(FAST), {"train": data}).predict(data)["estimation"]
    assert np.allclose(ours, expected, rtol=1e-5)


def test_the_file_is_xgboosts_own_and_names_the_features(tmp_path):
    estimator = fit(XGBoostRegressor(FAST), features=NUMBERS)
    estimator.save(tmp_path)
    plain = xgb.Booster(model_file=tmp_path / "booster.ubj")
    rows = houses(9)
    assert plain.feature_names == NUMBERS
    expected = estimator.predict(rows)["estimation"]
    assert np.array_equal(plain.predict(xgb.DMatrix(rows[NUMBERS])), expected)


def test_the_best_round_is_kept():
    estimator = fit(XGBoostRegressor({**FAST, "n_estimators": 300, "early_stopping_rounds": 10}))
    exact = fit(XGBoostRegressor({**FAST, "n_estimators": rounds_of(estimator)}))
    assert 0 < rounds_of(exact) < 300
    assert_frame_equal(estimator.predict(houses(9)), exact.predict(houses(9)))


@pytest.mark.parametrize("alias", ["eta", "learning_rate"])
def test_the_libraries_two_names_of_a_parameter_are_one(alias):
    params = {"eta": 0.3, "n_estimators": 5}
    low = fit(XGBoostRegressor(params, {alias: 1e-6})).predict(houses())["estimation"]
    assert low.std() < 1e-3


def test_the_seed_passes_through():
    def sampled(seed):
        return fit(XGBoostRegressor({**FAST, "subsample": 0.5, "random_state": seed})).predict(
            houses(9)
        )

    assert_frame_equal(sampled(1), sampled(1), check_exact=True)
    assert not sampled(1).equals(sampled(2))


def test_linear_boosters_predict_stop_and_weigh_features(tmp_path):
    params = {"booster": "gblinear", "n_estimators": 50, "early_stopping_rounds": 5}
    estimator = fit(XGBoostRegressor(params), features=NUMBERS)
    estimator.save(tmp_path)
    again = XGBoostRegressor.load(tmp_path)
    assert estimator.feature_importance().index[0] == "size"
    assert_frame_equal(again.predict(houses(9)), estimator.predict(houses(9)), check_exact=True)


def test_linear_boosters_of_three_classes_weigh_features():
    estimator = fit(XGBoostClassifier({"booster": "gblinear"}), sets("three"), NUMBERS)
    assert estimator.feature_importance().index[0] == "size"


def test_monotone_constraints_may_be_a_list():
    params = {**FAST, "monotone_constraints": [-1, 0]}
    estimator = fit(XGBoostRegressor(params), features=NUMBERS)
    rising = houses(9).sort_values("size").assign(rooms=4)
    assert estimator.predict(rising)["estimation"].is_monotonic_decreasing


@pytest.mark.parametrize("objective", ["binary:hinge", "binary:logitraw", "reg:squarederror"])
def test_an_objective_without_probabilities_is_refused_by_the_classifier(objective):
    with pytest.raises(DeclarationError, match=f"'{objective}' returns no probabilities"):
        XGBoostClassifier({"objective": objective}).check_params()


def test_two_classes_may_be_learned_as_many():
    estimator = fit(XGBoostClassifier({**FAST, "objective": "multi:softprob"}), sets("bool"))
    assert estimator.predict_proba(houses(9)).shape == (9, 2)


def test_an_objective_of_several_numbers_is_refused_by_the_regressor():
    params = {**FAST, "objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]}
    with pytest.raises(DataError, match="2 estimations per row"):
        fit(XGBoostRegressor(params)).predict(houses(3))


def test_balanced_class_weights_raise_the_rarer_class():
    data = {"train": houses(400).assign(price=lambda f: f.price > 10)}
    rare = fit(XGBoostClassifier(FAST), data).predict_proba(houses(), 1).to_numpy()
    params = {**FAST, "class_weight": "balanced"}
    balanced = fit(XGBoostClassifier(params), data).predict_proba(houses(), 1).to_numpy()
    assert balanced.mean() > rare.mean()


def test_class_weight_is_no_parameter_of_the_regressor():
    with pytest.raises(DeclarationError, match="'class_weight'"):
        XGBoostRegressor({"class_weight": "balanced"}).check_params()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported_as_such(tmp_path):
    (tmp_path / "booster.ubj").symlink_to("/dev/full")
    with pytest.raises(OSError, match="space") as caught:
        fit(XGBoostRegressor(FAST)).save(tmp_path)
    assert caught.value.errno == errno.ENOSPC
