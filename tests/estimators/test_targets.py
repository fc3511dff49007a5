"""The target column as numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_sample_weight

from xingu.errors import DataError, DeclarationError
from xingu.estimators.targets import ClassTarget, NumberTarget


def column(*values, **options):
    return pd.Series(values, name="price", **options)


def learned(*labels):
    target = ClassTarget()
    target.learn(column(*labels), "Trees")
    return target


@pytest.mark.parametrize("dtype", ["int8", "float32", "boolean", "Int64", "double[pyarrow]"])
def test_numbers_of_every_type_become_float64(dtype):
    codes = NumberTarget().codes(column(0, 1, 1).astype(dtype), "Trees")
    assert codes.dtype == np.float64
    assert codes.tolist() == [0, 1, 1]


def test_a_missing_number_is_nan():
    assert np.isnan(NumberTarget().codes(column(1, None, dtype="Int64"), "Trees")[1])


@pytest.mark.parametrize(
    "values",
    [column("low", "high"), column(*pd.date_range("2026", periods=2)), column(pd.Timedelta(1))],
    ids=["text", "datetime", "timedelta"],
)
def test_a_target_that_is_not_numeric_is_refused_by_name(values):
    with pytest.raises(DataError, match="Trees: the target 'price' is not numeric") as caught:
        NumberTarget().learn(values, "Trees")
    assert caught.value.facts["target"] == "price"


def test_a_number_has_neither_classes_nor_class_weights():
    target = NumberTarget()
    assert target.classes.empty
    assert target.weights(np.array([1.0]), "balanced") is None


@settings(max_examples=40)
@given(st.lists(st.one_of(st.integers(-9, 9)), min_size=2, max_size=30))
def test_the_code_of_a_label_is_its_place_among_the_sorted_labels(labels):
    if len(set(labels)) == 1:
        with pytest.raises(DataError, match="in every row of 'train'; a classifier needs two"):
            learned(*labels)
        return
    target = learned(*labels)
    assert target.classes.tolist() == sorted(set(labels))
    codes = target.codes(column(*labels), "Trees")
    assert [sorted(set(labels))[int(code)] for code in codes] == labels


@pytest.mark.parametrize(
    "labels",
    [("b", "a"), (True, False), (2.5, 1.5), (*pd.to_datetime(["2026-02-01", "2026-01-01"]),)],
    ids=["text", "bool", "float", "datetime"],
)
def test_labels_of_every_sortable_type_are_learned(labels):
    target = learned(*labels)
    assert target.classes.tolist() == sorted(labels)
    assert target.codes(column(*labels), "Trees").tolist() == [1, 0]


def test_labels_of_a_category_need_not_all_be_there():
    target = ClassTarget()
    target.learn(pd.Series(pd.Categorical(["b", "a"], ["c", "b", "a"])), "Trees")
    assert target.classes.tolist() == ["a", "b"]


def test_a_label_that_was_not_learned_is_nan():
    assert np.isnan(learned("a", "b").codes(column("z", None), "Trees")).all()


def test_labels_that_cannot_be_sorted_are_refused_by_name():
    with pytest.raises(DataError, match="the labels of 'price' cannot be sorted"):
        learned("a", 1)


@settings(max_examples=30)
@given(st.lists(st.sampled_from([*"abc"]), min_size=4, max_size=30))
def test_balanced_weights_are_those_of_scikit_learn(labels):
    labels = [*labels, "a", "b"]
    target = learned(*labels)
    found = target.weights(target.codes(column(*labels), "Trees"), "balanced")
    assert found == pytest.approx(compute_sample_weight("balanced", labels))


def test_weights_by_label_count_1_where_none_is_declared():
    target = learned("a", "b", "c")
    codes = target.codes(column("c", "a", "b"), "Trees")
    assert target.weights(codes, {"b": 5.0, "c": 0.5}).tolist() == [0.5, 1, 5]
    assert target.weights(codes, None) is None


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("balnced", "class_weight is 'balnced'; it is 'balanced', or weights by label"),
        (3.0, "class_weight is 3.0"),
        ({"a": 2.0, "z": 3.0}, "class weights name 'z', no label .* labels are 'a', 'b'"),
        ({1: 2.0}, "class weights name 1"),
    ],
)
def test_weights_that_would_have_no_effect_are_refused(declared, text):
    target = learned("a", "b")
    with pytest.raises(DeclarationError, match=f"Trees: {text}"):
        target.weights(target.codes(column("a", "b"), "Trees"), declared, "Trees")
