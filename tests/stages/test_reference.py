"""A Model keeps distributions of its training data, and of its estimations for unseen rows."""

import pytest

from tests.support.stages import Stages, variant
from tests.support.toys import Houses, Kinds
from xingu.stages.reference import (
    EvaluationSet,
    estimate_evaluation_set,
    training_reference,
)


@pytest.fixture(scope="module")
def model():
    return Stages().fitted().model


@pytest.mark.parametrize(
    ("sets", "chosen"),
    [(("train", "val", "test"), "test"), (("val", "train"), "val"), (("train",), "train")],
)
def test_the_evaluation_set_is_test_else_val_else_train(model, sets, chosen):
    bare = Stages().fitted().model
    bare.sets = {name: model.sets[name] for name in sets}
    found = estimate_evaluation_set(bare)
    assert found.set == chosen
    assert found.estimations.index.equals(model.sets[chosen].index)
    assert not hasattr(bare, "sets_estimations")


def test_a_set_of_another_name_is_no_evaluation_set(model):
    bare = Stages().fitted().model
    bare.sets = {"train": model.sets["train"], "holdout": model.sets["test"]}
    assert estimate_evaluation_set(bare).set == "train"


def test_estimations_that_raise_do_not_lose_the_train():
    def post_process_after_predict(self, X, Y_pred, model):
        raise ValueError("not yet")

    fitted = Stages(variant(post_process_after_predict=post_process_after_predict)).fitted()
    assert fitted.evaluated.estimations is None
    assert "raised ValueError: not yet" in fitted.evaluated.reason
    assert fitted.model.reference.estimations is None
    assert set(fitted.model.reference.features) == {"size", "town", "town_code"}


def test_the_reference_is_of_the_set_train(model):
    size = model.sets["train"]["size"]
    found = model.reference.features["size"]
    assert (found.minimum, found.maximum, found.rows) == (size.min(), size.max(), 280)
    assert set(model.reference.features["town"].categories) == {"north", "south", "west"}


def test_the_reference_of_estimations_is_of_the_evaluation_set(model):
    evaluated = estimate_evaluation_set(model)
    made = evaluated.estimations["estimation"]
    found = training_reference(model, evaluated).estimations
    assert (found.minimum, found.maximum, found.rows) == (made.min(), made.max(), 40)


def test_the_reference_of_a_classifier_is_of_its_probabilities():
    found = Stages(Kinds).fitted().model.reference.estimations
    assert 0 <= found.minimum <= found.maximum <= 1


def test_estimations_without_the_class_have_no_reference(caplog):
    def post_process_after_predict_proba(self, X, Y_pred, model):
        return Y_pred.drop(columns="estimation_class_1")

    cls = variant(Kinds, post_process_after_predict_proba=post_process_after_predict_proba)
    reference = Stages(cls).fitted().model.reference
    assert reference.estimations is None
    assert "the estimation needs estimation_class_1" in caplog.text


def test_no_estimations_give_no_reference_of_them(model, caplog):
    reference = training_reference(model, EvaluationSet("test", None, "it failed"))
    assert reference.estimations is None
    assert "houses: the drift of estimations cannot be checked: it failed" in caplog.text


def test_a_feature_of_dates_has_no_reference():
    def feature_engineering_for_train(self, data):
        import pandas as pd

        made = Houses.feature_engineering_for_train(self, data)
        return made.assign(sold=pd.Timestamp("2026-01-01"))

    cls = variant(
        feature_engineering_for_train=feature_engineering_for_train,
        x_features=("size", "town", "sold"),
    )
    assert set(Stages(cls).fitted().model.reference.features) == {"size", "town", "town_code"}
