"""Plots of the drift of a batch."""

import numpy as np
import pytest

from xingu.plots.drift import Shift, drift, drifted_columns

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


def test_colours_follow_the_usual_limits_of_the_index():
    shifts = {str(psi): Shift(psi, np.nan, []) for psi in (0.3, 0.25, 0.2, 0.1, 0.05)}
    colours = drift(shifts, 10).data[0].marker.color
    assert colours[0] == colours[1] != colours[2] == colours[3] != colours[4]
    assert [line.x0 for line in drift(shifts, 10).layout.shapes] == [0.1, 0.25]


def test_the_distance_of_numbers_is_shown_on_hover_and_categories_have_none():
    shifts = {"number": Shift(0.5, 0.25, []), "category": Shift(0.4, np.nan, [])}
    assert drift(shifts, 10).data[0].customdata == (["number", "<br>KS 0.2500"], ["category", ""])


def test_the_largest_shift_is_on_top():
    figure = drift({"small": Shift(0.1, 0, []), "large": Shift(2.0, 1, [])}, 10)
    assert figure.layout.yaxis.ticktext == ("large", "small")
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_panels_share_one_legend_and_grow_with_their_number():
    few, many = (drifted_columns(dict([*SHIFTS.items()][:count])) for count in (2, 12))
    assert [bar.showlegend for bar in many.data].count(True) == 2
    assert many.layout.height > few.layout.height
