"""Tests of the behaviour that LightGBM, XGBoost and CatBoost Estimators share."""

import logging

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.support.estimators import FEATURES, NUMBERS, houses, sets
from tests.support.saved import rounds_of
from xingu.errors import DataError, DeclarationError, MissingColumnError
from xingu.estimators import (
    CatBoostClassifier,
    CatBoostRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)

FAST = {"n_estimators": 12, "learning_rate": 0.3}
REGRESSORS = pytest.mark.parametrize(
    "kind", [LightGBMRegressor, XGBoostRegressor, CatBoostRegressor]
)
CLASSIFIERS = pytest.mark.parametrize(
    "kind", [LightGBMClassifier, XGBoostClassifier, CatBoostClassifier]
)


def fit(estimator, data=None, features=FEATURES):
    return estimator.fit(data or {"train": houses()}, features, "price")


@REGRESSORS
def test_fit_returns_the_estimator(kind):
    estimator = kind(FAST)
    assert fit(estimator) is estimator


@REGRESSORS
def test_an_unknown_class_param_is_refused_with_a_suggestion(kind):
    with pytest.raises(DeclarationError, match=r"'log_evry'.*Did you mean 'log_every'"):
        kind(log_evry=1)


@REGRESSORS
def test_the_log_has_rows_features_rounds_and_time(kind, caplog):
    caplog.set_level(logging.INFO, "xingu")
    fit(kind(FAST, log_every=5))
    *progress, last = [record.getMessage() for record in caplog.records]
    assert [line.split(": ")[1] for line in progress] == ["round 5 of 12", "round 10 of 12"]
    assert last.startswith(f"{kind.__name__}: fitted 400 rows × 3 features, 12 rounds, in ")


@REGRESSORS
def test_progress_is_not_logged_if_it_is_switched_off(kind, caplog):
    caplog.set_level(logging.INFO, "xingu")
    fit(kind(FAST, log_every=0))
    assert len(caplog.records) == 1


@REGRESSORS
def test_a_trial_logs_no_progress(kind, caplog):
    caplog.set_level(logging.INFO, "xingu")
    estimator = kind(FAST, log_every=1)
    estimator.prepare_for_trial(1)
    fit(estimator)
    assert len(caplog.records) == 1


@REGRESSORS
def test_an_unfitted_one_has_no_importances(kind):
    assert kind(FAST).feature_importance() is None


@REGRESSORS
def test_a_target_that_is_not_in_the_frame_is_named(kind):
    with pytest.raises(MissingColumnError, match="lacks the target 'rent'"):
        kind(FAST).fit({"train": houses()}, FEATURES, "rent")


@REGRESSORS
def test_a_datetime_target_is_refused_by_name(kind):
    train = houses().assign(price=pd.Timestamp("2026-01-01"))
    with pytest.raises(DataError, match="the target 'price' is not numeric"):
        fit(kind(FAST), {"train": train})


@REGRESSORS
def test_a_second_fit_forgets_the_first(kind):
    others = {"train": houses(300, 5)}
    twice = fit(fit(kind(FAST)), others, NUMBERS)
    once = fit(kind(FAST), others, NUMBERS)
    rows = houses(9)
    assert_frame_equal(twice.predict(rows), once.predict(rows), check_exact=True)


@REGRESSORS
def test_a_val_set_without_any_target_is_not_used(kind, caplog):
    data = sets()
    data["val"] = data["val"].assign(price=np.nan)
    estimator = fit(kind({**FAST, "early_stopping_rounds": 2}), data)
    assert rounds_of(estimator) == 12
    assert "150 of 150 rows of 'val' are ignored" in caplog.text


@REGRESSORS
def test_rows_of_val_without_a_target_do_not_stop_it(kind):
    data, fewer = sets(), sets()
    data["val"].iloc[:50, data["val"].columns.get_loc("price")] = np.nan
    fewer["val"] = fewer["val"].iloc[50:]
    params = {**FAST, "n_estimators": 200, "early_stopping_rounds": 3}
    one, other = fit(kind(params), data), fit(kind(params), fewer)
    assert rounds_of(one) == rounds_of(other) < 200


@REGRESSORS
def test_more_rows_than_a_slice_are_predicted_in_slices_with_the_same_result(kind, monkeypatch):
    estimator, rows = fit(kind(FAST)), houses(40)
    at_once = estimator.predict(rows)
    sizes, predict_rows = [], estimator._predict_rows
    monkeypatch.setattr("xingu.estimators.boosting.ROWS_AT_ONCE", 16)
    monkeypatch.setattr(
        estimator, "_predict_rows", lambda part: sizes.append(len(part)) or predict_rows(part)
    )
    assert_frame_equal(estimator.predict(rows), at_once, check_exact=True)
    assert sizes == [16, 16, 8]


@CLASSIFIERS
@pytest.mark.parametrize("target", ["bool", "three"])
def test_probabilities_of_no_rows_have_all_columns(kind, target):
    estimator = fit(kind(FAST), {"train": houses(200, 0, target)})
    empty = estimator.predict_proba(houses(3).iloc[:0])
    assert empty.shape == (0, len(estimator.classes()))
    assert estimator.predict(houses(3).iloc[:0]).shape == (0, 1)


@CLASSIFIERS
def test_two_probabilities_are_complements(kind):
    probabilities = fit(kind(FAST), {"train": houses(200, 0, "bool")}).predict_proba(houses(30))
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert probabilities.to_numpy().min() >= 0


@CLASSIFIERS
def test_labels_that_cannot_be_sorted_are_refused(kind):
    mixed = houses(40).assign(price=["a", 1] * 20)
    with pytest.raises(DataError, match="the labels of 'price' cannot be sorted"):
        fit(kind(FAST), {"train": mixed})


@CLASSIFIERS
def test_a_single_class_is_refused(kind):
    with pytest.raises(DataError, match="two classes"):
        fit(kind(FAST), {"train": houses(40).assign(price="same")})


@CLASSIFIERS
def test_rows_of_val_with_an_unknown_class_are_ignored_with_a_warning(kind, caplog):
    data = sets("text")
    data["val"].iloc[:7, data["val"].columns.get_loc("price")] = "new"
    estimator = fit(kind({**FAST, "early_stopping_rounds": 5}), data)
    assert estimator.classes() == ["low", "mid", "top"]
    assert "7 of 150 rows of 'val' are ignored" in caplog.text


@REGRESSORS
def test_an_unseen_category_counts_as_missing(kind):
    data = sets()
    for frame in data.values():
        frame["colour"] = frame.colour.where(frame.colour != "blue")
    estimator, rows = fit(kind(FAST), data), houses(9)
    missing = pd.Series(None, rows.index, dtype="object")
    assert_frame_equal(
        estimator.predict(rows.assign(colour="violet")),
        estimator.predict(rows.assign(colour=missing)),
    )


@REGRESSORS
@pytest.mark.parametrize("names", [["a b", "a,b"], ["{x}", "[x]<"], ["é", 7], ["{x}", '"x"']])
def test_features_may_have_any_name(kind, names, tmp_path):
    frame = houses()[["size", "rooms", "price"]].set_axis([*names, "price"], axis=1)
    fit(kind(FAST), {"train": frame}, names).save(tmp_path)
    estimator = kind.load(tmp_path)
    assert set(estimator.feature_importance().index) == set(names)
    assert estimator.predict(frame).notna().all(axis=None)
