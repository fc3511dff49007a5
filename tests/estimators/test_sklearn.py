"""Tests of the wrapper of scikit-learn."""

import subprocess
import sys

import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.estimators import FEATURES, NUMBERS, sets
from xingu.errors import DataError, DeclarationError
from xingu.estimators import SklearnEstimator


def test_hyperparams_win_over_params():
    estimator = SklearnEstimator({"alpha": 1}, {"alpha": 1e9}, algorithm=Ridge)
    estimator.fit(sets(), NUMBERS, "price")
    assert estimator.predict(sets()["train"])["estimation"].std() < 0.01


def test_an_algorithm_that_is_given_as_an_object_is_cloned():
    template = make_pipeline(StandardScaler(), Ridge())
    estimator = SklearnEstimator({"ridge__alpha": 1e9}, algorithm=template)
    estimator.fit(sets(), NUMBERS, "price")
    assert template.get_params()["ridge__alpha"] == 1.0
    assert not hasattr(template[-1], "coef_")
    assert set(estimator.feature_importance().index) == set(NUMBERS)


def test_text_for_an_algorithm_that_takes_none_is_refused_by_name():
    with pytest.raises(DataError, match="'colour' are not numbers: encode them"):
        SklearnEstimator(algorithm=Ridge).fit(sets(), FEATURES, "price")


def test_a_classifier_without_probabilities_says_so():
    estimator = SklearnEstimator(algorithm="sklearn.svm.LinearSVC")
    estimator.fit(sets("text"), NUMBERS, "price")
    with pytest.raises(NotImplementedError, match="LinearSVC gives no probabilities"):
        estimator.predict_proba(sets()["train"])


@pytest.mark.parametrize("algorithm", ["sklearn.ensemble.RandomWood", "nowhere.Ridge", "Ridge"])
def test_an_algorithm_that_cannot_be_imported_is_named(algorithm):
    with pytest.raises(DeclarationError, match=f"cannot import the algorithm '{algorithm}'"):
        SklearnEstimator(algorithm=algorithm).is_classifier()


def test_an_argument_that_the_algorithm_does_not_have_is_named():
    with pytest.raises(DeclarationError, match="alfa"):
        SklearnEstimator({"alfa": 1}, algorithm=Ridge).fit(sets(), NUMBERS, "price")


@pytest.mark.parametrize("class_params", [{}, {"algorithm": Ridge, "other": 1}])
def test_class_params_must_be_the_algorithm(class_params):
    with pytest.raises(DeclarationError, match=r"must be \{'algorithm'"):
        SklearnEstimator(**class_params)


def test_importing_the_package_loads_no_algorithm():
    code = (
        "import sys, xingu.estimators as e; "
        "assert not {'lightgbm', 'sklearn'} & set(sys.modules); "
        "e.LightGBMRegressor; assert 'lightgbm' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
