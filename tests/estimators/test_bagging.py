"""The ensembles that Xingu 2.0 brought along."""

import pickle

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.support.estimators import FEATURES, houses
from xingu.errors import DeclarationError, UntrainedModelError
from xingu.estimators import XinguCatBoostClassifier, XinguXGBoostClassifier

KINDS = {XinguXGBoostClassifier: "n_estimators", XinguCatBoostClassifier: "iterations"}
ROWS = houses(150, seed=1, target="number")
ROWS["dear"] = (ROWS["price"] > ROWS["price"].median()).map({True: "yes", False: "no"})


@pytest.mark.parametrize("cls", KINDS)
def test_the_mean_of_the_members_is_estimated(cls):
    ensemble = cls(hyperparams={KINDS[cls]: 8}, bagging_size=3, optimization_trials=5)
    assert ensemble.is_classifier()
    ensemble.fit({"train": ROWS}, FEATURES, "dear")
    made = ensemble.predict_proba(ROWS)
    members = [member.predict_proba(ROWS) for member in ensemble.bagging_members]
    assert_frame_equal(made, sum(members) / 3, rtol=1e-12)
    assert ensemble.classes() == ["no", "yes"]
    assert (ensemble.predict(ROWS)["estimation"] == ROWS["dear"]).mean() > 0.9
    assert ensemble.predict_proba(ROWS, class_index=1).columns.tolist() == ["estimation_class_1"]
    assert set(ensemble.feature_importance().index) == set(FEATURES)
    again = pickle.loads(pickle.dumps(ensemble))
    assert_frame_equal(again.predict_proba(ROWS), made)


def test_folds_are_stratified_by_a_column_of_this_name():
    ensemble = XinguXGBoostClassifier(hyperparams={"n_estimators": 2}, bagging_size=2)
    rows = ROWS.assign(stratify=pd.qcut(ROWS["price"], 2, labels=["low", "high"]).astype(str))
    held = [sets["val"]["stratify"] for sets in ensemble._folds({"train": rows}, "dear")]
    assert all(abs((part == "low").mean() - 0.5) < 0.02 for part in held)


def test_one_member_is_fitted_on_all_rows():
    ensemble = XinguXGBoostClassifier(hyperparams={"n_estimators": 2})
    ensemble.fit({"train": ROWS}, FEATURES, "dear")
    assert len(ensemble.bagging_members) == 1


def test_what_cannot_be_used_is_an_error():
    with pytest.raises(DeclarationError, match="bagging_size is 0"):
        XinguXGBoostClassifier(bagging_size=0)
    with pytest.raises(DeclarationError, match="dept"):
        XinguXGBoostClassifier({"dept": 3}).check_params()
    with pytest.raises(UntrainedModelError):
        XinguXGBoostClassifier().predict(ROWS)
