import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn import metrics as sk

from xingu.errors import UndefinedMetricError
from xingu.metrics import (
    accuracy,
    average_precision,
    brier,
    f1,
    ks,
    log_loss,
    precision,
    recall,
    roc_auc,
)

HITS = pd.Series([True, False, True, False])
SCORES = pd.Series([0.9, 0.8, 0.6, 0.1])
CHOSEN = SCORES > 0.5
RANKED = [roc_auc, average_precision, ks]
# Few distinct scores, so that ties are the rule.
scored = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (roc_auc, 3 / 4),  # of 4 pairs, only (0.6, 0.8) is in the wrong order
        (average_precision, 1 / 2 * 1 + 1 / 2 * 2 / 3),
        (ks, 1 / 2),
        (brier, (0.01 + 0.64 + 0.16 + 0.01) / 4),
    ],
)
def test_a_metric_of_scores_has_its_hand_computed_value(metric, value):
    assert metric(HITS, SCORES) == pytest.approx(value)


@pytest.mark.parametrize(("metric", "value"), [(precision, 2 / 3), (recall, 1), (f1, 0.8)])
def test_a_metric_of_choices_has_its_hand_computed_value(metric, value):
    assert metric(HITS, CHOSEN) == pytest.approx(value)


def test_log_loss_is_the_mean_of_the_observed_classes():
    probabilities = pd.DataFrame({"a": [0.5, 0.2], "b": [0.25, 0.7], "c": [0.25, 0.1]})
    expected = -(np.log(0.25) + np.log(0.2)) / 2
    assert log_loss(pd.Series(["c", "a"]), probabilities, "abc") == pytest.approx(expected)


@settings(max_examples=30)
@given(scored)
def test_metrics_at_the_target_agree_with_scikit_learn(rows):
    hits, scores = (pd.Series(column) for column in zip(*rows, strict=True))
    assume(hits.nunique() == 2)
    scores = scores / 8
    chosen = scores > 0.5
    assert roc_auc(hits, scores) == pytest.approx(sk.roc_auc_score(hits, scores))
    assert average_precision(hits, scores) == pytest.approx(
        sk.average_precision_score(hits, scores)
    )
    assert brier(hits, scores) == pytest.approx(sk.brier_score_loss(hits, scores))
    assert ks(hits, scores) == pytest.approx(ks_2samp(scores[hits], scores[~hits]).statistic)
    assert recall(hits, chosen) == pytest.approx(sk.recall_score(hits, chosen))
    assert f1(hits, chosen) == pytest.approx(sk.f1_score(hits, chosen))
    assert accuracy(hits, chosen) == pytest.approx(sk.accuracy_score(hits, chosen))
    if chosen.any():
        assert precision(hits, chosen) == pytest.approx(sk.precision_score(hits, chosen))


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), *[st.floats(0.01, 1)] * 3), min_size=1, max_size=40)
)
def test_log_loss_agrees_with_scikit_learn(rows):
    y_true, *weights = (pd.Series(column) for column in zip(*rows, strict=True))
    probabilities = pd.concat(weights, axis=1)
    probabilities = probabilities.div(probabilities.sum(axis=1), axis=0)
    expected = sk.log_loss(y_true, probabilities, labels=list("abc"))
    assert log_loss(y_true, probabilities, "abc") == pytest.approx(expected)


@pytest.mark.parametrize("metric", [*RANKED, brier, precision, recall, f1, accuracy])
def test_rows_with_a_missing_value_on_either_side_are_dropped(metric):
    index = pd.RangeIndex(6)
    values = SCORES if metric in [*RANKED, brier] else CHOSEN.astype(float)
    longer = pd.Series([*values, 1.0, np.nan], index)
    hits = pd.Series([*HITS, None, True], index, dtype="boolean")
    assert metric(hits.astype("Float64"), longer) == metric(HITS.astype(float), values)


def test_log_loss_drops_rows_with_a_missing_label_or_probability():
    probabilities = pd.DataFrame({"a": [0.5, 0.2, np.nan], "b": [0.5, 0.8, 0.1]})
    y_true = pd.Series(["a", None, "b"])
    assert log_loss(y_true, probabilities, "ab") == pytest.approx(np.log(2))


@pytest.mark.parametrize("metric", RANKED)
@pytest.mark.parametrize(("hit", "word"), [(True, "every"), (False, "no")])
def test_a_ranking_of_one_class_is_undefined(metric, hit, word):
    with pytest.raises(UndefinedMetricError, match=f"one class only: {word} row"):
        metric(pd.Series([hit] * 4), SCORES)


@pytest.mark.parametrize("metric", [*RANKED, brier])
def test_an_infinite_score_is_undefined(metric):
    with pytest.raises(UndefinedMetricError, match="infinite"):
        metric(HITS, SCORES.replace(0.9, np.inf))


def test_shares_of_nothing_are_undefined():
    nothing = pd.Series([False] * 4)
    with pytest.raises(UndefinedMetricError, match="no row is predicted as the target class"):
        precision(HITS, nothing)
    with pytest.raises(UndefinedMetricError, match="no row is of the target class"):
        recall(nothing, CHOSEN)
    with pytest.raises(UndefinedMetricError, match="no row is, or is predicted as"):
        f1(nothing, nothing)
    with pytest.raises(UndefinedMetricError, match="no row has both"):
        accuracy(pd.Series([None]), pd.Series(["a"]))


def test_probabilities_outside_0_to_1_are_undefined():
    with pytest.raises(UndefinedMetricError, match="outside"):
        brier(HITS, SCORES * 2)
    with pytest.raises(UndefinedMetricError, match="outside"):
        log_loss(pd.Series(["a"]), pd.DataFrame({"a": [1.2], "b": [-0.2]}), "ab")


def test_log_loss_names_a_label_that_is_no_class():
    with pytest.raises(UndefinedMetricError, match="'z', a label unknown to the estimator"):
        log_loss(pd.Series(["a", "z"]), pd.DataFrame({"a": [1, 0.5], "b": [0, 0.5]}), "ab")
