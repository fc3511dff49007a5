"""Plots that help to choose a threshold, and the confusion matrix."""

import numpy as np
import pandas as pd
import pytest

from xingu.errors import UndefinedMetricError
from xingu.metrics import f1, ks, precision, recall
from xingu.metrics.classified import known_rows
from xingu.metrics.ranking import rank
from xingu.plots import decisions

RNG = np.random.default_rng(0)
SCORE = pd.Series(RNG.random(2_000).round(3))
HITS = pd.Series(RNG.random(2_000) < SCORE)
WEIGHT = pd.Series(RNG.integers(1, 4, 2_000))
RANKING = rank(HITS, SCORE)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_each_threshold_shows_the_metrics_of_the_rows_from_there_on(weight):
    figure = decisions.threshold(rank(HITS, SCORE, weight), "late")
    for line, metric in zip(figure.data, (precision, recall, f1), strict=True):
        for place in (10, 300):
            chosen = line.x[place] <= SCORE
            assert line.y[place] == pytest.approx(metric(HITS, chosen, weight))


def test_the_best_threshold_is_marked():
    figure = decisions.threshold(RANKING, "late")
    best = figure.layout.shapes[0].x0
    every = [f1(HITS, one <= SCORE) for one in SCORE.unique()]
    assert f1(HITS, best <= SCORE) == pytest.approx(max(every))
    assert figure.layout.title.subtitle.text.startswith(f"best F1 {max(every):.4f} from {best:.4f}")


def test_gain_and_lift_count_target_rows_among_the_most_probable_rows():
    found = HITS[SCORE.sort_values(ascending=False, kind="stable").index].to_numpy()
    gain, lift = decisions.gain(RANKING, "late"), decisions.lift(RANKING, "late")
    curve = gain.data[0]
    for place in (100, 500):
        taken = round(curve.x[place] * len(found))
        assert curve.y[place] == pytest.approx(found[:taken].sum() / found.sum())
    curve = lift.data[0]
    expected = np.interp(curve.x[50:], gain.data[0].x, gain.data[0].y) / curve.x[50:]
    assert curve.y[50:] == pytest.approx(expected, rel=0.01)
    assert curve.y[-1] == pytest.approx(1)


def test_the_lift_of_one_probability_for_all_is_1():
    curve = decisions.lift(rank(HITS, SCORE * 0 + 0.3), "late").data[0]
    assert (list(curve.x), list(curve.y)) == ([0, 1], [1, 1])


def test_ks_marks_the_largest_distance():
    figure = decisions.ks(RANKING, "late")
    distance = figure.data[2]
    assert abs(distance.y[0] - distance.y[1]) == pytest.approx(ks(HITS, SCORE))
    below = distance.x[0] > SCORE
    assert sorted(distance.y) == pytest.approx(sorted([below[HITS].mean(), below[~HITS].mean()]))


def classified(classes=("a", "b", "c"), weight=None):
    probabilities = pd.DataFrame(np.eye(len(classes))).add_prefix("estimation_class_")
    probabilities = probabilities.iloc[[0, 0, 1, 2]].reset_index(drop=True)
    return known_rows(pd.Series(["a", "b", "b", "c"]), probabilities, classes, 0, weight)


@pytest.mark.parametrize("weight", [None, pd.Series([1.0, 3.0, 1.0, 1.0])])
def test_a_confusion_matrix_has_the_share_of_each_observed_class(weight):
    heat = decisions.confusion_matrix(classified(weight=weight), "kind").data[0]
    wrong = 0.5 if weight is None else 0.75
    assert heat.z.tolist() == [[1, 0, 0], [wrong, 1 - wrong, 0], [0, 0, 1]]
    assert list(heat.x) == ["a", "b", "c"]


def test_more_than_20_classes_make_no_matrix():
    with pytest.raises(UndefinedMetricError, match="of 21 classes"):
        decisions.confusion_matrix(classified([*"abcdefghijklmnopqrstu"]), "kind")
