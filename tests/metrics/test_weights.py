"""Tests of row weights in every classical metric."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from xingu.errors import UndefinedMetricError
from xingu.metrics import (
    accuracy,
    average_precision,
    bias,
    brier,
    classification_metrics,
    f1,
    log_loss,
    macro_f1,
    mae,
    mape,
    median_ae,
    median_ape,
    precision,
    r2,
    recall,
    regression_metrics,
    rmse,
    roc_auc,
)

numbers, weights = st.integers(1, 60), st.integers(0, 4)
regressed = st.lists(st.tuples(numbers, numbers, weights), min_size=2, max_size=40)
scored = st.lists(st.tuples(st.booleans(), st.integers(0, 8), weights), min_size=2, max_size=40)


@settings(max_examples=40)
@given(regressed)
def test_weighted_regression_metrics_agree_with_scikit_learn(rows):
    true, pred, weight = (pd.Series(column, dtype=float) for column in zip(*rows, strict=True))
    assume(true[weight > 0].nunique() > 1)
    options = {"sample_weight": weight}
    assert rmse(true, pred, weight) == pytest.approx(
        sk.root_mean_squared_error(true, pred, **options)
    )
    assert mae(true, pred, weight) == pytest.approx(sk.mean_absolute_error(true, pred, **options))
    assert r2(true, pred, weight) == pytest.approx(sk.r2_score(true, pred, **options))
    assert mape(true, pred, weight) == pytest.approx(
        sk.mean_absolute_percentage_error(true, pred, **options)
    )
    assert median_ae(true, pred, weight) == pytest.approx(
        sk.median_absolute_error(true, pred, **options)
    )


@settings(max_examples=40)
@given(scored)
def test_weighted_metrics_at_the_target_agree_with_scikit_learn(rows):
    hits, scores, weight = (pd.Series(column) for column in zip(*rows, strict=True))
    assume(hits[weight > 0].nunique() == 2)
    scores = scores / 8
    chosen = scores > 0.5
    options = {"sample_weight": weight}
    for ours, theirs in (
        (roc_auc, sk.roc_auc_score),
        (average_precision, sk.average_precision_score),
        (brier, sk.brier_score_loss),
    ):
        assert ours(hits, scores, weight) == pytest.approx(theirs(hits, scores, **options))
    for ours, theirs in (
        (recall, sk.recall_score),
        (f1, sk.f1_score),
        (accuracy, sk.accuracy_score),
    ):
        assert ours(hits, chosen, weight) == pytest.approx(theirs(hits, chosen, **options))
    if chosen[weight > 0].any():
        expected = sk.precision_score(hits, chosen, **options)
        assert precision(hits, chosen, weight) == pytest.approx(expected)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), weights), min_size=1))
def test_macro_f1_and_accuracy_of_classes_agree_with_scikit_learn(rows):
    codes, predicted, weight = (pd.Series(column) for column in zip(*rows, strict=True))
    assume(weight.any())
    used = weight > 0  # scikit-learn averages classes that only rows of weight 0 have
    options = {"sample_weight": weight[used]}
    expected = sk.f1_score(codes[used], predicted[used], average="macro", **options)
    assert macro_f1(codes, predicted, weight) == pytest.approx(expected)
    expected = sk.accuracy_score(codes[used], predicted[used], **options)
    assert accuracy(codes, predicted, weight) == pytest.approx(expected)


@settings(max_examples=30)
@given(regressed)
def test_a_row_of_weight_3_counts_as_three_rows_in_every_regression_metric(rows):
    frame = pd.DataFrame(rows, columns=["true", "pred", "weight"])
    assume(frame["weight"].any())
    repeated = frame.loc[frame.index.repeat(frame["weight"])].reset_index()
    weighted = regression_metrics(frame["true"], frame["pred"], frame["weight"])
    expected = regression_metrics(repeated["true"], repeated["pred"])
    assert weighted.values == pytest.approx(expected.values)
    assert weighted.undefined.keys() == expected.undefined.keys()


@settings(max_examples=30)
@given(st.integers(0, 1_000))
def test_a_row_of_weight_3_counts_as_three_rows_in_every_classification_metric(seed):
    rng = np.random.default_rng(seed)
    chances = pd.DataFrame(rng.dirichlet([1, 1, 1], 30)).add_prefix("estimation_class_")
    true, weight = pd.Series(rng.choice([*"abc"], 30)), pd.Series(rng.integers(0, 4, 30))
    again = chances.index.repeat(weight)
    weighted = classification_metrics(true, chances, [*"abc"], 1, weight)
    expected = classification_metrics(
        true.loc[again].reset_index(drop=True),
        chances.loc[again].reset_index(drop=True),
        [*"abc"],
        1,
    )
    assert "Macro F1" in weighted.values
    assert weighted.values == pytest.approx(expected.values)


def test_log_loss_agrees_with_scikit_learn():
    chances = pd.DataFrame({"a": [0.5, 0.2, 0.9], "b": [0.5, 0.8, 0.1]})
    true, weight = pd.Series(["a", "b", "b"]), pd.Series([1.0, 2.0, 0.5])
    expected = sk.log_loss(true, chances, sample_weight=weight)
    assert log_loss(true, chances, "ab", weight) == pytest.approx(expected)


def test_a_row_without_a_weight_is_left_out():
    true, pred = pd.Series([1.0, 2.0, 3.0]), pd.Series([2.0, 4.0, 30.0])
    assert bias(true, pred, pd.Series([1.0, 1.0, np.nan])) == 1.5
    assert median_ape(true, pred, pd.Series([1.0, 0.0, 0.0])) == 1


@pytest.mark.parametrize("weight", [-1.0, np.inf])
def test_a_negative_or_infinite_weight_is_refused(weight):
    with pytest.raises(UndefinedMetricError, match="a weight is negative or infinite"):
        mae(pd.Series([1.0]), pd.Series([2.0]), pd.Series([weight]))
