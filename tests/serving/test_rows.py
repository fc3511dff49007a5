"""Rows of JSON are checked against the signature of a train; estimations become JSON."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.errors import DataError, InvalidRowsError
from xingu.model import Signature
from xingu.model.reference import FeatureReference, Reference
from xingu.serving import estimations_of, frame_of

DTYPES = {
    "size": "float64", "rooms": "int64", "floor": "uint8", "garden": "bool", "town": "str",
    "kind": "category", "sold": "datetime64[us]", "note": "object", "maybe": "Int64",
    "width": "float32",
}  # fmt: skip
GOOD = {
    "size": 80.5, "rooms": 3, "floor": 1, "garden": True, "town": "north", "kind": "flat",
    "sold": "2026-01-31T10:00:00", "note": 7, "maybe": None, "width": 1,
}  # fmt: skip


def model_of(dtypes=DTYPES, missing=(), estimations=None):
    """A Model as these functions see it."""
    features = {
        name: FeatureReference("numeric", 10, 0.5 if name in missing else 0.0)
        for name in ("size", "town")
    }
    return SimpleNamespace(
        id="houses",
        signature=lambda: Signature(features=dtypes),
        reference=Reference(features),
        estimate=lambda frame: estimations,
        estimation_of=lambda estimated: estimated["estimation"],
    )


def problems_of(*rows, model=None, **options):
    with pytest.raises(InvalidRowsError) as raised:
        frame_of(model or model_of(), rows, **options)
    return raised.value.facts["problems"]


def test_a_frame_has_the_features_and_dtypes_of_the_training():
    frame = frame_of(model_of(), [GOOD, {**GOOD, "sold": "2026-02-01"}])
    assert frame.dtypes.astype(str).to_dict() == DTYPES
    assert list(frame.index) == [0, 1]
    assert frame["sold"].iloc[0] == pd.Timestamp(GOOD["sold"])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("size", "80", "a finite number, not '80'"),
        ("size", True, "a finite number, not True"),
        ("size", float("inf"), "a finite number, not inf"),
        ("size", [1], r"a finite number, not \[1\]"),
        ("rooms", 3.5, "a whole number, not 3.5"),
        ("rooms", 2**70, "cannot be read as int64"),
        ("width", 1e39, "cannot be read as float32"),
        ("floor", 300, "cannot be read as uint8"),
        ("floor", -1, "a whole number from 0, not -1"),
        ("garden", 1, "true or false, not 1"),
        ("town", 7, "a text, not 7"),
        ("kind", {"a": 1}, "a text, a number, or true or false"),
        ("sold", "soon", "a date"),
        ("sold", 20260131, "a date"),
        ("sold", "2026-01-31T10:00:00+02:00", "cannot be read as datetime64"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_row(name, value, said):
    import re

    [problem] = problems_of(GOOD, {**GOOD, name: value})
    assert re.search(said, problem), problem
    assert problem.startswith(f"{name}: ")
    assert "row 1" in problem or "cannot be read" in problem


def test_all_problems_of_all_rows_are_reported_at_once():
    rows = [{**GOOD, "size": "x", "garden": 0, "unknown": 1} for _ in range(5)]
    del rows[1]["rooms"]
    assert problems_of(*rows) == [
        "rooms: missing in row 1",
        "unknown: no feature of this model.",
        "size: rows 0, 1, 2 and 2 more should have a finite number, not 'x', 'x', 'x'",
        "garden: rows 0, 1, 2 and 2 more should have true or false, not 0, 0, 0",
    ]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_missing_values_are_taken_where_the_training_had_some(value):
    rows = [{**GOOD, "size": value, "town": value}]
    assert len(problems_of(*rows)) == 2
    assert len(problems_of(*rows, model=model_of(missing={"size"}))) == 1
    frame = frame_of(model_of(missing={"size", "town"}), rows)
    assert frame[["size", "town"]].isna().all(axis=None)
    assert frame_of(model_of(), rows, "allow")["size"].isna().all()
    assert len(problems_of(*rows, missing="refuse")) == 3  # of `maybe` too


@pytest.mark.parametrize("name", ["rooms", "floor", "garden"])
def test_a_dtype_without_missing_values_never_gets_one(name):
    [problem] = problems_of({**GOOD, name: None}, missing="allow")
    assert problem.startswith(f"{name}: null in row 0")


@given(st.dictionaries(st.sampled_from([*DTYPES, "x"]), st.none() | st.booleans() | st.integers()
       | st.floats() | st.text() | st.lists(st.integers()), max_size=12))  # fmt: skip
def test_whatever_a_row_holds_it_is_taken_or_refused_with_reasons(row):
    row = {**GOOD, **row}
    try:
        frame = frame_of(model_of(), [row])
    except InvalidRowsError as error:
        assert error.facts["problems"]  # noqa: PT017
    else:
        assert frame.dtypes.astype(str).to_dict() == DTYPES


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, np.nan, np.inf], [1.5, None, None]),
        (pd.array([1, None, 3], dtype="Int64"), [1, None, 3]),
        (["north", None, "south"], ["north", None, "south"]),
        (pd.Categorical(["a", "b", None]), ["a", "b", None]),
        (np.array([1, 2, 3], dtype="float32"), [1.0, 2.0, 3.0]),
    ],
)
def test_estimations_are_json_without_nan(values, expected):
    model = model_of(estimations=pd.DataFrame({"estimation": values}))
    found = estimations_of(model, pd.DataFrame(index=pd.RangeIndex(3)))
    assert found == expected
    json.dumps(found, allow_nan=False)


def test_a_row_that_a_hook_dropped_or_moved_keeps_its_place():
    estimated = pd.DataFrame({"estimation": [3.0, 1.0]}, index=[2, 0])
    frame = pd.DataFrame(index=pd.RangeIndex(3))
    assert estimations_of(model_of(estimations=estimated), frame) == [1.0, None, 3.0]


@pytest.mark.parametrize("index", [[0, 0, 1], [7, 8, 9]])
def test_estimations_that_belong_to_no_row_are_refused(index):
    estimated = pd.DataFrame({"estimation": [1.0, 2.0, 3.0]}, index=index)
    with pytest.raises(DataError, match="hooks change the index"):
        estimations_of(model_of(estimations=estimated), pd.DataFrame(index=pd.RangeIndex(3)))
