"""Batch source frames become features and estimations, with a trained Model."""

import numpy as np
import pandas as pd
import pytest

from tests.support.purity import unchanged
from tests.support.stages import Stages, variant
from tests.support.toys import Houses, Kinds, houses
from xingu.errors import CheckFailedError, HookError
from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch, predicted


@pytest.fixture(scope="module")
def model():
    return Stages().fitted().model


@pytest.fixture(scope="module")
def kinds():
    return Stages(Kinds).fitted().model


def features_of(model):
    return engineer_batch(model, clean_batch(model, {"houses": houses(50, seed=1)}))


def test_the_batch_is_cleaned_and_gets_features_as_in_training(model):
    cleaned = clean_batch(model, {"houses": houses(50, seed=1)})
    assert cleaned.index.name == "id"
    features = engineer_batch(model, cleaned)
    codes = {town: features.loc[features["town"] == town, "town_code"].unique() for town in
             ("north", "south", "west")}  # fmt: skip
    assert codes == {"north": [0], "south": [1], "west": [2]}


def test_the_last_hook_sees_what_the_ones_before_have_made():
    def last_pre_process_for_batch_predict(self, data):
        return data.assign(last=data["town_code"] + 1)

    cls = variant(last_pre_process_for_batch_predict=last_pre_process_for_batch_predict)
    features = features_of(Stages(cls).fitted().model)
    assert (features["last"] - features["town_code"] == 1).all()


@pytest.mark.parametrize(
    "hook", ["feature_engineering_for_batch_predict", "last_pre_process_for_batch_predict"]
)
def test_a_hook_that_returns_no_frame_is_named(model, hook):
    broken = Stages().fitted().model
    setattr(broken.dp, hook, lambda data: None)
    with pytest.raises(HookError, match=rf"houses\.{hook} returned NoneType"):
        features_of(broken)


def test_an_index_that_repeats_is_refused_unless_that_is_tolerated(model):
    cleaned = clean_batch(model, {"houses": houses(50, seed=1)})
    doubled = pd.concat([cleaned, cleaned.head(2)])
    with pytest.raises(CheckFailedError, match=r"unique_index: .*0, 1 more than once"):
        engineer_batch(model, doubled)
    assert len(engineer_batch(model, doubled, checks={})) == 52


def test_estimations_are_indexed_as_the_features(model):
    features = features_of(model)
    estimations = estimate_batch(model, features)
    assert list(estimations) == ["estimation"]
    assert estimations.index.equals(features.index)
    assert predicted(model, estimations) is estimations


def test_a_classifier_adds_the_probability_of_its_class(kinds):
    estimations = estimate_batch(kinds, features_of(kinds))
    assert list(estimations) == [*(f"estimation_class_{n}" for n in range(3)), "estimation"]
    assert estimations["estimation"].equals(estimations["estimation_class_1"].rename("estimation"))
    assert list(predicted(kinds, estimations)) == list(estimations)[:3]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_estimations_that_are_not_finite_are_refused_unless_that_is_tolerated(value):
    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred.assign(estimation=Y_pred["estimation"].where(X.index != 7, value))

    cls = variant(post_process_after_predict=post_process_after_predict)
    model = Stages(cls).fitted().model
    features = features_of(model)
    with pytest.raises(
        CheckFailedError,
        match=r"houses/batch/estimations: complete_estimations: .*for example of row 7; look at",
    ):
        estimate_batch(model, features)
    model.dp.checks = {"complete_estimations": {"share": 0.02}}
    assert len(estimate_batch(model, features)) == 50


def test_an_empty_batch_has_no_estimations(model):
    assert estimate_batch(model, features_of(model).head(0)).shape == (0, 1)


def test_a_batch_writes_nothing_into_the_model(model):
    features = features_of(model)
    with unchanged(model, features):
        estimate_batch(model, features)


def test_attributes_of_batch_hooks_are_on_the_provider_of_the_model_only():
    class Counting(Houses):
        def clean_data_for_batch_predict(self, datasets):
            self.batch_rows = len(datasets["houses"])
            return super().clean_data_for_batch_predict(datasets)

    model = Stages(Counting).fitted().model
    features_of(model)
    assert model.dp.batch_rows == 50
    assert not hasattr(Counting(), "batch_rows")
