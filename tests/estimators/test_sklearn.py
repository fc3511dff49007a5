"""Tests of the wrapper of scikit-learn."""

import subprocess
import sys

import numpy as np
import pytest
from pandas.testing import assert_series_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVR

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


class Unnamed(BaseEstimator, TransformerMixin):
    """A step that gives no names, as most that people write."""

    def __init__(self, doubled=False):
        self.doubled = doubled

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        numbers = np.asarray(X)
        return np.hstack([numbers, numbers]) if self.doubled else numbers


class Failing(Ridge):
    """An algorithm whose importances cannot be computed."""

    @property
    def feature_importances_(self):
        raise NotImplementedError


@pytest.mark.parametrize("step", [FunctionTransformer(np.log1p), Unnamed()])
@pytest.mark.parametrize("last", [LinearRegression(), RandomForestRegressor(5)])
def test_importances_have_the_names_of_features_where_steps_have_none(step, last):
    estimator = SklearnEstimator(algorithm=make_pipeline(step, last))
    data = {"train": sets()["train"].assign(size=lambda frame: frame["size"].abs())}
    found = estimator.fit(data, NUMBERS, "price").feature_importance()
    assert set(found.index) == set(NUMBERS)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "algorithm",
    [make_pipeline(Unnamed(doubled=True), Ridge()), Failing(), SVR(), KNeighborsRegressor()],
)
def test_importances_without_names_or_that_fail_are_left_out(algorithm):
    estimator = SklearnEstimator(algorithm=algorithm).fit(sets(), NUMBERS, "price")
    assert estimator.feature_importance() is None


def test_sparse_coefficients_are_importances():
    algorithm = SGDClassifier(random_state=0)
    estimator = SklearnEstimator(algorithm=algorithm).fit(sets("bool"), NUMBERS, "price")
    dense = estimator.feature_importance()
    estimator._algorithm.sparsify()
    assert_series_equal(estimator.feature_importance(), dense)


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        ("sklearn.linear_model.Ridge", "SklearnEstimator(Ridge)"),
        (lambda: make_pipeline(StandardScaler(), Ridge()),
         "SklearnEstimator(Pipeline(StandardScaler, Ridge))"),
        (CalibratedClassifierCV(LogisticRegression()),
         "SklearnEstimator(CalibratedClassifierCV(LogisticRegression))"),
    ],
)  # fmt: skip
def test_the_wrapped_algorithm_is_named(algorithm, name):
    assert SklearnEstimator(algorithm=algorithm).algorithm == name


def own_objective(truth, scores):
    chances = 1 / (1 + np.exp(-scores))
    return chances - truth, chances * (1 - chances)


def test_a_classifier_that_returns_scores_for_probabilities_is_refused():
    estimator = SklearnEstimator({"objective": own_objective}, algorithm="lightgbm.LGBMClassifier")
    with pytest.raises(DataError, match="predict_proba of LGBMClassifier returns no probabilities"):
        estimator.fit(sets("bool"), NUMBERS, "price")
