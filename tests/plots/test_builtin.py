from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from xingu.metrics import average_precision, roc_auc
from xingu.metrics.classified import known_rows
from xingu.metrics.ranking import rank
from xingu.plots import (
    calibration_curve,
    classification_plots,
    importance,
    precision_recall_curve,
    predicted_against_true,
    regression_plots,
    residuals,
    roc_curve,
    stamp,
)

RNG = np.random.default_rng(0)
TRUE = pd.Series(RNG.normal(100, 10, 20_000))
PRED = TRUE + RNG.normal(1, 3, 20_000)
SCORE = pd.Series(RNG.random(20_000))
HITS = pd.Series(RNG.random(20_000) < SCORE)
PROBABILITIES = pd.DataFrame({"estimation_class_0": 1 - SCORE, "estimation_class_1": SCORE})


def classified(observed):
    return known_rows(observed, PROBABILITIES, [False, True], 1)


def title(figure):
    return figure.layout.title.text, figure.layout.title.subtitle.text


def axes(figure):
    return figure.layout.xaxis.title.text, figure.layout.yaxis.title.text


def test_regression_plots_have_their_names_titles_and_axes():
    figures = regression_plots(TRUE, PRED, "price", "val")
    assert {name: title(figure)[0] for name, figure in figures.items()} == {
        "Predicted against true": "Predicted against true · val",
        "Residuals": "Residuals · val",
    }
    assert axes(figures["Predicted against true"]) == ("price (true)", "price (predicted)")


def test_classification_plots_have_their_names_titles_and_axes():
    figures = classification_plots(classified(HITS), "late", "val")
    names = ["ROC", "Precision-recall", "Calibration", "Threshold", "Gain", "Lift", "KS"]
    titles = {name: f"{name} · val (class True)" for name in names}
    titles["Confusion matrix"] = "Confusion matrix · val"
    assert {name: title(figure)[0] for name, figure in figures.items()} == titles
    assert axes(figures["ROC"]) == (
        "false positive rate, late = True",
        "true positive rate, late = True",
    )


def test_a_scatter_draws_at_most_5000_rows_and_says_so():
    points = predicted_against_true(TRUE, PRED, "price").data[0]
    assert len(points.x) == len(points.y) == 5_000
    figure = predicted_against_true(TRUE, PRED, "price")
    assert title(figure)[1] == "5,000 of 20,000 rows, chosen at random"


def test_all_of_few_rows_are_drawn():
    figure = predicted_against_true(TRUE.head(10), PRED.head(10), "price")
    assert list(figure.data[0].x) == list(TRUE.head(10))
    assert title(figure)[1] == "10 rows"


def test_the_same_rows_are_drawn_every_time():
    first, second = (residuals(TRUE, PRED, "price") for _ in range(2))
    assert first.to_json() == second.to_json()


def test_the_identity_line_spans_the_points():
    figure = predicted_against_true(TRUE, PRED, "price")
    points, line = figure.data
    assert line.name == "predicted = true"
    assert line.x == line.y
    assert line.x == (min(*points.x, *points.y), max(*points.x, *points.y))


def test_residuals_show_the_distribution_of_all_rows():
    points, _, distribution = residuals(TRUE, PRED, "price").data
    assert sum(distribution.x) == pytest.approx(1)
    edges = np.array(distribution.customdata)
    assert edges.min() == pytest.approx((PRED - TRUE).min())
    assert points.y == pytest.approx(points.x - points.customdata, abs=1e-4)  # drawn as float32


def test_residuals_that_differ_by_rounding_alone_are_drawn():
    _, _, distribution = residuals(TRUE, TRUE + 1, "price").data
    assert max(distribution.x) == 1


@pytest.mark.parametrize("draw", [roc_curve, precision_recall_curve])
def test_a_curve_is_thinned_and_still_has_its_area(draw):
    curve = draw(rank(HITS, SCORE), "late").data[0]
    area = np.trapezoid(curve.y, curve.x)
    expected = {roc_curve: roc_auc, precision_recall_curve: average_precision}[draw](HITS, SCORE)
    assert 500 < len(curve.x) <= 1_001
    assert area == pytest.approx(expected, abs=0.002)


def test_curves_say_their_metrics():
    roc = title(roc_curve(rank(HITS, SCORE), "late"))[1]
    precision_recall = title(precision_recall_curve(rank(HITS, SCORE), "late"))[1]
    assert roc.startswith(f"area {roc_auc(HITS, SCORE):.4f} · KS ")
    assert precision_recall.startswith(f"average precision {average_precision(HITS, SCORE):.4f}")


def test_a_random_selection_has_the_share_of_target_rows_in_precision_recall():
    line = precision_recall_curve(rank(HITS, SCORE), "late").data[1]
    assert line.y == (HITS.mean(), HITS.mean())


def test_calibration_compares_expected_and_observed_shares_of_equal_bins():
    probabilities = pd.Series(np.linspace(0, 1, 1_000))
    curve = calibration_curve(rank(probabilities > 0.5, probabilities), "late").data[0]
    assert curve.x == pytest.approx(np.arange(0.05, 1, 0.1), abs=1e-3)
    assert list(curve.y) == [0] * 5 + [1] * 5
    assert list(curve.customdata) == [100] * 10


def test_calibration_of_one_probability_for_all_is_one_point():
    curve = calibration_curve(rank(HITS, SCORE * 0 + 0.3), "late").data[0]
    assert list(curve.x) == pytest.approx([0.3])
    assert list(curve.y) == pytest.approx([HITS.mean()])


def test_importance_shows_the_largest_30_with_the_largest_on_top():
    weights = pd.Series(range(50), [f"f{i}" for i in range(50)])
    figure = importance(weights)
    assert list(figure.data[0].x) == list(range(49, 19, -1))
    assert figure.layout.yaxis.ticktext[:2] == ("f49", "f48")
    assert figure.layout.yaxis.range == (29.5, -0.5)
    assert title(figure)[1] == "30 of 50 features"


def test_long_feature_names_stay_apart():
    names = [f"{'a_long_beginning_' * 4}{end}" for end in ("one", "two")]
    figure = importance(pd.Series([2, 1], names))
    shown = figure.layout.yaxis.ticktext
    assert len(set(shown)) == 2
    assert max(map(len, shown)) <= 36
    assert list(figure.data[0].customdata) == names


def test_what_cannot_be_drawn_is_left_out_with_a_logged_reason(caplog):
    late = pd.Series([True] * len(SCORE))
    assert list(classification_plots(classified(late), "late")) == ["Confusion matrix"]
    assert "plot 'ROC' of late = True is skipped: one class only" in caplog.text
    assert regression_plots(TRUE * np.nan, PRED, "price") == {}
    assert "plot 'Residuals' of price is skipped: no row" in caplog.text


def test_a_plot_is_switched_off_by_its_name():
    off = {"ROC", "Lift", "Residuals"}
    assert not off & set(classification_plots(classified(HITS), "late", off=off))
    assert list(regression_plots(TRUE, PRED, "price", off=off)) == ["Predicted against true"]


@pytest.mark.parametrize("figure", [go.Figure(), importance(pd.Series([1.0], ["a"]))])
def test_the_stamp_says_provider_train_and_utc_time_below_the_axes(figure):
    paris = datetime(2026, 5, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    before = figure.layout.margin.b or figure.layout.template.layout.margin.b or 80
    assert stamp(figure, "flights", "brave-otter", paris) is figure
    [footer] = figure.layout.annotations
    assert footer.text == "flights · brave-otter · 2026-05-01 12:30 UTC"
    assert (footer.y, footer.yanchor) == (0, "bottom")
    assert figure.layout.margin.b == before + 24
    assert footer.yshift < -before


def test_a_stamp_without_a_time_zone_is_utc():
    figure = stamp(go.Figure(), "flights", "brave-otter", datetime(2026, 5, 1, 14, 30))
    aware = stamp(go.Figure(), "flights", "brave-otter", datetime(2026, 5, 1, 14, 30, tzinfo=UTC))
    assert figure == aware
