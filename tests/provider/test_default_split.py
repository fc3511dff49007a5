"""The default split: stratified where the rows allow it, and never in the words of a library."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu import DataProvider
from xingu.errors import DataError, DeclarationError
from xingu.provider.declared import DeclaredProvider


class Labels(DataProvider):
    id = "labels"
    y = "label"
    estimator_class = "xingu.estimators.LightGBMClassifier"


def split(labels, **members):
    provider = type("Declared", (Labels,), members)()
    frame = pd.DataFrame({"label": pd.Series(labels, dtype=object)})
    return provider.data_split_for_train(frame), frame


@given(
    st.lists(st.sampled_from(["a", "b", "c", 1, 2.5, None]), min_size=1, max_size=60),
    st.floats(0, 0.5),
    st.floats(0, 0.4),
)
def test_every_row_is_in_one_set_and_no_set_is_empty(labels, test_size, val_size):
    sets, frame = split(labels, test_size=test_size, val_size=val_size)
    assert sorted(np.concatenate([one.index for one in sets.values()])) == list(frame.index)
    assert "train" in sets
    assert all(len(one) for one in sets.values())


def test_classes_have_the_same_shares_in_every_set():
    sets, _ = split(["a"] * 100 + ["b"] * 300)
    shares = [one["label"].value_counts(normalize=True)["a"] for one in sets.values()]
    assert shares == pytest.approx([0.25] * 3, abs=0.01)


def test_a_class_with_one_row_stays_in_train():
    sets, _ = split(["a"] * 50 + ["b"] * 49 + ["c"])
    assert "c" in set(sets["train"]["label"])
    assert [len(one) for one in sets.values()] == [70, 20, 10]


def test_few_rows_leave_out_sets_that_would_be_empty():
    sets, _ = split(["a", "b"] * 2)
    assert {name: len(one) for name, one in sets.items()} == {"train": 3, "val": 1}


def test_the_split_of_common_classes_is_that_of_scikit_learn():
    from sklearn.model_selection import train_test_split

    labels = ["a"] * 60 + ["b"] * 40
    sets, frame = split(labels, val_size=0)
    _, taken = train_test_split(
        np.arange(100), test_size=10, random_state=42, stratify=frame["label"]
    )
    assert list(sets["test"].index) == list(taken)


@given(st.integers(0, 30), st.none() | st.integers(0, 30))
def test_an_integer_is_a_number_of_rows_and_none_is_no_set(test_size, val_size):
    sets, _ = split(["a"] * 40 + ["b"] * 60, test_size=test_size, val_size=val_size)
    expected = {"test": test_size, "val": val_size or 0}
    assert {name: len(sets.get(name, ())) for name in expected} == expected


def test_a_declared_split_by_time_has_the_same_sizes():
    members = {"id": "d", "split_by": "day", "test_size": 3, "val_size": None}
    frame = pd.DataFrame({"day": [5, 1, 4, 2, 3]})
    sets = type("Declared", (DeclaredProvider,), members)().data_split_for_train(frame)
    assert {name: [*one["day"]] for name, one in sets.items()} == {
        "train": [1, 2],
        "test": [3, 4, 5],
    }


@pytest.mark.parametrize("size", [1.0, -0.1, -3, True, "0.2", float("nan"), [0.1]])
@pytest.mark.parametrize("name", ["test_size", "val_size"])
def test_what_is_no_size_is_an_error_that_names_it(name, size):
    with pytest.raises(DeclarationError, match=rf"labels\.{name}: .*a whole number of rows"):
        split(["a", "b"] * 10, **{name: size})


@pytest.mark.parametrize(
    ("sizes", "error"),
    [
        ({"test_size": 0.5, "val_size": 0.5}, DeclarationError),
        ({"test_size": 20}, DataError),
        ({"test_size": 15, "val_size": 0.4}, DataError),
    ],
)
def test_sizes_that_leave_nothing_for_train_are_refused(sizes, error):
    with pytest.raises(error, match="nothing is left for train"):
        split(["a", "b"] * 10, **sizes)
