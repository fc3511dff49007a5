"""Objectives that are functions, and those from which a classifier gets no probabilities."""

import functools
import pickle

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.support.estimators import FEATURES, houses, sets
from tests.support.saved import rounds_of
from xingu.errors import DataError, DeclarationError
from xingu.estimators import (
    CatBoostClassifier,
    CatBoostRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
)
from xingu.estimators.lightgbm_predict import log_loss
from xingu.tuning.trials import plain

ONE = {"n_jobs": 1, "num_leaves": 7, "n_estimators": 60}
ROWS = houses(700, seed=9)


def two_classes(scores, data, steepness=1.0):
    chances = 1 / (1 + np.exp(-steepness * scores))
    return chances - data.get_label(), chances * (1 - chances)


def many_classes(scores, data):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances = powers / powers.sum(axis=1, keepdims=True)
    truth = np.eye(chances.shape[1])[data.get_label().astype(int)]
    return chances - truth, 2 * chances * (1 - chances)


def squared(scores, data):
    return scores - data.get_label(), np.ones_like(scores)


def fit(kind, target, **params):
    return kind({**ONE, **params}).fit(sets(target), FEATURES, "price")


@pytest.mark.parametrize(
    ("target", "objective"),
    [("bool", two_classes), ("three", many_classes), ("bool", functools.partial(two_classes))],
)
@pytest.mark.parametrize("rows", [ROWS.head(20), ROWS], ids=len)
def test_probabilities_are_those_of_the_same_loss_built_in(target, objective, rows):
    own, built_in = (
        fit(LightGBMClassifier, target, objective=objective),
        fit(LightGBMClassifier, target),
    )
    found, expected = own.predict_proba(rows), built_in.predict_proba(rows)
    assert found.sum(axis=1).to_numpy() == pytest.approx(1)
    assert found.min(axis=None) >= 0
    assert (found - expected).abs().mean(axis=None) < 0.03
    assert (own.predict(rows) == built_in.predict(rows)).mean(axis=None) > 0.9


@pytest.mark.parametrize(("target", "objective"), [("bool", two_classes), ("three", many_classes)])
def test_a_saved_one_estimates_the_same_bits(target, objective, tmp_path):
    own = fit(LightGBMClassifier, target, objective=objective)
    own.save(tmp_path)
    for again in (LightGBMClassifier.load(tmp_path), pickle.loads(pickle.dumps(own))):
        assert_frame_equal(again.predict_proba(ROWS), own.predict_proba(ROWS), check_exact=True)
        assert_frame_equal(again.predict(ROWS), own.predict(ROWS), check_exact=True)


@pytest.mark.parametrize(
    ("kind", "target", "objective"),
    [
        (LightGBMClassifier, "bool", two_classes),
        (LightGBMClassifier, "three", many_classes),
        (LightGBMRegressor, "number", squared),
    ],
)
def test_training_stops_when_val_gets_no_better(kind, target, objective):
    params = {"n_estimators": 900, "learning_rate": 0.3, "early_stopping_rounds": 5}
    own, built_in = (fit(kind, target, **params, **more) for more in ({"objective": objective}, {}))
    assert rounds_of(own) < 890
    assert abs(rounds_of(own) - rounds_of(built_in)) < 60


def test_the_log_loss_is_that_of_the_probabilities_and_weighted():
    data = lgb.Dataset(np.zeros((3, 1)), label=[0, 1, 1], weight=[1.0, 1.0, 2.0])
    name, value, higher_is_better = log_loss(np.array([0.0, 0.0, np.log(3)]), data)
    assert (name, higher_is_better) == ("log_loss", False)
    assert value == pytest.approx((2 * np.log(2) + 2 * -np.log(0.75)) / 4)
    many = np.log([[0.2, 0.8], [0.5, 0.5], [0.1, 0.9]])
    expected = -np.average(np.log([0.2, 0.5, 0.9]), weights=[1, 1, 2])
    assert log_loss(many, data)[1] == pytest.approx(expected)


def test_a_regressor_estimates_the_scores():
    own, built_in = (
        fit(LightGBMRegressor, "number", objective=squared),
        fit(LightGBMRegressor, "number"),
    )
    difference = own.predict(ROWS)["estimation"] - built_in.predict(ROWS)["estimation"]
    assert difference.abs().mean() < 0.2


@pytest.mark.parametrize("metric", ["binary_logloss", "auc,binary_error", ["auc", "l2"]])
def test_a_metric_that_would_take_scores_for_probabilities_is_refused(metric):
    with pytest.raises(DeclarationError, match="on scores instead of probabilities"):
        LightGBMClassifier({"objective": two_classes, "metric": metric}).check_params()
    fit(LightGBMClassifier, "bool", objective=two_classes, metric="auc")


def test_a_function_that_cannot_be_stored_is_refused_before_the_fit():
    with pytest.raises(DeclarationError, match="cannot be stored .* top of a module"):
        LightGBMRegressor({"objective": lambda scores, data: (scores, scores)}).check_params()


def test_a_function_for_another_parameter_is_refused():
    with pytest.raises(DeclarationError, match="'metric' is a function; only the objective"):
        LightGBMClassifier({"metric": two_classes}).check_params()


def test_a_function_is_recorded_by_its_name():
    assert plain({"objective": two_classes}) == {"objective": f"{__name__}.two_classes"}


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (LightGBMClassifier, {"objective": "regression"}),
        (LightGBMClassifier, {"loss": "lambdarank"}),
        (XGBoostClassifier, {"objective": two_classes}),
        (CatBoostClassifier, {"loss_function": "RMSE"}),
        (CatBoostClassifier, {"objective": two_classes}),
    ],
)
def test_an_objective_without_probabilities_is_refused_by_a_classifier(kind, params):
    estimator = kind(params)
    for refuse in (estimator.check_params, lambda: estimator.fit(sets("bool"), FEATURES, "price")):
        with pytest.raises(DeclarationError, match=r"returns? no.* probabilities|not return prob"):
            refuse()


def test_an_objective_for_two_classes_is_refused_for_three():
    with pytest.raises(DataError, match="'binary' is for two classes, and the target has 3"):
        fit(LightGBMClassifier, "three", objective="binary")


@pytest.mark.parametrize("objective", ["multiclass", "multiclassova", "softmax", "ova"])
@pytest.mark.parametrize("target", ["bool", "three"])
def test_an_objective_for_many_classes_serves_any_number(objective, target):
    found = fit(LightGBMClassifier, target, objective=objective).predict_proba(ROWS)
    assert found.shape[1] == (2 if target == "bool" else 3)
    assert found.max(axis=None) <= 1


def test_a_loss_of_classes_is_refused_by_the_regressor_of_catboost():
    with pytest.raises(DeclarationError, match="'Logloss' does not return numbers; use a classif"):
        CatBoostRegressor({"loss_function": "Logloss"}).check_params()


@pytest.mark.parametrize("loss", ["Poisson", "Tweedie:variance_power=1.5"])
def test_losses_of_a_logarithm_estimate_in_the_unit_of_the_target(loss, tmp_path):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"size": rng.normal(size=2000)})
    rows["price"] = rng.poisson(np.exp(3 + 0.5 * rows["size"])).astype(float)
    params = {"iterations": 200, "learning_rate": 0.3, "objective": loss}
    estimator = CatBoostRegressor(params).fit({"train": rows}, ["size"], "price")
    estimator.save(tmp_path)
    found = CatBoostRegressor.load(tmp_path).predict(rows)["estimation"]
    assert found.mean() == pytest.approx(rows["price"].mean(), rel=0.05)


def test_a_quantile_of_the_logarithm_is_estimated_as_a_positive_number():
    rows = pd.DataFrame({"size": [1.0, 2.0] * 50, "price": [10.0, 20.0] * 50})
    params = {"iterations": 20, "loss_function": "LogLinQuantile"}
    estimator = CatBoostRegressor(params).fit({"train": rows}, ["size"], "price")
    assert (estimator.predict(rows)["estimation"] > 0).all()


@pytest.mark.parametrize("name", ["class_weight", "is_unbalance", "scale_pos_weight"])
def test_weights_of_classes_are_refused_by_a_regressor(name):
    with pytest.raises(DeclarationError, match=f"'{name}' has no effect on a regressor.*sample_w"):
        LightGBMRegressor({name: 2.0}).check_params()


def test_a_regressor_with_a_binary_objective_weighs_the_positive_class():
    binary = {"objective": "binary", "scale_pos_weight": 2.0}
    LightGBMRegressor(binary).check_params()
    with pytest.raises(DeclarationError, match="'class_weight' has no effect"):
        LightGBMRegressor({**binary, "class_weight": "balanced"}).check_params()


@pytest.mark.parametrize("name", ["ignore_feature", "weight_column", "label", "group"])
def test_parameters_of_lightgbms_text_files_are_refused(name):
    with pytest.raises(DeclarationError, match=f"'{name}' names columns of LightGBM's text files"):
        LightGBMRegressor({name: "size"}).check_params()


@pytest.mark.parametrize(
    "kind", ["cat_feature", "categorical_column", "cat_column", "categorical_features"]
)
def test_categories_are_declared_by_every_alias_of_lightgbm(kind):
    estimator = fit(LightGBMRegressor, "number", **{kind: "rooms"})
    assert "rooms" in estimator._encoder.unordered
    assert "==" in str(estimator._booster.dump_model())


def test_categories_are_declared_by_catboosts_own_parameter(tmp_path):
    params = {"iterations": 30, "cat_features": ["rooms"]}
    estimator = CatBoostRegressor(params).fit(sets(), FEATURES, "price")
    assert estimator._booster.get_cat_feature_indices() == [1, 2]
    estimator.save(tmp_path)
    again = CatBoostRegressor.load(tmp_path)
    assert_frame_equal(again.predict(ROWS), estimator.predict(ROWS), check_exact=True)


def test_numbers_that_are_categories_are_estimated_right_whatever_they_are():
    shops = pd.Series(np.resize([-3, 2_000_000_000_000, 7, 0], 400))
    rows = pd.DataFrame(
        {"shop": shops, "price": shops.map({-3: 1.0, 7: 2.0, 0: 3.0, 2 * 10**12: 9.0})}
    )
    params = {**ONE, "categorical_feature": [0], "min_data_per_group": 1, "cat_smooth": 0}
    found = LightGBMRegressor(params).fit({"train": rows}, ["shop"], "price").predict(rows)
    assert found["estimation"].to_numpy() == pytest.approx(rows["price"].to_numpy(), abs=0.2)
