"""Values of another type than in training find the category that they stand for."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.model.categories import NO_EQUIVALENT, UNSEEN, equivalents, kind_of

CODES = pd.Index(["0202", "101", "9A9", "false", "true"])


def code_of(value, categories=CODES) -> int:
    (code,) = equivalents(pd.Index([value], dtype=object), categories)
    return code


@pytest.mark.parametrize(
    ("value", "code"),
    [(101, 1), (101.0, 1), (np.int8(101), 1), (np.float32(101), 1), (Decimal("101.0"), 1), (202, 0),
     (True, 4), (False, 3)],
)  # fmt: skip
def test_a_number_or_truth_value_is_the_category_of_the_same_value(value, code):
    assert code_of(value) == code


@pytest.mark.parametrize("value", [404, 101.5, float("inf"), pd.Timestamp("2024-01-01")])
def test_another_type_without_such_a_category_has_no_equivalent(value):
    assert code_of(value) == NO_EQUIVALENT


@pytest.mark.parametrize("value", ["404", "202", "101.0", "True", ""])
def test_text_is_not_the_category_of_another_text(value):
    assert code_of(value) == UNSEEN


def test_several_categories_of_the_same_value_are_no_equivalent():
    assert code_of(101, pd.Index(["0101", "101"])) == NO_EQUIVALENT
    assert code_of(True, pd.Index(["TRUE", "true"])) == NO_EQUIVALENT


def test_text_is_the_category_of_the_same_number_or_truth_value():
    assert code_of("202", pd.Index([101, 202])) == 1
    assert code_of("202.0", pd.Index([101.0, 202.0])) == 1
    assert code_of("True", pd.Index([False, True])) == 1
    assert code_of("9A9", pd.Index([101, 202])) == NO_EQUIVALENT


def test_among_mixed_categories_both_types_are_looked_for():
    mixed = pd.Index([101, "9A9"], dtype=object)
    assert (code_of("101", mixed), code_of("8B8", mixed), code_of(404, mixed)) == (0, -1, -1)


def test_nothing_is_expected_of_categories_that_training_did_not_have():
    assert code_of(101, pd.Index([], dtype="str")) == UNSEEN


@given(st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_integers_of_any_size_are_told_apart(numbers):
    ordered = sorted(numbers)
    found = equivalents(pd.Index(ordered), pd.Index([str(number) for number in ordered]))
    assert found.tolist() == list(range(len(ordered)))


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["a", None], "text"), ([1, None], "number"), ([True, None], "bool"), ([1, 2.5], "number"),
     ([1, "a"], "mixed-integer"), ([None], "empty")],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["object", "category"])
def test_the_kind_of_a_column_is_that_of_its_values(values, kind, dtype):
    column = pd.Series(values, dtype=object)
    assert kind_of(column if dtype == "object" else column.astype("category")) == kind
