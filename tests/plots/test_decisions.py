"""Plots that help to decide, and the plots of segments and of drift."""

import numpy as np
import pandas as pd
import pytest

from xingu.errors import UndefinedMetricError
from xingu.metrics import f1, ks, precision, recall
from xingu.metrics.classified import known_rows
from xingu.metrics.ranking import rank
from xingu.plots import decisions
from xingu.plots.drift import Shift, drift, drifted_columns
from xingu.plots.segments import error_by_segment

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


# -- segments ------------------------------------------------------------------------------------

ERRORS = pd.Series(np.repeat([1.0, 5.0], 50))


def shown(figure):
    return {
        name: x for (name, _), x in zip(figure.data[0].customdata, figure.data[0].x, strict=True)
    }


def test_the_worst_segments_come_first_with_the_mean_of_all_beside():
    columns = pd.DataFrame({"town": np.repeat(["north", "south"], 50), "few": [*"ab"] * 50})
    figure = error_by_segment(ERRORS, columns, "error")
    assert next(iter(shown(figure).items())) == ("town = south", 5)
    assert shown(figure)["town = north"] == 1
    assert shown(figure)["few = a"] == 3
    assert figure.data[1].x == (3, 3)


def test_many_numbers_are_cut_into_quarters():
    figure = error_by_segment(ERRORS, pd.DataFrame({"size": np.arange(100.0)}), "error")
    assert list(shown(figure).values()) == [5, 5, 1, 1]
    assert "size = 0 – 24.75" in shown(figure)


def test_segments_weigh_their_rows():
    columns = pd.DataFrame({"all": ["x"] * 100})
    figure = error_by_segment(ERRORS, columns, "error", weight=pd.Series(np.repeat([3, 1], 50)))
    assert shown(figure) == {"all = x": 2}


def test_columns_that_cannot_be_grouped_and_tiny_segments_are_left_out():
    odd = {"lists": [[1]] * 100, "when": pd.date_range("2026", periods=100), "id": range(100)}
    columns = pd.DataFrame({**odd, "id": [f"row {i}" for i in range(100)]})
    with pytest.raises(UndefinedMetricError, match="no segment has 10 rows"):
        error_by_segment(ERRORS, columns, "error")


def test_unknown_values_and_unknown_errors_are_left_out():
    columns = pd.DataFrame({"town": [None] * 20 + ["north"] * 80})
    assert shown(error_by_segment(ERRORS.where(ERRORS > 1), columns, "error")) == {
        "town = north": 5
    }


# -- drift ---------------------------------------------------------------------------------------

SHIFTS = {
    f"f{number}": Shift(number / 130, np.nan, [("low", 0.5, 0.2), ("high", 0.5, 0.8)])
    for number in range(40)
}


def test_the_drift_of_the_columns_that_moved_furthest_is_drawn():
    figure = drift(SHIFTS, 500)
    assert len(figure.data[0].x) == 30
    assert figure.data[0].x[0] == 0.3
    assert "30 of 40 columns, train against 500 rows" in figure.layout.title.subtitle.text
    assert len(set(figure.data[0].marker.color)) == 3


@pytest.mark.parametrize("count", [1, 4, 40])
def test_distributions_of_training_and_batch_stand_side_by_side(count):
    some = dict([*SHIFTS.items()][-count:])
    figure = drifted_columns(some)
    assert len(figure.data) == 2 * min(12, count)
    assert [bar.name for bar in figure.data[:2]] == ["train", "batch"]
    assert list(figure.data[1].y) == [0.2, 0.8]
    assert figure.layout.annotations[0].text == "f39 · PSI 0.300"
