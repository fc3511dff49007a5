"""A batch that estimates changed rows only gives what a whole batch gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.stages import Stages, variant
from tests.support.toys import Expensive, Houses, MeanEstimator, houses
from xingu.errors import DataError, DeclarationError
from xingu.provider.incremental import Incremental, parse_incremental
from xingu.stages.batch import estimate_rows
from xingu.stages.incremental import basis_of, estimate_changes

INDEX = Incremental()
ROW = st.tuples(st.floats(30, 200), st.sampled_from(["north", "south", "west"]))
BATCHES = st.lists(st.dictionaries(st.integers(0, 30), ROW, max_size=12), min_size=2, max_size=6)


@pytest.fixture(scope="module", params=[Houses, Expensive], ids=["regressor", "classifier"])
def model(request):
    return Stages(request.param).fitted().model


def features_of(model, rows) -> pd.DataFrame:
    """Features of rows by id, in the order in which they arrive."""
    frame = pd.DataFrame.from_dict(dict(rows), orient="index", columns=["size", "town"])
    frame = frame.astype({"size": "float64", "town": "str"}).rename_axis("id")
    return model.dp.feature_engineering_for_batch_predict(frame)


@settings(max_examples=25, deadline=None)
@given(batches=BATCHES, seed=st.integers(0, 99))
def test_any_sequence_of_new_changed_late_and_deleted_rows_equals_whole_batches(
    model, batches, seed
):
    memory, before = None, {}
    for rows in batches:
        features = features_of(model, rows)
        if features.empty:
            continue
        found = estimate_changes(model, features, memory, INDEX, seed)
        pd.testing.assert_frame_equal(found.estimations, estimate_rows(model, features))
        same = sum(before.get(key) == row for key, row in rows.items())
        assert found.changes.kept == same
        assert found.changes.new == len(rows.keys() - before.keys())
        assert found.changes.changed == len(rows.keys() & before.keys()) - same
        assert found.changes.deleted == len(before.keys() - rows.keys())
        memory, before = found.memory, rows


class Counting(MeanEstimator):
    """Estimates a row by its size, and notes how many rows it was asked for."""

    def predict(self, data):
        type(self).asked = len(data)
        return pd.DataFrame({"estimation": data["size"] * 2}, index=data.index)


class Relative(MeanEstimator):
    """Estimates a row by how it differs from the others."""

    def predict(self, data):
        return pd.DataFrame({"estimation": data["size"] - data["size"].mean()}, index=data.index)


def model_of(estimator):
    return Stages(variant(Houses, estimator_class=estimator)).fitted().model


def toy_features(rows=200):
    return houses(rows).set_index("id")[["size", "town"]].assign(town_code=1)


def test_only_changed_rows_and_the_sample_are_estimated():
    model, features = model_of(Counting), toy_features()
    memory = estimate_changes(model, features, None, INDEX, 0).memory
    features.loc[7, "size"] = 1
    found = estimate_changes(model, features, memory, Incremental(sample=5), 0)
    assert (Counting.asked, found.changes.verified) == (6, 5)
    assert found.estimations.loc[7, "estimation"] == 2
    found = estimate_changes(model, features, found.memory, Incremental(sample=0), 0)
    assert (Counting.asked, found.changes.kept) == (6, 200)


def test_an_estimation_that_depends_on_other_rows_is_found_out():
    model, features = model_of(Relative), toy_features()
    memory = estimate_changes(model, features, None, INDEX, 0).memory
    with pytest.raises(DeclarationError, match="20 of 20 rows that have not changed.*row by row"):
        estimate_changes(model, features.iloc[:150], memory, INDEX, 0)


def test_a_key_may_be_columns_and_then_the_index_may_change():
    model, features = model_of(Counting), toy_features().reset_index()
    how = Incremental(("id",))
    memory = estimate_changes(model, features, None, how, 0).memory
    moved = features.iloc[::-1].set_axis(range(1000, 1200))
    found = estimate_changes(model, moved, memory, how, 0)
    assert found.changes.kept == 200
    pd.testing.assert_frame_equal(found.estimations, estimate_rows(model, moved))


@pytest.mark.parametrize("index", [[1, 1], [1.0, np.nan]])
def test_a_key_that_does_not_identify_rows_is_refused(index):
    model, features = model_of(Counting), toy_features(2).set_axis(index)
    with pytest.raises(DataError, match="does not identify the rows"):
        estimate_changes(model, features, None, INDEX, 0)
    with pytest.raises(DataError, match="have no street"):
        estimate_changes(model, features, None, Incremental(("street",)), 0)


def test_one_and_the_text_one_are_different_rows():
    model, features = model_of(Counting), toy_features(3)
    features["mixed"] = pd.Series([1, "1", None], features.index, dtype="object")
    memory = estimate_changes(model, features, None, INDEX, 0).memory
    features["mixed"] = pd.Series(["1", "1", None], features.index, dtype="object")
    assert estimate_changes(model, features, memory, INDEX, 0).changes.changed == 1


def test_other_code_other_columns_or_another_key_keep_nothing(model):
    features = toy_features(3)
    bases = {
        basis_of(model, "1", features, INDEX),
        basis_of(model, "2", features, INDEX),
        basis_of(model, "1", features.assign(x=1), INDEX),
        basis_of(model, "1", features.astype({"size": "float32"}), INDEX),
        basis_of(model, "1", features, Incremental(("id",))),
    }
    assert len(bases) == 5


@pytest.mark.parametrize(
    ("declared", "expected"),
    [(False, None), (True, INDEX), ({"key": "id", "sample": 3}, Incremental(("id",), 3))],
)
def test_it_is_declared_as_true_or_with_a_key(declared, expected):
    assert parse_incremental("dp", declared) == expected


@pytest.mark.parametrize(
    ("declared", "text"),
    [("yes", "give True"), ({"keys": ["id"]}, "Did you mean 'key'"),
     ({"key": 3, "sample": -1}, "(?s)give a column.*give a number of rows")],
)  # fmt: skip
def test_anything_else_is_an_error_that_says_what_to_write(declared, text):
    with pytest.raises(DeclarationError, match=text):
        parse_incremental("dp", declared)
