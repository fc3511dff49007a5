"""Plots of estimated numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.errors import DataError, UndefinedMetricError
from xingu.plots import predicted_against_true, residuals

NAN = float("nan")
TRUE, PRED = pd.Series([1.0, 2.0, 4.0, 8.0]), pd.Series([1.5, 2.0, 3.0, 9.0])
PLOTS = pytest.mark.parametrize("draw", [predicted_against_true, residuals])
numbers = st.floats(-1e9, 1e9)


@PLOTS
def test_titles_and_axes_name_set_and_target(draw):
    figure = draw(TRUE, PRED, "price", "val")
    assert figure.layout.title.text.endswith(" · val")
    assert figure.layout.yaxis.title.text.startswith("price (predicted")
    assert draw(TRUE, PRED, "price").layout.title.text.count("·") == 0


@PLOTS
def test_rows_with_a_gap_are_not_drawn(draw):
    true, pred = pd.Series([*TRUE, NAN, 5.0]), pd.Series([*PRED, 5.0, NAN])
    figure = draw(true, pred, "price")
    assert len(figure.data[0].x) == 4
    assert figure.layout.title.subtitle.text.startswith("4 rows")


@PLOTS
@pytest.mark.parametrize(
    ("true", "reason"),
    [
        ([NAN] * 4, "no row has both"),
        ([1.0, 2.0, 3.0, np.inf], "y_true contains an infinite value"),
        ([*"abcd"], "y_true is not numeric"),
    ],
)
def test_what_cannot_be_drawn_says_why(draw, true, reason):
    with pytest.raises(UndefinedMetricError, match=reason):
        draw(pd.Series(true), PRED, "price")


@PLOTS
def test_columns_of_different_rows_are_refused(draw):
    with pytest.raises(DataError, match="same index"):
        draw(TRUE, PRED.iloc[::-1], "price")


@PLOTS
def test_points_are_smaller_and_paler_in_a_crowd(draw):
    few = draw(TRUE, PRED, "price").data[0].marker
    many = draw(pd.Series(np.arange(2_000.0)), pd.Series(np.arange(2_000.0)), "price").data[0]
    assert many.marker.size < few.size
    assert many.marker.opacity < few.opacity


def test_residuals_are_predicted_minus_true_over_predicted():
    points = residuals(TRUE, PRED, "price").data[0]
    assert list(points.x) == PRED.tolist()
    assert list(points.y) == (PRED - TRUE).tolist()
    assert list(points.customdata) == TRUE.tolist()


@settings(max_examples=30)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=40))
def test_the_distribution_holds_every_residual(drawn):
    true, pred = (pd.Series(column) for column in zip(*drawn, strict=True))
    bars = residuals(true, pred, "price").data[2]
    assert sum(bars.x) == pytest.approx(1)
    assert min(bars.x) >= 0


@settings(max_examples=30)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=40))
def test_the_identity_line_spans_all_points(drawn):
    true, pred = (pd.Series(column) for column in zip(*drawn, strict=True))
    points, line = predicted_against_true(true, pred, "price").data
    assert line.x == line.y
    assert line.x[0] == min(*points.x, *points.y)
    assert line.x[1] == max(*points.x, *points.y)
