"""Checks of frames that go into an Estimator, and frames that come out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.errors import DataError, MissingColumnError, UntrainedModelError
from xingu.estimators.frames import (
    column_of,
    estimation_frame,
    importance_series,
    not_fitted,
    proba_frame,
    row_weights,
    select_features,
    training_set,
)

FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "y": [5.0, 6.0]}, index=["p", "q"])
DOUBLED = pd.concat([FRAME, FRAME[["a"]]], axis=1)


def weighted_by(name):
    """Return a Model view whose DataProvider declares the column `name` as sample weights."""
    return SimpleNamespace(dp=SimpleNamespace(sample_weight=name))


# -- features ------------------------------------------------------------------------------------


def test_features_are_selected_in_their_order():
    assert list(select_features(FRAME, pd.Index(["b", "a"]), "Trees")) == ["b", "a"]


def test_a_frame_of_exactly_the_features_is_not_copied():
    assert select_features(FRAME, FRAME.columns, "Trees") is FRAME


def test_all_missing_features_are_named_with_suggestions():
    with pytest.raises(MissingColumnError) as caught:
        select_features(FRAME.rename(columns={"a": "size"}), pd.Index(["siz", "b", "zzz"]), "Trees")
    assert "Trees: the data lacks the features 'siz', 'zzz'" in str(caught.value)
    assert "Did you mean 'size'" in str(caught.value)
    assert caught.value.facts["missing"] == ["siz", "zzz"]


def test_a_doubled_column_is_refused_if_it_is_a_feature():
    with pytest.raises(DataError, match="two columns called 'a'") as caught:
        select_features(DOUBLED, pd.Index(["a", "b"]), "Trees")
    assert caught.value.facts["columns"] == ["a"]
    assert select_features(DOUBLED, pd.Index(["b"]), "Trees").columns.tolist() == ["b"]


# -- target --------------------------------------------------------------------------------------


def test_the_target_is_found_by_its_name():
    assert column_of(FRAME, "y", "Trees").tolist() == [5, 6]
    with pytest.raises(MissingColumnError, match="lacks the target 'z'"):
        column_of(FRAME, "z", "Trees")
    with pytest.raises(DataError, match="two columns called 'a'"):
        column_of(DOUBLED, "a", "Trees")


@pytest.mark.parametrize("datasets", [{}, {"val": FRAME}, {"train": FRAME.iloc[:0]}])
def test_a_missing_or_empty_train_set_is_refused(datasets):
    with pytest.raises(DataError, match="the set 'train' is missing or empty; sets: "):
        training_set(datasets, "y", "Trees")


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, pd.NaT])
def test_missing_targets_are_counted(gap):
    train = FRAME.astype({"y": object})
    train.loc["p", "y"] = gap
    with pytest.raises(DataError, match="'y' is missing in 1 of 2 rows"):
        training_set({"train": train}, "y", "Trees")


def test_a_complete_train_set_is_returned_as_it_is():
    assert training_set({"train": FRAME}, "y", "Trees") is FRAME


# -- weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [None, weighted_by(None), weighted_by("")])
def test_without_a_declared_column_only_other_weights_count(model):
    assert row_weights(FRAME, model, "Trees") is None
    times = np.array([2.0, 3.0])
    assert row_weights(FRAME, model, "Trees", times) is times


def test_declared_weights_are_multiplied_with_others():
    assert row_weights(FRAME, weighted_by("a"), "Trees").tolist() == [1, 2]
    assert row_weights(FRAME, weighted_by("a"), "Trees", np.array([2.0, 3.0])).tolist() == [2, 6]


def test_nullable_weights_are_numbers():
    frame = FRAME.astype({"a": "Int64"})
    assert row_weights(frame, weighted_by("a"), "Trees").dtype == np.float64


@pytest.mark.parametrize("weights", [[-1, 1], [np.nan, 1], [np.inf, 1], [0, 0]])
def test_impossible_weights_are_refused_by_name(weights):
    with pytest.raises(DataError, match="sample_weight 'a' must be a number of at least 0"):
        row_weights(FRAME.assign(a=weights), weighted_by("a"), "Trees")


def test_a_missing_column_of_weights_is_named():
    with pytest.raises(MissingColumnError, match="lacks sample_weight 'w'") as caught:
        row_weights(FRAME, weighted_by("w"), "Trees")
    assert caught.value.facts["missing"] == ["w"]


# -- estimations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [np.array([1.5, 2.5]), pd.Index(["low", "high"]), [True, False]])
def test_estimations_of_every_type_are_one_column_with_the_index(values):
    frame = estimation_frame(values, FRAME.index)
    assert list(frame.columns) == ["estimation"]
    assert frame["estimation"].tolist() == list(values)
    pd.testing.assert_index_equal(frame.index, FRAME.index)


def test_probabilities_have_a_column_for_each_class():
    values = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    frame = proba_frame(values, FRAME.index, None, "Trees")
    assert list(frame.columns) == [f"estimation_class_{at}" for at in range(3)]
    assert np.array_equal(frame.to_numpy(), values)
    only = proba_frame(values, FRAME.index, 2, "Trees")
    pd.testing.assert_frame_equal(only, frame[["estimation_class_2"]])


@pytest.mark.parametrize("class_index", [-1, 3])
def test_a_class_index_out_of_range_is_refused_with_the_range(class_index):
    with pytest.raises(DataError, match=f"no class_index {class_index}; use 0 to 2") as caught:
        proba_frame(np.zeros((2, 3)), FRAME.index, class_index, "Trees")
    assert caught.value.facts["class_index"] == class_index


# -- importances ---------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_importances_are_descending_shares(weights):
    found = importance_series(weights, range(len(weights)))
    assert found.is_monotonic_decreasing
    assert found.sum() == pytest.approx(1 if sum(weights) > 0 else 0)
    assert set(found.index) == set(range(len(weights)))


def test_equal_importances_keep_the_order_of_the_features():
    assert list(importance_series([1, 1, 1], [*"zxy"]).index) == [*"zxy"]


def test_an_unfitted_estimator_says_what_to_do():
    error = not_fitted("flights: Trees")
    assert isinstance(error, UntrainedModelError)
    assert str(error) == "flights: Trees: not fitted yet; call fit first, or load a saved Model."
