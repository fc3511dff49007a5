"""Curves of a classifier: ROC, precision-recall, calibration."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from xingu.metrics.classified import known_rows
from xingu.metrics.ranking import rank
from xingu.plots import (
    calibration_curve,
    classification_plots,
    precision_recall_curve,
    roc_curve,
)

RNG = np.random.default_rng(1)
SCORE = pd.Series(RNG.random(3_000))
HITS = pd.Series(RNG.random(3_000) < SCORE)
WEIGHT = pd.Series(RNG.integers(0, 4, 3_000)).astype(float)
CURVES = pytest.mark.parametrize("draw", [roc_curve, precision_recall_curve, calibration_curve])
few_scores = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=3, max_size=60)


@CURVES
def test_titles_axes_and_counts_are_those_of_the_set_and_the_target(draw):
    figure = draw(rank(HITS, SCORE), "late = True", "val")
    assert figure.layout.title.text.endswith(" · val")
    assert "3,000 rows" in figure.layout.title.subtitle.text
    assert figure.layout.xaxis.title.text.endswith(", late = True")
    assert figure.layout.yaxis.title.text.endswith(", late = True")


@CURVES
def test_every_curve_is_beside_a_reference_line(draw):
    curve, line = draw(rank(HITS, SCORE), "late").data
    assert curve.name == "estimated"
    assert line.line.dash == "dash"
    assert line.name.split(" ")[0] in {"random", "perfect"}


@CURVES
@settings(max_examples=15)
@given(drawn=few_scores)
def test_curves_of_few_distinct_scores_stay_inside_the_unit_square(draw, drawn):
    hits, scores = (pd.Series(column) for column in zip(*drawn, strict=True))
    assume(hits.nunique() == 2)
    curve = draw(rank(hits, scores / 8), "late").data[0]
    for axis in (curve.x, curve.y):
        assert np.isfinite(axis).all()
        assert np.min(axis) >= 0
        assert np.max(axis) <= 1 + 1e-12


@CURVES
def test_a_weight_of_2_draws_what_two_rows_draw(draw):
    hits, score = HITS.head(300), (SCORE.head(300) * 20).round() / 20
    twice = pd.Series(np.full(300, 2.0))
    doubled = [pd.concat([column] * 2, ignore_index=True) for column in (hits, score)]
    weighted, repeated = draw(rank(hits, score, twice), "late"), draw(rank(*doubled), "late")
    assert weighted.data[0].x == pytest.approx(repeated.data[0].x)
    assert weighted.data[0].y == pytest.approx(repeated.data[0].y)


def test_hover_shows_the_threshold_of_each_point():
    ranking = rank(pd.Series([True, False, True]), pd.Series([0.9, 0.5, 0.1]))
    thresholds = roc_curve(ranking, "late").data[0].customdata
    assert np.isnan(thresholds[0])
    assert list(thresholds[1:]) == [0.9, 0.5, 0.1]
    assert list(precision_recall_curve(ranking, "late").data[0].customdata) == [0.9, 0.5, 0.1]


def test_short_curves_are_not_thinned():
    curve = roc_curve(rank(HITS.head(50), SCORE.head(50)), "late").data[0]
    assert len(curve.x) == 51


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_calibration_shows_the_weighted_means_of_each_bin(weight):
    curve = calibration_curve(rank(HITS, SCORE, weight), "late").data[0]
    used = HITS.index if weight is None else HITS.index[weight > 0]
    frame = pd.DataFrame({"hit": HITS, "score": SCORE, "weight": 1.0 if weight is None else weight})
    frame = frame.loc[used]
    edges = np.quantile(frame.score, np.linspace(0, 1, 11))[1:-1]
    bins = frame.groupby(np.searchsorted(edges, frame.score, side="right"))
    expected = [np.average(rows.score, weights=rows.weight) for _, rows in bins]
    observed = [np.average(rows.hit, weights=rows.weight) for _, rows in bins]
    assert list(curve.x) == pytest.approx(expected)
    assert list(curve.y) == pytest.approx(observed)
    assert list(curve.customdata) == bins.size().tolist()


def test_calibration_counts_every_row_in_some_bin():
    scores = pd.Series([0.0] * 500 + [1.0] * 40 + [0.5] * 60)
    hits = pd.Series([True, False] * 300)
    curve = calibration_curve(rank(hits, scores), "late").data[0]
    assert sum(curve.customdata) == 600


def test_all_plots_of_a_set_share_one_ranking():
    probabilities = pd.DataFrame({"estimation_class_0": 1 - SCORE, "estimation_class_1": SCORE})
    rows = known_rows(HITS, probabilities, [False, True], 1)
    ranking = rows.ranking
    figures = classification_plots(rows, "late")
    assert rows.ranking is ranking
    assert figures["ROC"].data[0].y == pytest.approx(roc_curve(ranking, "late = True").data[0].y)
