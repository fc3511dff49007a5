"""Clean arrays of the columns that metrics compare."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.errors import DataError, UndefinedMetricError
from xingu.metrics.cleaning import (
    as_floats,
    check_same_rows,
    checked_weights,
    class_codes,
    paired_numbers,
    paired_scores,
)

NAN = float("nan")
TRUE, PRED = pd.Series([1.0, 2.0, NAN, 4.0]), pd.Series([1.5, NAN, 3.0, 4.5])


def test_rows_with_a_gap_on_either_side_are_dropped():
    true, pred, weights = paired_numbers(TRUE, PRED)
    assert (true.tolist(), pred.tolist(), weights) == ([1, 4], [1.5, 4.5], None)


def test_rows_without_a_weight_or_of_weight_0_are_dropped():
    weight = pd.Series([0.0, 1.0, 1.0, 2.0])
    true, pred, weights = paired_numbers(TRUE, PRED, weight)
    assert (true.tolist(), pred.tolist(), weights.tolist()) == ([4], [4.5], [2])
    with pytest.raises(UndefinedMetricError, match="no row has both"):
        paired_numbers(TRUE, PRED, weight.replace(2.0, NAN))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(*[st.one_of(st.none(), st.integers(-9, 9))] * 2, st.integers(0, 2)),
        min_size=1,
        max_size=30,
    )
)
def test_exactly_the_complete_rows_are_left(drawn):
    true, pred, weight = (pd.Series(column, dtype=float) for column in zip(*drawn, strict=True))
    expected = [row for row in drawn if None not in row and row[2]]
    if not expected:
        with pytest.raises(UndefinedMetricError):
            paired_numbers(true, pred, weight)
        return
    found = paired_numbers(true, pred, weight)
    assert [*zip(*(column.tolist() for column in found), strict=True)] == expected


@pytest.mark.parametrize(("side", "name"), [(0, "y_true"), (1, "y_pred")])
@pytest.mark.parametrize(
    ("value", "reason"), [(np.inf, "contains an infinite value"), ("x", "is not numeric")]
)
def test_the_column_that_cannot_be_measured_is_named(side, name, value, reason):
    columns = [TRUE.astype(object).copy(), PRED.astype(object).copy()]
    columns[side].iloc[0] = value
    with pytest.raises(UndefinedMetricError, match=f"{name} {reason}"):
        paired_numbers(*columns)


def test_an_infinite_value_in_a_dropped_row_does_no_harm():
    assert paired_numbers(pd.Series([np.inf, 1.0]), pd.Series([NAN, 1.0])).true.tolist() == [1]


@pytest.mark.parametrize(
    "hits",
    [
        pd.Series([True, False, None], dtype="boolean"),
        pd.Series([1.0, 0.0, NAN]),
        pd.Series([1, 0, None], dtype="Int64"),
    ],
    ids=["boolean", "float", "nullable"],
)
def test_hits_become_booleans(hits):
    found = paired_scores(hits, pd.Series([0.5, 0.25, 0.1]))
    assert found.true.dtype == bool
    assert (found.true.tolist(), found.pred.tolist()) == ([True, False], [0.5, 0.25])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2, None], dtype="Int64"),
        pd.Series([1.0, 2.0, None], dtype="double[pyarrow]"),
        pd.Series([Decimal(1), Decimal(2), None]),
        pd.Series([1.0, 2.0, NAN], dtype="float32"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_numbers_of_every_type_become_float64_with_nan(column):
    found = as_floats(column, "y")
    assert found.dtype == np.float64
    assert found[:2].tolist() == [1, 2]
    assert np.isnan(found[2])


def test_text_is_not_numeric_and_the_argument_is_named():
    with pytest.raises(UndefinedMetricError, match="weight is not numeric, it is"):
        as_floats(pd.Series(["heavy"]), "weight")


# -- weights -------------------------------------------------------------------------------------


def test_no_weights_stay_none():
    assert checked_weights(None, TRUE.index) is None


def test_a_missing_weight_stays_missing():
    assert np.isnan(checked_weights(pd.Series([1.0, NAN]), pd.RangeIndex(2))[1])


@pytest.mark.parametrize("weight", [-0.5, np.inf, -np.inf])
def test_an_impossible_weight_is_refused(weight):
    with pytest.raises(UndefinedMetricError, match="negative or infinite"):
        checked_weights(pd.Series([1.0, weight]), pd.RangeIndex(2))


def test_weights_of_other_rows_are_refused():
    with pytest.raises(DataError, match="same index"):
        checked_weights(pd.Series([1.0, 2.0]), pd.Index([1, 2]))


# -- labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (pd.Series(["b", "a", None, "z"]), ["a", "b"]),
        (pd.Series(pd.Categorical(["b", "a", None, "z"])), ["a", "b"]),
        (pd.Series([2, 1, None, 9], dtype="Int64"), [1.0, 2.0]),
        (pd.Series([2.0, 1.0, NAN, 9.0]), [np.int64(1), np.int64(2)]),
    ],
    ids=["text", "category", "nullable", "float"],
)
def test_labels_become_positions_and_others_minus_1(labels, classes):
    assert class_codes(labels, classes).tolist() == [1, 0, -1, -1]


def test_no_labels_have_no_codes():
    assert class_codes(pd.Series([], dtype=object), ["a"]).tolist() == []


@settings(max_examples=30)
@given(st.lists(st.sampled_from("abcd"), max_size=20), st.permutations("abc"))
def test_a_code_is_the_position_in_the_classes(labels, classes):
    codes = class_codes(pd.Series(labels, dtype=object), classes)
    assert codes.tolist() == [[*classes].index(one) if one in classes else -1 for one in labels]


def test_rows_in_another_order_are_other_rows():
    with pytest.raises(DataError, match=r"y_true \(2 rows\) and the estimations \(2 rows\)"):
        check_same_rows(pd.Index([1, 2]), pd.Index([2, 1]))
    check_same_rows(pd.Index([1, 2]), pd.Index([1, 2]))
