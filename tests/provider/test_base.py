"""Defaults of the hooks of a DataProvider."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu import DataProvider
from xingu.errors import DeclarationError
from xingu.estimators.sklearn import SklearnEstimator
from xingu.provider.base import gained_attributes

FRAME_HOOKS = (
    "feature_engineering_for_train",
    "last_pre_process_for_train",
    "feature_engineering_for_batch_predict",
    "last_pre_process_for_batch_predict",
    "feature_engineering_for_predict",
)
SILENT_HOOKS = (
    "post_process_after_hyperparam_optimize",
    "post_process_after_train",
    "pre_process_for_trainsets_metrics",
    "post_process_after_trainsets_metrics",
)


class Houses(DataProvider):
    id = "houses"
    train_dataset_sources = {"a": {"url": "a.csv"}}
    batch_predict_dataset_sources = {"b": {"url": "b.csv"}}
    x_features = ("area", "rooms")
    y = "price"
    estimator_class = SklearnEstimator
    estimator_class_params = {"algorithm": "sklearn.linear_model.Ridge"}
    estimator_params = {"fit_intercept": False}
    estimator_hyperparams = {"alpha": 2.0}
    estimator_hyperparams_search_space = {"alpha": ("float", {"low": 0.1, "high": 9.0})}


class Classes(Houses):
    id = "classes"
    estimator_class_params = {"algorithm": "sklearn.tree.DecisionTreeClassifier"}
    estimator_params = {}
    estimator_hyperparams = {"max_depth": 2}


def frame(rows: int) -> pd.DataFrame:
    columns = {"area": np.arange(rows, dtype=float), "price": np.arange(rows) % 2}
    return pd.DataFrame(columns, index=np.arange(rows) * 10)


@pytest.mark.parametrize("hook", FRAME_HOOKS)
def test_frame_hooks_return_their_argument(hook):
    data = frame(3)
    assert getattr(Houses(), hook)(data) is data


@pytest.mark.parametrize("hook", SILENT_HOOKS)
def test_hooks_between_stages_do_nothing(hook):
    provider = Houses()
    assert getattr(provider, hook)(None) is None
    assert vars(provider) == {}


@pytest.mark.parametrize("kind", ["predict", "predict_proba"])
def test_both_kinds_of_prediction_use_the_generic_hooks(kind):
    class Doubling(Houses):
        def pre_process_for_generic_predict(self, X, model):
            return X * 2

        def post_process_after_generic_predict(self, X, Y_pred, model):
            return Y_pred + 1

    provider, data = Doubling(), frame(2)
    before = getattr(provider, f"pre_process_for_{kind}")(data, None)
    pd.testing.assert_frame_equal(before, data * 2)
    after = getattr(provider, f"post_process_after_{kind}")(data, data, None)
    pd.testing.assert_frame_equal(after, data + 1)


def test_declarations_are_what_the_methods_return():
    provider = Houses()
    assert provider.get_dataset_sources_for_train() == Houses.train_dataset_sources
    assert provider.get_dataset_sources_for_batch_predict() == Houses.batch_predict_dataset_sources
    assert (
        provider.get_features_list() == provider.get_estimator_features_list() == Houses.x_features
    )
    assert provider.get_target() == "price"
    space = provider.get_estimator_optimization_search_space()
    assert space == Houses.estimator_hyperparams_search_space
    assert provider.get_estimator_hyperparameters() == {"alpha": 2.0}


def test_features_of_the_estimator_may_differ_from_the_input_features():
    class Engineered(Houses):
        x_estimator_features = ("area", "rooms_per_area")

    assert Engineered().get_features_list() == ("area", "rooms")
    assert Engineered().get_estimator_features_list() == ("area", "rooms_per_area")


def test_the_name_of_the_hyperparameter_hook_in_xingu_2_is_called():
    class Old(Houses):
        def get_estimator_hyperparams(self):
            return {"alpha": 5.0}

    assert Old().get_estimator_hyperparameters() == {"alpha": 5.0}
    estimator = Old().make_estimator()
    assert estimator is not None
    assert estimator.hyperparams["alpha"] == 5.0


def test_one_source_is_the_frame_and_several_are_concatenated():
    a, b = frame(2), frame(3)
    provider = Houses()
    assert provider.clean_data_for_train({"a": a}) is a
    both = provider.clean_data_for_train({"a": a, "b": b})
    assert both["area"].tolist() == [0, 1, 0, 1, 2]
    assert both.index.tolist() == [0, 1, 2, 3, 4]


def test_batch_data_is_cleaned_as_training_data_by_default():
    class Cleaning(Houses):
        def clean_data_for_train(self, datasets):
            return datasets["b"].head(1)

    assert len(Cleaning().clean_data_for_batch_predict({"b": frame(3)})) == 1


@given(
    rows=st.integers(20, 200),
    test_size=st.sampled_from([0.0, 0.1, 0.25]),
    val_size=st.sampled_from([0.0, 0.2, 0.5]),
)
def test_the_default_split_is_a_partition_of_the_rows(rows, test_size, val_size):
    provider = Houses()
    provider.test_size, provider.val_size = test_size, val_size
    data = frame(rows)
    sets = provider.data_split_for_train(data)
    sizes = {"test": round(test_size * rows), "val": round(val_size * rows)}
    assert {name: len(sets[name]) for name in sets if name != "train"} == {
        name: size for name, size in sizes.items() if size
    }
    together = pd.concat(list(sets.values())).sort_index()
    pd.testing.assert_frame_equal(together, data)


def test_the_default_split_depends_on_the_random_state_only():
    one, same, other = Houses(), Houses(), Houses()
    other.random_state = 7
    data = frame(50)
    first = one.data_split_for_train(data)["test"].index
    assert first.equals(same.data_split_for_train(data)["test"].index)
    assert not first.equals(other.data_split_for_train(data)["test"].index)


def test_the_default_split_of_a_classifier_is_stratified():
    data = frame(100)
    data["price"] = np.where(np.arange(100) < 20, "rare", "common")
    for part in Classes().data_split_for_train(data).values():
        assert (part["price"] == "rare").mean() == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(("provider", "classifier"), [(Houses, False), (Classes, True)])
def test_the_estimator_decides_whether_the_target_is_a_class(provider, classifier):
    assert provider().is_classifier() == classifier


def test_given_hyperparameters_replace_the_declared_ones():
    estimator = Houses().make_estimator({"alpha": 9.0})
    assert estimator is not None
    assert (estimator.params["fit_intercept"], estimator.hyperparams) == (False, {"alpha": 9.0})


def test_a_hollow_provider_has_no_estimator():
    class Hollow(DataProvider):
        id = "hollow"
        hollow = True

    assert Hollow().make_estimator() is None
    assert not Hollow().is_classifier()


def test_a_provider_without_an_estimator_class_is_an_error():
    with pytest.raises(DeclarationError, match=r"plain\.estimator_class"):
        type("Plain", (DataProvider,), {"id": "plain"})().make_estimator()


@pytest.mark.parametrize("level", ["warning", "WARNING", logging.WARNING])
def test_log_lines_name_the_provider(caplog, level):
    Houses().log("two rows dropped", level)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "houses: two rows dropped")


def test_gained_attributes_leave_out_models_of_prerequisites():
    provider = Houses()
    provider.means = [1.0]
    provider.pre_req_model = {"other": object()}  # type: ignore[dict-item]
    assert gained_attributes(provider) == {"means": [1.0]}
