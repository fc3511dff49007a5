"""Columns of a frame as numbers, the same in training and in prediction."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.errors import DataError, DeclarationError, MissingColumnError
from xingu.estimators.columns import ColumnEncoder, booster_names, declared_features

NAN = float("nan")
FRAME = pd.DataFrame(
    {
        "size": [1.5, NAN, 3.0],
        "colour": ["red", "blue", None],
        "grade": pd.Categorical(["low", "high", "low"], ["low", "mid", "high"], ordered=True),
        "late": [True, False, True],
    }
)
texts = st.one_of(st.none(), st.sampled_from([*"abcde"]))


def learned(frame, features=None):
    return ColumnEncoder(features or list(frame), "Trees").learn(frame)


def test_numbers_and_categories_are_told_apart():
    encoder = learned(FRAME)
    assert list(encoder.categories) == ["colour", "grade"]
    assert encoder.categories["colour"].tolist() == ["blue", "red"]
    assert encoder.categories["grade"].tolist() == ["low", "mid", "high"]
    assert (encoder.ordered, encoder.unordered) == ({"grade"}, ["colour"])


def test_the_matrix_has_codes_of_categories_and_nan_where_missing():
    matrix = learned(FRAME).matrix(FRAME)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(
        matrix, [[1.5, 1, 0, 1], [NAN, 0, 2, 0], [3.0, NAN, 0, 1]], strict=True
    )


def test_an_unseen_category_is_missing():
    row = FRAME.head(1).assign(colour="violet")
    assert np.isnan(learned(FRAME).matrix(row)[0, 1])


def test_the_order_of_columns_is_that_of_fitting():
    encoder = learned(FRAME, ["late", "size"])
    np.testing.assert_array_equal(
        encoder.matrix(FRAME[FRAME.columns[::-1]]), [[1, 1.5], [0, NAN], [1, 3.0]]
    )


def test_a_category_may_be_a_column_without_a_name():
    frame = pd.DataFrame({0: ["red", "blue"], 1: [5, 6]})
    assert learned(frame).matrix(frame).tolist() == [[1, 5], [0, 6]]


def test_a_frame_of_plain_numbers_is_not_copied():
    frame = pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=["a", "b"])
    encoder = learned(frame)
    assert np.shares_memory(encoder.matrix(frame), frame.to_numpy())
    assert all(np.shares_memory(one, frame.to_numpy()) for one in encoder.arrays(frame))


@settings(max_examples=40)
@given(st.lists(texts, min_size=1, max_size=20), st.lists(texts, max_size=20))
def test_a_category_keeps_its_code_whatever_else_is_in_the_frame(train, later):
    encoder = learned(pd.DataFrame({"x": pd.Series([*train, "a"], dtype=object)}))
    known = sorted({one for one in [*train, "a"] if one is not None})
    expected = [known.index(one) if one in known else NAN for one in later]
    for dtype in ("object", "str", "category"):
        frame = pd.DataFrame({"x": pd.Series(later, dtype=object).astype(dtype)})
        np.testing.assert_array_equal(encoder.matrix(frame)[:, 0], expected)


@settings(max_examples=30)
@given(st.permutations("abcd"))
def test_the_order_of_declared_categories_of_a_later_frame_does_not_matter(order):
    values = [*"abcd", None]
    encoder = learned(pd.DataFrame({"x": pd.Categorical(values, [*"abcd"])}))
    frame = pd.DataFrame({"x": pd.Categorical(values, [*order, "z"])})
    np.testing.assert_array_equal(encoder.matrix(frame)[:, 0], [0, 1, 2, 3, NAN])


@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint16", "float16", "float32", "bool", "boolean", "Int64", "Float32",
     "int64[pyarrow]", "double[pyarrow]", "object"],
)  # fmt: skip
def test_numbers_of_every_type_keep_their_value(dtype):
    frame = pd.DataFrame({"x": pd.Series([0, 1, 1]).astype(dtype)})
    assert learned(frame).matrix(frame)[:, 0].tolist() == [0, 1, 1]


@pytest.mark.parametrize("dtype", ["boolean", "Int64", "Float32", "int64[pyarrow]", "object"])
def test_a_missing_number_is_nan(dtype):
    frame = pd.DataFrame({"x": pd.Series([0, None], dtype="object").astype(dtype)})
    assert np.isnan(learned(frame).matrix(frame)[1, 0])


def test_a_column_without_any_value_is_numeric():
    frame = pd.DataFrame({"x": pd.Series([None, None], dtype=object)})
    encoder = learned(frame)
    assert encoder.categories == {}
    assert np.isnan(encoder.matrix(frame)).all()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1 + 2j, 3j], "cannot use complex numbers"),
        (pd.date_range("2026", periods=2), "derive numbers from it"),
        (pd.to_timedelta([1, 2], "h"), "derive numbers from it"),
        ([[1], [2]], "make it numbers or text"),
        (["text", 3], "make it numbers or text"),
    ],
    ids=["complex", "datetime", "timedelta", "lists", "mixed"],
)
def test_what_is_neither_number_nor_category_is_refused_by_name(values, reason):
    with pytest.raises(DataError, match=f"Trees: cannot use the feature 'x' .*{reason}") as caught:
        learned(pd.DataFrame({"x": values}))
    assert caught.value.facts["column"] == "x"


def test_text_in_a_numeric_column_is_refused_by_name():
    with pytest.raises(DataError, match="'size' .*it was numeric in training"):
        learned(FRAME).matrix(FRAME.assign(size="large"))


def test_a_missing_column_is_refused_by_name():
    with pytest.raises(MissingColumnError, match="'colour'"):
        learned(FRAME).matrix(FRAME.drop(columns="colour"))


@settings(max_examples=30)
@given(st.lists(st.tuples(texts, st.floats(allow_nan=True)), min_size=1, max_size=20))
def test_a_stored_encoder_encodes_the_same(drawn):
    frame = pd.DataFrame(drawn, columns=["text", "number"]).astype({"text": object})
    encoder = learned(frame)
    stored = json.loads(json.dumps(encoder.as_json()))
    again = ColumnEncoder.from_json(stored, "Trees")
    assert again.ordered == encoder.ordered
    pd.testing.assert_index_equal(again.features, encoder.features)
    np.testing.assert_array_equal(again.matrix(frame), encoder.matrix(frame))


def test_a_category_that_cannot_be_stored_is_refused_by_feature():
    frame = pd.DataFrame({"x": pd.Categorical([b"a", b"b"])})
    with pytest.raises(DataError, match="Trees: a category of 'x' is a bytes"):
        learned(frame).as_json()


@given(st.lists(st.one_of(st.text(max_size=5), st.integers()), unique=True, max_size=12))
def test_names_for_libraries_are_unique_and_have_no_refused_character(features):
    names = booster_names(features)
    assert len(set(names)) == len(features)
    assert not set("".join(names)) & set('",:[]{}< \t\n')


def test_a_plain_name_stays_as_it_is():
    assert booster_names(["size", "m²", 7]) == ["size", "m²", "7"]


@pytest.mark.parametrize(
    "declared",
    [
        ["shop"],
        ("shop",),
        pd.Index(["shop"]),
        "shop",
        "name:shop",
        [1],
        1,
        "1",
        ["1"],
        np.array([1]),
    ],
    ids=repr,
)
def test_one_feature_is_declared_by_name_or_position(declared):
    assert declared_features(declared, ["size", "shop", "a,b"], "Trees") == ["shop"]


@pytest.mark.parametrize("declared", ["size,shop", "name:size, shop", "0,1", [0, "shop"]])
def test_several_features_are_declared_in_one_text_or_a_list(declared):
    assert declared_features(declared, ["size", "shop", "a,b"], "Trees") == ["size", "shop"]


@pytest.mark.parametrize("declared", [None, "auto", "", [], ()])
def test_no_feature_is_declared(declared):
    assert declared_features(declared, ["size", "shop"], "Trees") == []


def test_a_name_comes_before_a_position_and_may_hold_a_comma():
    assert declared_features("1", ["0", "x", "1"], "Trees") == ["1"]
    assert declared_features([0], [5, 0], "Trees") == [0]
    assert declared_features("a,b", ["a", "a,b"], "Trees") == ["a,b"]


@pytest.mark.parametrize("declared", [["shpo", 2], "shpo,2", [-1], "name:0", [True], "name:1"])
def test_features_that_do_not_exist_are_all_named(declared):
    with pytest.raises(DeclarationError, match="Trees names .*the features are size, shop"):
        declared_features(declared, ["size", "shop"], "Trees")


def test_a_mistyped_feature_is_suggested_unless_it_is_declared_too():
    with pytest.raises(DeclarationError, match=r"Did you mean 'shop'\?$"):
        declared_features(["shpo"], ["size", "shop"], "Trees")
    with pytest.raises(DeclarationError, match=r"size, shop\.$"):
        declared_features(["shop", "shpo"], ["size", "shop"], "Trees")


def test_numbers_that_are_declared_categories_have_codes_and_no_order():
    frame = pd.DataFrame(
        {"shop": [-7, 2.5, None, 9e9], "grade": FRAME["grade"].iloc[[0, 1, 0, 1]].array}
    )
    encoder = ColumnEncoder(list(frame), "Trees").learn(frame, ["shop", "grade"])
    assert encoder.unordered == ["shop", "grade"]
    np.testing.assert_array_equal(encoder.matrix(frame)[:, 0], [0, 1, NAN, 2])
    unseen = frame.assign(shop=[3, -7, 9e9, None])
    np.testing.assert_array_equal(encoder.matrix(unseen)[:, 0], [NAN, 0, 2, NAN])
