"""Counts by score, the curves made of them, and the AUC of known ranks."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from xingu.errors import DataError, UndefinedMetricError
from xingu.metrics import auc_of_ranks, average_precision, ks, roc_auc
from xingu.metrics.ranking import rank

HITS = pd.Series([True, False, True, False, True])
SCORES = pd.Series([0.9, 0.8, 0.8, 0.1, 0.1])
# Few distinct scores, so that ties are the rule.
rows = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=50)
weighted_rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 4)), min_size=2, max_size=50
)


def columns(drawn):
    return (pd.Series(column) for column in zip(*drawn, strict=True))


def test_rows_are_counted_at_each_distinct_score_from_the_highest_down():
    ranking = rank(HITS, SCORES)
    assert ranking.scores.tolist() == [0.9, 0.8, 0.1]
    assert ranking.hits.tolist() == [1, 2, 3]
    assert ranking.misses.tolist() == [0, 1, 2]
    assert ranking.counts.tolist() == [1, 3, 5]
    assert ranking.rows == 5


def test_weights_are_summed_while_rows_are_counted():
    ranking = rank(HITS, SCORES, pd.Series([2.0, 1, 0.5, 3, 1]))
    assert ranking.hits.tolist() == [2, 2.5, 3.5]
    assert ranking.misses.tolist() == [0, 1, 4]
    assert ranking.counts.tolist() == [1, 3, 5]
    assert ranking.prevalence == pytest.approx(3.5 / 7.5)


def test_a_row_of_weight_0_is_not_counted():
    ranking = rank(HITS, SCORES, pd.Series([1, 1, 1, 0, 1]))
    assert ranking.rows == 4
    assert ranking.misses[-1] == 1


def test_curves_start_with_no_row_selected_and_end_with_all():
    ranking = rank(HITS, SCORES)
    assert ranking.true_positive_rate().tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert ranking.false_positive_rate().tolist() == [0, 0, 0.5, 1]
    assert ranking.selected().tolist() == pytest.approx([0, 0.2, 0.6, 1])
    assert ranking.precision().tolist() == pytest.approx([1, 2 / 3, 3 / 5])


def test_the_prevalence_is_the_share_of_target_rows():
    assert rank(HITS, SCORES).prevalence == pytest.approx(0.6)


@settings(max_examples=30)
@given(rows)
def test_the_curve_is_that_of_scikit_learn(drawn):
    hits, scores = columns(drawn)
    assume(hits.nunique() == 2)
    ranking = rank(hits, scores)
    false_rate, true_rate, _ = sk.roc_curve(hits, scores, drop_intermediate=False)
    assert ranking.true_positive_rate() == pytest.approx(true_rate)
    assert ranking.false_positive_rate() == pytest.approx(false_rate)


@settings(max_examples=30)
@given(weighted_rows)
def test_one_ranking_gives_the_metrics_of_the_columns(drawn):
    hits, scores, weight = columns(drawn)
    assume(hits[weight > 0].nunique() == 2)
    ranking = rank(hits, scores, weight)
    assert ranking.roc_auc() == roc_auc(hits, scores, weight)
    assert ranking.average_precision() == average_precision(hits, scores, weight)
    assert ranking.ks() == ks(hits, scores, weight)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "ks", "prevalence"])
def test_metrics_are_plain_floats(name):
    found = getattr(rank(HITS, SCORES, HITS + 1.0), name)
    assert type(found() if callable(found) else found) is float


@pytest.mark.parametrize(("hit", "word"), [(True, "every"), (False, "no")])
def test_one_class_only_has_no_ranking(hit, word):
    with pytest.raises(UndefinedMetricError, match=f"one class only: {word} row"):
        rank(pd.Series([hit] * 5), SCORES)


def test_columns_with_different_indexes_are_refused():
    with pytest.raises(DataError, match="same index"):
        rank(HITS, SCORES.set_axis(range(1, 6)))


# -- AUC of ranks --------------------------------------------------------------------------------


def auc_by_pairs(hits, scores):
    """The share of pairs in the right order, a tie one half, by its definition."""
    pairs = [*product(scores[hits], scores[~hits])]
    return np.mean([(high > low) + (high == low) / 2 for high, low in pairs])


@settings(max_examples=50)
@given(rows)
def test_the_auc_of_ranks_is_the_share_of_pairs_in_order(drawn):
    hits, scores = columns(drawn)
    assume(hits.nunique() == 2)
    found = auc_of_ranks(hits.to_numpy(), scores.rank().to_numpy())
    assert found == pytest.approx(auc_by_pairs(hits, scores))
    assert found == pytest.approx(roc_auc(hits, scores))


@settings(max_examples=30)
@given(rows)
def test_reversed_ranks_give_the_complement(drawn):
    hits, scores = columns(drawn)
    assume(hits.nunique() == 2)
    up, down = (auc_of_ranks(hits.to_numpy(), (sign * scores).rank()) for sign in (1, -1))
    assert up + down == pytest.approx(1)


@pytest.mark.parametrize("hit", [True, False])
def test_the_auc_of_one_class_is_nan(hit):
    assert math.isnan(auc_of_ranks(np.full(4, hit), np.arange(1.0, 5)))


def test_the_auc_of_no_rows_is_nan():
    assert math.isnan(auc_of_ranks(np.array([], dtype=bool), np.array([])))


def test_weights_of_ranked_rows_count_as_tied_rows():
    # Two target rows (weight 2) above three others (weight 3): ranks 4.5 and 2.
    assert auc_of_ranks(np.array([2.0, 0.0]), np.array([4.5, 2.0]), 5) == 1.0


def test_a_rare_target_among_many_rows_keeps_its_precision():
    hits = np.arange(1_000_000) == 10
    assert auc_of_ranks(hits, np.arange(1.0, 1_000_001)) == pytest.approx(10 / 999_999, rel=1e-9)
