"""Checks of sources, sets, estimations and batches."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.checks.batch import estimation_drift, feature_drift, known_values
from xingu.checks.data import (
    classes_in_sets,
    complete_estimations,
    declared_columns,
    disjoint_sets,
    finite_values,
    sources_not_empty,
    unique_index,
)
from xingu.checks.leakage import leakage
from xingu.model.reference import column_reference, feature_reference

KNOWN, DRIFT = {"share": 0.01, "ignore": ()}, {"psi": 0.25, "ks": 0.2, "ignore": ()}


def sets(**frames):
    return {name: pd.DataFrame({"x": x}, index=index) for name, (x, index) in frames.items()}


SOUND = sets(train=([1.0, 2.0], [0, 1]), test=([3.0], [2]))
DOUBLED = sets(train=([1.0, 2.0], [0, 0]))
SHARED = sets(train=([1.0, 2.0], [0, 1]), test=([3.0], [1]))
INFINITE = sets(train=([1.0, np.inf], [0, 1]))
REPEATED = {"train": pd.DataFrame([[1.0, np.inf, 2.0]], columns=["x", "x", "y"])}
CLASSES = sets(train=(["a", "b"], [0, 1]), test=(["a"], [2]))


@pytest.mark.parametrize(
    ("outcome", "passed", "figure"),
    [
        (sources_not_empty({"a": 3, "b": 2}), True, ("rows a", 3)),
        (sources_not_empty({"a": 3, "b": 0}), False, ("rows b", 0)),
        (declared_columns(SOUND, {"a.x": ["x"]}), True, ("columns", 1)),
        (declared_columns(SOUND, {"a.x": ["x"], "a.y": ["y"]}), False, ("missing", 2)),
        (unique_index(SOUND), True, ("rows", 3)),
        (unique_index(DOUBLED), False, ("repeated", 1)),
        (disjoint_sets(SOUND), True, ("rows train", 2)),
        (disjoint_sets(SHARED), False, ("shared by train and test", 1)),
        (finite_values(SOUND, ["x"]), True, ("columns", 1)),
        (finite_values(INFINITE, ["x"]), False, ("infinite", 1)),
        (finite_values(INFINITE, ["gone"]), True, ("infinite", 0)),
        (finite_values(REPEATED, ["x"]), True, ("infinite", 0)),
        (declared_columns(REPEATED, {"a.x": ["x", "y"]}), False, ("missing", 1)),
        (classes_in_sets({"train": CLASSES["train"]}, "x"), True, ("classes", 2)),
        (classes_in_sets(CLASSES, "x"), False, ("missing", 1)),
        (classes_in_sets({"train": CLASSES["test"]}, "x"), False, ("classes", 1)),
    ],
)
def test_a_condition_passes_or_fails_with_its_figure(outcome, passed, figure):
    assert outcome.passed is passed
    assert figure in outcome.figures.items()


@pytest.mark.parametrize(
    ("values", "rows", "share", "passed"),
    [
        ([1.0, 2.0], 2, 0.0, True),
        ([1.0, np.nan], 2, 0.0, False),
        ([1.0, np.nan], 2, 0.5, True),
        ([1.0, np.inf], 2, 0.0, False),
        ([1.0], 2, 0.9, False),
    ],
)
def test_estimations_are_finite_and_as_many_as_the_rows(values, rows, share, passed):
    outcome = complete_estimations({"test": pd.Series(values)}, {"test": rows}, share)
    assert outcome.passed is passed


def test_a_repeated_column_is_named():
    outcome = declared_columns(REPEATED, {"a.x": ["x", "y"]})
    assert outcome.text == "a.x: the set 'train' has 'x' more than once."


@pytest.mark.parametrize("dtype", ["float32", "float64", "Float64", "double[pyarrow]"])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_found_in_columns_of_every_type_of_float(dtype, value):
    column = pd.Series([1.0, None, value], index=["a", "b", "c"]).astype(dtype)
    outcome = finite_values({"train": pd.DataFrame({"x": column})}, ["x"])
    assert not outcome.passed
    assert "infinite in 1 rows of the set 'train', for example 'c'" in outcome.text


@pytest.mark.parametrize("values", [[], [None, None], [1.0, None], [1, 2], ["a", "b"], [True]])
def test_columns_without_infinite_values_pass(values):
    frame = pd.DataFrame({"x": pd.Series(values)})
    assert finite_values({"train": frame}, ["x"]).passed


@pytest.mark.parametrize(
    ("estimations", "difference"),
    [({}, 2), ({"test": pd.Series([1.0])}, 1), ({"test": pd.Series([1.0, 2, 3])}, 1)],
)
def test_too_many_or_too_few_estimations_are_never_tolerated(estimations, difference):
    outcome = complete_estimations(estimations, {"test": 2}, 1.0)
    assert not outcome.passed
    assert outcome.figures["difference"] == difference
    assert "too many or too few" in outcome.text


@given(
    st.lists(st.sampled_from([1.0, np.nan, np.inf, -np.inf]), min_size=1, max_size=50),
    st.floats(0, 1),
)
def test_the_share_of_estimations_without_a_finite_value_decides(values, share):
    outcome = complete_estimations({"a": pd.Series(values)}, {"a": len(values)}, share)
    wrong = sum(not np.isfinite(value) for value in values)
    assert outcome.passed is (wrong <= share * len(values))
    assert outcome.figures["missing"] + outcome.figures["infinite"] == wrong


@given(st.lists(st.lists(st.integers(0, 30), max_size=20, unique=True), min_size=1, max_size=4))
def test_sets_are_disjoint_if_no_label_is_in_two_of_them(labels):
    frames = {f"set {n}": pd.DataFrame(index=one) for n, one in enumerate(labels)}
    everything = [label for one in labels for label in one]
    assert disjoint_sets(frames).passed is (len(everything) == len(set(everything)))


# -- leakage ------------------------------------------------------------------------------------

ROWS = 2_000
RNG = np.random.default_rng(0)
NOISE, SIGNAL = RNG.normal(size=ROWS), RNG.normal(size=ROWS)


def leaking(feature, target, classify):
    train = pd.DataFrame({"leak": feature, "honest": NOISE, "y": target})
    return leakage(train, ["honest", "leak"], "y", 0.99, classify)


@pytest.mark.parametrize(
    "leak",
    [
        SIGNAL,
        -2 * SIGNAL,
        np.exp(SIGNAL),
        np.where(RNG.random(ROWS) < 0.2, np.nan, SIGNAL),
    ],
    ids=["copy", "scaled", "monotone", "with gaps"],
)
def test_a_feature_that_is_the_target_in_disguise_is_found(leak):
    outcome = leaking(leak, SIGNAL, classify=False)
    assert not outcome.passed
    assert "'leak' alone has R2 " in outcome.text
    assert outcome.rows[0]["feature"] == "leak"


def test_a_text_that_is_the_target_in_disguise_is_found():
    target = SIGNAL.clip(-2, 2)
    assert not leaking(target.round(1).astype(str), target, classify=False).passed


@pytest.mark.parametrize("leak", [SIGNAL, -SIGNAL, np.where(SIGNAL > 0, "late", "on time")])
def test_a_feature_that_tells_classes_apart_is_found(leak):
    outcome = leaking(leak, SIGNAL > 0, classify=True)
    assert not outcome.passed
    assert outcome.figures["highest AUC"] > 0.99


def test_a_feature_that_tells_several_classes_apart_is_found():
    classes = np.array(["a", "b", "c"])[np.digitize(SIGNAL, [-0.5, 0.5])]
    assert not leaking(SIGNAL, classes, classify=True).passed
    assert leaking(NOISE, classes, classify=True).passed


def test_features_that_are_not_in_the_set_are_skipped():
    train = pd.DataFrame({"honest": NOISE, "y": SIGNAL})
    outcome = leakage(train, ["honest", "gone"], "y", 0.99, classify=False)
    assert [row["feature"] for row in outcome.rows] == ["honest"]


@pytest.mark.parametrize("classify", [True, False])
@pytest.mark.parametrize(
    "honest",
    [SIGNAL + RNG.normal(size=ROWS), [f"id {number}" for number in range(ROWS)], [1.0] * ROWS],
    ids=["correlated", "identifier", "constant"],
)
def test_an_honest_feature_is_believed(honest, classify):
    assert leaking(honest, SIGNAL > 0 if classify else SIGNAL, classify).passed


# -- batch --------------------------------------------------------------------------------------

TRAIN = pd.DataFrame({"size": np.linspace(30, 200, 1_000), "town": ["north", "south"] * 500})
REFERENCE = feature_reference(TRAIN, ["size", "town"])


def test_a_batch_like_the_training_rows_is_known():
    assert known_values(TRAIN.iloc[::10], REFERENCE, KNOWN).passed


@pytest.mark.parametrize(
    ("column", "values", "example"),
    [("size", np.linspace(150, 300, 100), "201"), ("town", ["east"] * 100, "east")],
)
def test_values_that_training_has_not_seen_are_shown(column, values, example):
    outcome = known_values(TRAIN.iloc[:100].assign(**{column: values}), REFERENCE, KNOWN)
    assert not outcome.passed
    assert outcome.rows[0]["feature"] == column
    assert outcome.rows[0]["example"].startswith(example)


@pytest.mark.parametrize(
    ("column", "values", "example"),
    [("size", ["big"] * 100, "'big' where numbers were"), ("town", range(100), "0 where text was")],
)
def test_values_of_another_type_than_in_training_are_unknown(column, values, example):
    outcome = known_values(TRAIN.iloc[:100].assign(**{column: values}), REFERENCE, KNOWN)
    assert not outcome.passed
    assert f"{column!r} is outside the training data in 100 of 100 rows" in outcome.text
    assert outcome.rows[0]["example"] == example


@pytest.mark.parametrize("values", [[101, 202] * 50, [101.0, np.nan] * 50])
def test_numbers_that_stand_for_categories_of_training_are_known(values):
    codes = pd.DataFrame({"code": ["101", "202", "9A9"] * 100})
    reference = feature_reference(codes, ["code"])
    assert known_values(pd.DataFrame({"code": values}), reference, KNOWN).passed


def test_a_feature_without_values_has_none_of_another_type():
    empty = pd.DataFrame({"size": [None] * 9, "town": [np.nan] * 9})
    assert known_values(empty, REFERENCE, KNOWN).passed


def test_a_feature_can_be_ignored_and_a_share_tolerated():
    batch = TRAIN.iloc[:100].assign(town=["east"] * 5 + ["north"] * 95)
    assert not known_values(batch, REFERENCE, KNOWN).passed
    assert known_values(batch, REFERENCE, {"share": 0.1, "ignore": ()}).passed
    assert known_values(batch, REFERENCE, {"share": 0.0, "ignore": ["town"]}).passed


def test_drift_names_the_columns_worst_first():
    batch = TRAIN.iloc[500:].assign(town="north")
    outcome = feature_drift(batch, REFERENCE, DRIFT)
    assert not outcome.passed
    assert {row["column"] for row in outcome.rows if row["drifted"]} == {"size", "town"}
    assert outcome.rows[0]["PSI"] == pytest.approx(outcome.figures["highest PSI"], abs=1e-4)


def test_drift_of_many_columns_names_five_and_counts_the_others():
    names = [f"f{number}" for number in range(7)]
    train = pd.DataFrame(dict.fromkeys(names, TRAIN["size"]))
    outcome = feature_drift(train + 300, feature_reference(train, names), DRIFT)
    assert "7 of 7 have drifted: f0, f1, f2, f3, f4 and 2 more." in outcome.text


def test_estimations_drift_against_those_of_training():
    reference = column_reference(TRAIN["size"])
    assert estimation_drift(TRAIN["size"], reference, DRIFT).passed
    assert not estimation_drift(TRAIN["size"] + 80, reference, DRIFT).passed


def test_without_a_reference_drift_is_not_applicable():
    assert "not applicable" in estimation_drift(TRAIN["size"], None, DRIFT).figures
