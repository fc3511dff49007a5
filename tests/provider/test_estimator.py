"""The interface of Estimators: defaults, and the resolution of a declared class."""

import numpy as np
import pandas as pd
import pytest

from xingu import Estimator
from xingu.errors import DeclarationError
from xingu.estimators.sklearn import SklearnEstimator
from xingu.provider.estimator import resolve_estimator_class

SETS = {"train": pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 9.0]})}


class Mean(Estimator):
    """Predicts the mean of the target."""

    def fit(self, datasets, features, target, model=None):
        self.mean = float(datasets["train"][target].mean())

    def predict(self, data):
        return pd.DataFrame({"estimation": np.full(len(data), self.mean)}, index=data.index)

    def is_classifier(self):
        return False


class Context:
    """The part of a Model that the default search uses."""

    def __init__(self, search):
        self.search = search


def test_parameters_are_copied():
    params, hyperparams = {"a": 1}, {"b": 2}
    estimator = Mean(params, hyperparams, wrapped="mean")
    estimator.params["a"] = estimator.hyperparams["b"] = 9
    assert (params, hyperparams) == ({"a": 1}, {"b": 2})
    assert estimator.class_params == {"wrapped": "mean"}


@pytest.mark.parametrize(
    ("given", "in_force"),
    [
        ({}, ({"a": 1}, {"b": 2})),
        ({"params": {"c": 3}}, ({"c": 3}, {"b": 2})),
        ({"hyperparams": {}}, ({"a": 1}, {})),
        ({"params": {}, "hyperparams": {"d": 4}}, ({}, {"d": 4})),
    ],
)
def test_exchanged_parameters_replace_those_before(given, in_force):
    estimator = Mean({"a": 1}, {"b": 2})
    assert estimator.hyperparam_exchange(**given) == in_force[1]
    assert (estimator.params, estimator.hyperparams) == in_force


@pytest.mark.parametrize("model", [None, Context(None)])
def test_without_a_search_the_hyperparameters_stay(model):
    assert Mean({}, {"b": 2}).hyperparam_optimize(model) == {"b": 2}


def test_the_default_runs_the_search_of_the_model():
    assert Mean({}, {"b": 2}).hyperparam_optimize(Context(lambda: {"b": 7})) == {"b": 7}


def test_the_default_has_no_probabilities_classes_or_importance():
    estimator = Mean()
    estimator.check_params()
    estimator.prepare_for_trial(1)
    assert (estimator.classes(), estimator.feature_importance()) == ([], None)
    with pytest.raises(NotImplementedError, match="Mean gives no probabilities"):
        estimator.predict_proba(SETS["train"])


def test_a_saved_estimator_predicts_the_same(tmp_path):
    estimator = Mean({"a": 1}, {"b": 2})
    estimator.fit(SETS, ["x"], "y")
    estimator.save(tmp_path)
    loaded = Mean.load(tmp_path)
    rows = pd.DataFrame({"x": [1.0]}, index=["here"])
    pd.testing.assert_frame_equal(loaded.predict(rows), estimator.predict(rows))
    assert loaded.predict(rows)["estimation"].tolist() == [5.0]
    assert (loaded.params, loaded.hyperparams) == ({"a": 1}, {"b": 2})


def test_a_class_resolves_to_itself():
    assert resolve_estimator_class(Mean, "houses") is Mean


def test_a_dotted_name_resolves_to_its_class():
    name = "xingu.estimators.sklearn.SklearnEstimator"
    assert resolve_estimator_class(name, "houses") is SklearnEstimator


@pytest.mark.parametrize("name", ["Mean", "no.such.module.Mean", "xingu.estimators.Nothing"])
def test_a_name_that_cannot_be_imported_is_an_error(name):
    with pytest.raises(DeclarationError, match=r"houses\.estimator_class: cannot import") as caught:
        resolve_estimator_class(name, "houses")
    assert caught.value.facts == {"estimator_class": name}


@pytest.mark.parametrize("declared", [dict, "collections.OrderedDict", "os.path.join"])
def test_something_else_than_an_estimator_is_an_error(declared):
    with pytest.raises(DeclarationError, match=r"is not a subclass of xingu\.Estimator; wrap"):
        resolve_estimator_class(declared, "houses")
