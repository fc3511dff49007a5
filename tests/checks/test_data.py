"""What is said about sets, batches and estimations."""

import numpy as np
import pandas as pd
import pytest

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
