"""Bad data is refused with a message that says where, what and what to do."""

import numpy as np
import pandas as pd
import pytest

from tests.support.toys import Houses, houses
from xingu.errors import CheckFailedError, DataError, EmptySourceError, HookError
from xingu.stages.builder import ProviderBuilder
from xingu.stages.train import clean, engineer, split


def prepare(cls, data=None):
    """Run the hooks of `cls` up to the split."""
    builder = ProviderBuilder(cls, lambda *_: None)
    cleaned = clean(builder, {"houses": houses() if data is None else data}, {})
    return split(builder, engineer(builder, cleaned))


def variant(**members):
    return type("Variant", (Houses,), members)


def test_sound_data_passes():
    sets = prepare(Houses).frames
    assert list(sets) == ["train", "val", "test"]
    assert {name: len(frame) for name, frame in sets.items()} == {
        "train": 280,
        "val": 80,
        "test": 40,
    }


def test_no_rows_after_cleaning():
    with pytest.raises(
        EmptySourceError,
        match=r"houses\.clean_data_for_train: what it returned has "
        "no rows",
    ):
        prepare(Houses, houses().head(0))


def test_a_duplicate_index_shows_examples():
    cls = variant(last_pre_process_for_train=lambda self, data: pd.concat([data, data.head(2)]))
    with pytest.raises(DataError, match=r"duplicate index: 0, 1 more than once \(2 such values\)"):
        prepare(cls)


def test_a_missing_feature_is_named_with_a_suggestion():
    with pytest.raises(
        CheckFailedError,
        match=r"houses\.x_estimator_features names 'sice': not in "
        r"the set 'train'.*Did you mean 'size'\?",
    ):
        prepare(variant(x_estimator_features=("sice",)))


def test_a_missing_target_is_named():
    with pytest.raises(CheckFailedError, match=r"houses\.y names 'prise'.*Did you mean 'price'"):
        prepare(variant(y="prise"))


def test_no_target_is_declared():
    with pytest.raises(DataError, match=r"houses\.y: no target column is declared"):
        prepare(variant(y=None))


def test_no_features_are_declared():
    with pytest.raises(DataError, match=r"houses\.x_features: no features are declared"):
        prepare(variant(x_features=(), x_estimator_features=()))


def test_the_target_among_the_features():
    with pytest.raises(DataError, match="holds the target 'price'; take it out"):
        prepare(variant(x_estimator_features=("size", "price")))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.nan, "every 'price' of the set 'train' is missing"),
        (7.0, r"'price' is 7\.0 in every row of the set 'train'; there is nothing to learn"),
    ],
)
def test_a_target_without_information(target, message):
    with pytest.raises(DataError, match=message):
        prepare(Houses, houses().assign(price=target))


def test_a_partly_missing_target():
    data = houses()
    data.loc[::2, "price"] = np.nan
    with pytest.raises(DataError, match=r"'price' is missing in \d+ of 280 rows.*drop them"):
        prepare(Houses, data)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_feature_is_named_with_rows(value):
    data = houses()
    data.loc[3, "size"] = value
    with pytest.raises(DataError, match=r"'size' is infinite in 1 rows of the set .*example 3;"):
        prepare(Houses, data)


def test_sets_that_share_rows():
    def data_split_for_train(self, data):
        return {"train": data, "test": data.head(3)}

    members = {"checks": {"disjoint_sets": "error"}, "data_split_for_train": data_split_for_train}
    with pytest.raises(DataError, match="'train' and 'test' share 3 rows, for example 0, 1, 2"):
        prepare(variant(**members))


def test_an_empty_set():
    def data_split_for_train(self, data):
        return {"train": data, "test": data.head(0)}

    with pytest.raises(DataError, match="the set 'test' is empty; leave it out"):
        prepare(variant(data_split_for_train=data_split_for_train))


def test_no_set_is_called_train():
    cls = variant(data_split_for_train=lambda self, data: {"all": data})
    with pytest.raises(HookError, match=r"returned the sets \['all'\]; one must be called 'train'"):
        prepare(cls)


@pytest.mark.parametrize("severity", ["warn", "off"])
def test_a_relaxed_check_refuses_nothing(severity):
    def data_split_for_train(self, data):
        return {"train": data, "test": data.head(3)}

    members = {"checks": {"disjoint_sets": severity}, "data_split_for_train": data_split_for_train}
    assert len(prepare(variant(**members)).frames["test"]) == 3


def test_every_failed_condition_is_in_the_error():
    data = houses()
    data.loc[3, "size"] = np.inf
    cls = variant(
        checks={"disjoint_sets": "error"},
        data_split_for_train=lambda self, data: {"train": data, "test": data.head(3)},
        x_estimator_features=("size", "sice"),
    )
    with pytest.raises(CheckFailedError) as caught:
        prepare(cls, data)
    assert set(caught.value.facts["outcomes"]) == {
        "declared_columns",
        "disjoint_sets",
        "finite_values",
    }
