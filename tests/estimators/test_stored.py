"""Values and labels as JSON, with their types."""

import json
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.errors import DataError
from xingu.estimators.stored import from_json, index_from_json, index_to_json, to_json

plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)
)
keys = st.one_of(st.text(max_size=3), st.integers(), st.booleans(), st.none())
nested = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=3),
    ),
    max_leaves=12,
)


def through_json(value):
    return from_json(json.loads(json.dumps(to_json(value, "it"))))


@settings(max_examples=100)
@given(nested)
def test_nested_values_come_back_with_their_types(value):
    again = through_json(value)
    assert again == value
    assert repr(again) == repr(value)


@pytest.mark.parametrize("value", [{}, (), [], {"tuple": [1]}, {"dict": [[1, 2]]}, ((),), {1: ()}])
def test_empty_values_and_names_of_the_format_itself_come_back(value):
    assert through_json(value) == value
    assert type(through_json(value)) is type(value)


def test_keys_need_not_be_text():
    value = {1: "a", False: "b", None: "c", (1, 2): "d"}
    assert through_json(value) == value


@pytest.mark.parametrize(
    ("value", "kind"), [(np.float32(0.5), float), (np.int64(3), int), (np.bool_(True), bool)]
)
def test_numbers_of_numpy_become_plain_ones(value, kind):
    assert type(through_json(value)) is kind
    assert through_json(value) == value


def test_infinite_and_missing_numbers_come_back():
    assert through_json([math.inf, -math.inf]) == [math.inf, -math.inf]
    assert math.isnan(through_json(math.nan))


@pytest.mark.parametrize("value", [date(2026, 1, 1), {1}, b"bytes", [object], {"a": {date.min: 1}}])
def test_other_types_are_refused_with_place_and_type(value):
    with pytest.raises(DataError, match="a parameter is a .*, which cannot be stored") as caught:
        to_json(value, "a parameter")
    assert caught.value.facts["type"]


INDEXES = [
    pd.Index([1, 2, 3]),
    pd.Index([1.5, -0.0, math.inf]),
    pd.Index([True, False]),
    pd.Index(["b", "a"]),
    pd.Index(["b", 1, None], dtype=object),
    pd.Index([3, 4], dtype="int8"),
    pd.Index([3, 4], dtype="Int64"),
    pd.DatetimeIndex(["2026-01-01", "2026-01-02T03:04:05.000006"]),
    pd.DatetimeIndex(["2026-01-01"], dtype="datetime64[s]"),
    pd.DatetimeIndex(["2026-07-01"], tz="Europe/Berlin"),
    pd.TimedeltaIndex(["1h", "2D"]),
    pd.interval_range(0, 3, 3),
    pd.interval_range(0.5, 2.5, 2, closed="left"),
    pd.Index([], dtype=object),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: f"{index.dtype} {len(index)}")
def test_labels_come_back_with_their_type(index):
    again = index_from_json(json.loads(json.dumps(index_to_json(index, "a label"))))
    pd.testing.assert_index_equal(again, index, exact="equiv")
    assert again.dtype == index.dtype


@settings(max_examples=50)
@given(st.lists(st.one_of(st.text(max_size=4), st.integers(), st.booleans()), max_size=8))
def test_mixed_labels_come_back(labels):
    index = pd.Index(labels, dtype=object)
    assert index_from_json(index_to_json(index, "a label")).tolist() == labels


def test_labels_of_other_types_are_refused():
    with pytest.raises(DataError, match="a label is a date, which cannot be stored"):
        index_to_json(pd.Index([date(2026, 1, 1)]), "a label")
