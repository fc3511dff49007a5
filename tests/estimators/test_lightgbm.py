"""Tests of the LightGBM Estimators' own behaviour."""

import logging
import pickle
import re

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.support.estimators import FEATURES, houses, noise_sets, sets
from tests.support.saved import rounds_of, saved
from xingu.errors import DataError, DeclarationError
from xingu.estimators import LightGBMClassifier, LightGBMRegressor, boosting

ONE = {"n_jobs": 1, "num_leaves": 7, "n_estimators": 20}


def fit(estimator, data=None, features=FEATURES):
    return estimator.fit(data or sets(), features, "price")


def predict_with(column, kind=LightGBMRegressor):
    """Estimations of a model that was trained with the feature `column` and no other."""
    frame = pd.DataFrame({"x": column})
    frame["price"] = np.arange(len(frame), dtype=float)
    params = {**ONE, "min_data_in_leaf": 1, "min_data_per_group": 1, "cat_smooth": 0}
    return kind(params).fit({"train": frame}, ["x"], "price").predict(frame)["estimation"]


def test_training_stops_when_val_gets_no_better():
    params = {"n_estimators": 400, "n_jobs": 1, "early_stopping_rounds": 5}
    assert rounds_of(fit(LightGBMRegressor(params), noise_sets())) < 50


def test_without_val_all_rounds_are_trained():
    train_only = {"train": houses()}
    assert rounds_of(fit(LightGBMRegressor({**ONE, "early_stopping_rounds": 1}), train_only)) == 20


def test_early_stopping_can_be_switched_off():
    params = {**ONE, "n_estimators": 80, "early_stopping_rounds": 1}
    assert rounds_of(fit(LightGBMRegressor(params, early_stopping=False), noise_sets())) == 80


@pytest.mark.parametrize("alias", ["n_estimators", "num_iterations", "num_boost_round"])
def test_hyperparams_win_over_params_under_any_alias(alias):
    assert rounds_of(fit(LightGBMRegressor(ONE, {alias: 3}))) == 3


def test_none_means_the_default_of_lightgbm():
    assert (
        rounds_of(fit(LightGBMRegressor({**ONE, "random_state": None}, {"n_estimators": None}))) > 3
    )


def test_a_parameter_that_lightgbm_does_not_know_is_refused():
    with pytest.raises(DeclarationError, match=r"'num_leafs'.*Did you mean 'num_leaves'"):
        fit(LightGBMRegressor({"num_leafs": 3}))


def test_the_seed_passes_through():
    def bagged(seed):
        bagging = {"subsample": 0.5, "subsample_freq": 1, "random_state": seed}
        return fit(LightGBMRegressor({**ONE, **bagging})).predict(houses(9))

    assert_frame_equal(bagged(1), bagged(1), check_exact=True)
    assert not bagged(1).equals(bagged(2))


def test_progress_is_logged_with_the_metric_of_val_and_nothing_is_printed(caplog, capfd):
    caplog.set_level(logging.INFO)
    fit(LightGBMRegressor(ONE, log_every=10))
    lines = [record.getMessage() for record in caplog.records if record.name == boosting.__name__]
    assert re.fullmatch(r"LightGBMRegressor: round 10 of 20, val l2 [\d.]+", lines[0])
    assert "400 rows × 3 features" in lines[-1]
    assert capfd.readouterr() == ("", "")


def test_loading_prints_nothing(tmp_path, capfd):
    fit(LightGBMRegressor(ONE)).save(tmp_path)
    LightGBMRegressor.load(tmp_path).predict(houses(3))
    assert capfd.readouterr() == ("", "")


def test_the_pickle_beside_the_text_file_holds_no_booster(tmp_path):
    fit(LightGBMRegressor({**ONE, "n_estimators": 300})).save(tmp_path)
    assert (tmp_path / "booster.txt").read_text().startswith("tree\n")
    assert b"Tree=" not in (tmp_path / "estimator.pkl").read_bytes()


def test_the_text_file_alone_estimates_a_frame_with_categories(tmp_path):
    estimator = fit(LightGBMRegressor(ONE))
    estimator.save(tmp_path)
    rows = houses(9).astype({"colour": "category"})
    plain = lgb.Booster(model_file=tmp_path / "booster.txt")
    assert plain.pandas_categorical == [["blue", "green", "red"]]
    expected = estimator.predict(rows)["estimation"].to_numpy()
    assert np.array_equal(np.asarray(plain.predict(rows[FEATURES])), expected)


def test_it_learns_what_lightgbm_learns_from_the_same_frame():
    data, plain = houses(), houses().astype({"colour": "category"})
    own = {"verbosity": -1, "num_threads": 1, "num_leaves": 7, "force_col_wise": True}
    booster = lgb.train(own, lgb.Dataset(plain[FEATURES], plain.price), 20)
    ours = fit(LightGBMRegressor(ONE), {"train": data}).predict(data)["estimation"]
    assert np.array_equal(np.asarray(booster.predict(plain[FEATURES])), ours.to_numpy())


@pytest.mark.parametrize(
    "dtype",
    ["bool", "boolean", "Int64", "int8", "uint16", "float16", "float32", "Float64",
     "int64[pyarrow]", "double[pyarrow]", "bool[pyarrow]", "object"],
)  # fmt: skip
def test_numbers_of_any_type_are_learned(dtype):
    column = pd.Series([0, 1] * 20).astype(dtype)
    low_and_high = predict_with(column)
    assert low_and_high.iloc[0] != low_and_high.iloc[1]


@pytest.mark.parametrize("dtype", ["boolean", "Int64", "Float32", "int64[pyarrow]", "object"])
def test_a_missing_number_of_any_type_is_a_value_of_its_own(dtype):
    column = pd.Series([1, None] * 20, dtype="object").astype(dtype)
    known_and_missing = predict_with(column)
    assert known_and_missing.iloc[0] != known_and_missing.iloc[1]


@pytest.mark.parametrize("dtype", ["str", "object", "category", "string", "string[pyarrow]"])
def test_text_of_any_type_becomes_categories_with_gaps(dtype):
    column = pd.Series(["b", "a", None, "c"] * 10, dtype="object").astype(dtype)
    estimations = predict_with(column)
    assert estimations.iloc[:4].nunique() == 4


def test_ordered_categories_are_quantities():
    grades = pd.Series(pd.Categorical(list("xyz") * 20, ["z", "y", "x"], ordered=True))
    frame = pd.DataFrame({"x": grades, "price": grades.cat.codes})
    estimator = LightGBMRegressor(ONE).fit({"train": frame}, ["x"], "price")
    with saved(estimator) as folder:
        assert "num_cat=0" in (folder / "booster.txt").read_text()


def test_a_date_is_refused_by_name_with_advice():
    train = houses().assign(sold=pd.Timestamp("2020-01-01"))
    with pytest.raises(DataError, match=r"'sold'.*derive numbers from it in feature_engineering"):
        fit(LightGBMRegressor(ONE), {"train": train}, [*FEATURES, "sold"])


@pytest.mark.parametrize("values", [[1 + 2j], [[1]], ["text", 3], [pd.Timedelta(1)]])
def test_what_is_neither_number_nor_text_is_refused_by_name(values):
    frame = pd.DataFrame({"odd": values * 10, "price": range(len(values) * 10)})
    with pytest.raises(DataError, match="'odd'"):
        fit(LightGBMRegressor(ONE), {"train": frame}, ["odd"])


def test_text_where_numbers_were_is_refused_by_name():
    with pytest.raises(DataError, match=r"'rooms'.*was numeric in training"):
        fit(LightGBMRegressor(ONE)).predict(houses(3).assign(rooms="three"))


def test_a_target_that_is_text_is_refused_by_the_regressor():
    with pytest.raises(DataError, match="'price' is not numeric"):
        fit(LightGBMRegressor(ONE), sets("text"))


def test_balanced_class_weights_raise_the_rarer_class():
    data = {"train": houses(400, target="number").assign(price=lambda f: f.price > 10)}
    rare = fit(LightGBMClassifier(ONE), data).predict_proba(houses(), 1).to_numpy()
    weighed = {**ONE, "class_weight": "balanced"}
    balanced = fit(LightGBMClassifier(weighed), data).predict_proba(houses(), 1).to_numpy()
    assert balanced.mean() > rare.mean() + 0.02


def test_two_columns_of_one_name_are_refused():
    rows = houses(3)
    with pytest.raises(DataError, match="two columns called 'size'"):
        fit(LightGBMRegressor(ONE)).predict(pd.concat([rows, rows[["size"]]], axis=1))


def test_the_last_of_two_fits_is_saved(tmp_path):
    estimator = fit(fit(LightGBMRegressor(ONE)), noise_sets())
    estimator.save(tmp_path)
    rows = houses(9)
    loaded = LightGBMRegressor.load(tmp_path).predict(rows)
    assert_frame_equal(loaded, estimator.predict(rows), check_exact=True)
    assert_frame_equal(loaded, fit(LightGBMRegressor(ONE), noise_sets()).predict(rows))


def test_a_fitted_estimator_is_pickled_once(tmp_path):
    estimator = fit(LightGBMRegressor(ONE))
    before = len(pickle.dumps(estimator))
    estimator.save(tmp_path)
    assert len(pickle.dumps(estimator)) == before


def test_the_best_round_is_kept_after_early_stopping():
    estimator = fit(LightGBMRegressor({**ONE, "n_estimators": 500, "early_stopping_round": 3}))
    exact = fit(LightGBMRegressor({**ONE, "n_estimators": rounds_of(estimator)}))
    assert 0 < rounds_of(estimator) < 500
    assert_frame_equal(estimator.predict(houses(9)), exact.predict(houses(9)), check_exact=True)
