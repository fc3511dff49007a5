"""Which class is estimated: the declared one, else the larger of two labels."""

import numpy as np
import pandas as pd
import pytest

from xingu import DataProvider, DataProviderFactory
from xingu.errors import DeclarationError
from xingu.provider.classes import class_text, estimated_class, labels_of, positive_index


@pytest.mark.parametrize(
    ("labels", "larger"),
    [
        ([False, True], True),
        ([0, 1], 1),
        ([-1, 1], 1),
        ([0.0, 2.5], 2.5),
        (["no", "yes"], "yes"),
        (["yes", "no"], "yes"),  # an Estimator with an order of its own
        ([pd.Timestamp("2026-01-01"), pd.Timestamp("2025-01-01")], pd.Timestamp("2026-01-01")),
    ],
)
def test_the_positive_class_is_the_larger_label_of_two(labels, larger):
    index = positive_index(labels, pd.Series(labels))
    assert labels[index] == larger


@pytest.mark.parametrize(("ordered", "larger"), [(True, "bad"), (False, "good")])
def test_an_ordered_category_decides_by_its_order(ordered, larger):
    dtype = pd.CategoricalDtype(["good", "bad"], ordered=ordered)
    target = pd.Series(["good", "bad", "good"], dtype=dtype)
    classes = labels_of((), target)
    assert classes == ["bad", "good"]
    assert classes[positive_index(classes, target)] == larger


def test_categories_that_do_not_occur_are_no_labels():
    dtype = pd.CategoricalDtype(["low", "high", "never"], ordered=True)
    target = pd.Series(["low", "high"], dtype=dtype)
    classes = labels_of((), target)
    assert classes[positive_index(classes, target)] == "high"


def test_of_more_than_two_labels_none_is_positive():
    assert positive_index([1, 2, 3], pd.Series([1, 2, 3])) is None
    # A fold of a search may lack a class.
    assert positive_index([1, 2], pd.Series([1, 2, 3])) is None


def test_labels_that_cannot_be_compared_give_the_last():
    target = pd.Series([1, "a"], dtype=object)
    assert labels_of((), target) == [1, "a"]
    assert positive_index([1, "a"], target) == 1


def test_the_classes_of_the_estimator_win_over_the_labels_of_the_data():
    assert labels_of(np.array([1, 0]), pd.Series([0, 1])) == [1, 0]
    assert labels_of((), pd.Series([True, False], dtype="boolean")) == [False, True]


def chosen(classes, index):
    cls = type("Late", (DataProvider,), {"id": "late", "proba_class_index": index})
    return estimated_class(cls(), classes, pd.Series(classes))


def test_a_declared_index_selects_exactly_this_class():
    found = chosen(["no", "yes"], 0)
    assert (found.index, found.label, str(found)) == (0, "no", "class 'no'")
    assert chosen(["a", "b", "c"], 2).label == "c"
    assert chosen(["no", "yes"], None).label == "yes"
    assert chosen(["a", "b", "c"], None) is None


@pytest.mark.parametrize("index", [2, -1])
def test_an_index_out_of_range_is_an_error_with_the_classes_by_index(index):
    text = rf"late\.proba_class_index is {index}; the classes are 0: 'no', 1: 'yes'\."
    with pytest.raises(DeclarationError, match=text):
        chosen(["no", "yes"], index)


@pytest.mark.parametrize("wrong", [True, "1", 1.0])
def test_an_index_that_is_no_integer_is_refused_when_the_class_is_loaded(wrong):
    cls = type("Late", (DataProvider,), {"id": "late", "proba_class_index": wrong})
    with pytest.raises(DeclarationError, match=r"late\.proba_class_index is"):
        DataProviderFactory([cls])


def test_labels_of_numpy_are_shown_as_python_values():
    assert class_text(np.int64(1)) == "class 1"
    assert class_text(np.str_("yes")) == "class 'yes'"
