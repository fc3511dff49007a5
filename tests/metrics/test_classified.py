"""The rows of a classifier that metrics and plots use."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.errors import DataError, UndefinedMetricError
from xingu.metrics.classified import known_rows

INDEX = pd.Index([*"pqrs"], name="row")
LABELS = pd.Series(["no", "yes", "yes", "no"], INDEX)
PROBABILITIES = pd.DataFrame(
    {"estimation_class_0": [0.9, 0.2, 0.5, 0.4], "estimation_class_1": [0.1, 0.8, 0.5, 0.6]}, INDEX
)
CLASSES = ["no", "yes"]


def rows(labels=LABELS, probabilities=PROBABILITIES, classes=CLASSES, target=1, weight=None):
    return known_rows(labels, probabilities, classes, target, weight)


def test_rows_without_gaps_are_all_known():
    known = rows()
    pd.testing.assert_index_equal(known.observed.index, INDEX)
    assert known.codes.tolist() == [0, 1, 1, 0]
    assert known.is_target.tolist() == [False, True, True, False]
    assert known.score.tolist() == [0.1, 0.8, 0.5, 0.6]
    assert known.weight is None


def test_the_predicted_class_is_the_most_probable_one_and_the_first_of_a_tie():
    assert rows().predicted.tolist() == [0, 1, 0, 1]


def test_the_target_index_selects_the_class():
    known = rows(target=0)
    assert known.is_target.tolist() == [True, False, False, True]
    assert known.score.tolist() == [0.9, 0.2, 0.5, 0.4]


@pytest.mark.parametrize("gap", ["label", "probability", "weight", "weight 0"])
def test_a_row_with_a_gap_is_dropped_from_every_column(gap):
    labels, probabilities = LABELS.copy(), PROBABILITIES.copy()
    weight = pd.Series([1.0, 2.0, 3.0, 4.0], INDEX)
    if gap == "label":
        labels.loc["q"] = None
    elif gap == "probability":
        probabilities.loc["q", "estimation_class_0"] = np.nan
    else:
        weight.loc["q"] = np.nan if gap == "weight" else 0.0
    known = rows(labels, probabilities, weight=weight)
    for column in (known.observed, known.probabilities, known.weight, known.codes, known.score):
        assert column.index.tolist() == ["p", "r", "s"]
    assert known.weight.tolist() == [1, 3, 4]


def test_an_unknown_label_is_kept_with_the_code_minus_1():
    known = rows(LABELS.replace("no", "perhaps"))
    assert known.codes.tolist() == [-1, 1, 1, -1]
    assert known.is_target.tolist() == [False, True, True, False]


def test_no_known_row_gives_empty_columns():
    known = rows(pd.Series([None] * 4, INDEX))
    assert len(known.observed) == len(known.predicted) == len(known.score) == 0
    with pytest.raises(UndefinedMetricError, match="no row"):
        _ = known.ranking


def test_rows_are_ranked_once():
    known = rows()
    assert known.ranking is known.ranking
    assert known.ranking.scores.tolist() == [0.8, 0.6, 0.5, 0.1]


def test_one_observed_class_has_no_ranking_whenever_it_is_asked_for():
    known = rows(LABELS.replace("no", "yes"))
    for _ in range(2):
        with pytest.raises(UndefinedMetricError, match="one class only"):
            _ = known.ranking


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 4), st.floats(0, 1)),
        min_size=1,
        max_size=30,
    )
)
def test_only_rows_with_a_label_and_a_weight_are_known(drawn):
    labels, weight, score = (pd.Series(column) for column in zip(*drawn, strict=True))
    probabilities = pd.DataFrame({"estimation_class_0": score, "estimation_class_1": 1 - score})
    known = known_rows(labels.astype(object), probabilities, ["a", "b"], 0, weight)
    expected = [at for at, (label, heavy, _) in enumerate(drawn) if label is not None and heavy]
    assert known.observed.index.tolist() == expected
    assert (known.weight > 0).all()


@pytest.mark.parametrize(
    ("classes", "target"), [(["no"], 0), (["no", "yes", "more"], 0), (CLASSES, 2), (CLASSES, -1)]
)
def test_classes_that_do_not_match_are_refused_with_advice(classes, target):
    with pytest.raises(DataError, match="do not match .* check proba_class_index"):
        rows(classes=classes, target=target)


def test_different_indexes_are_refused():
    with pytest.raises(DataError, match="same index"):
        rows(LABELS.iloc[::-1])


def test_a_negative_weight_is_refused():
    with pytest.raises(UndefinedMetricError, match="negative"):
        rows(weight=pd.Series([1.0, -1, 1, 1], INDEX))
