"""Charts of a metric over time, as plotly JSON."""

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from tests.support.recorded import day
from xingu.plots.theme import BLUE, ORANGE
from xingu.reports.charts import common_layout, evolution_chart


def evolution(*rows):
    """Rows of set, branch and value, one train a day."""
    frame = pd.DataFrame(rows, columns=["set", "branch", "value"]).astype({"branch": object})
    times = pd.DatetimeIndex([day(at) for at in range(len(rows))])
    return frame.assign(train_id=[f"t{at}" for at in range(len(rows))], time=times)


def lines(*rows, name="RMSE", direction=None):
    return evolution_chart(name, evolution(*rows), direction)["data"]


def test_a_chart_is_a_valid_figure_of_plotly():
    chart = evolution_chart("RMSE", evolution(("test", "main", 1.0), ("test", "b", math.inf)), None)
    figure = go.Figure(chart["data"], {**common_layout(), **chart["layout"]})
    assert len(figure.data) == 3


@pytest.mark.parametrize(
    ("direction", "rows", "subtitle"),
    [
        (None, 1, "1 train"),
        ("minimize", 2, "2 trains; lower is better"),
        ("maximize", 2, "2 trains; higher is better"),
        ("zero", 3, "3 trains; closer to 0 is better"),
    ],
)
def test_the_subtitle_counts_trains_and_says_what_is_better(direction, rows, subtitle):
    chart = evolution_chart("RMSE", evolution(*[("test", "main", 1.0)] * rows), direction)
    assert chart["layout"]["title"] == {"text": "RMSE", "subtitle": {"text": subtitle}}


def test_sets_have_the_same_colour_in_every_chart():
    both = lines(("train", "main", 1.0), ("val", "main", 2.0))
    assert [line["line"]["color"] for line in both] == [BLUE, ORANGE]
    swapped = lines(("val", "main", 2.0), ("train", "main", 1.0))
    assert {line["name"]: line["line"]["color"] for line in swapped} == {
        "val": ORANGE, "train": BLUE}  # fmt: skip


def test_branches_differ_by_symbol_and_dash_and_in_a_single_set_by_colour():
    one, other = lines(("test", "main", 1.0), ("test", "try", 2.0))
    assert one["marker"]["symbol"] != other["marker"]["symbol"]
    assert one["line"]["dash"] != other["line"]["dash"]
    assert one["line"]["color"] != other["line"]["color"]
    assert (one["name"], other["name"]) == ("test · main", "test · try")


def test_a_train_without_a_branch_has_a_name_for_it():
    assert lines(("test", None, 1.0), ("test", "main", 1.0))[0]["name"] == "test · no branch"


@pytest.mark.parametrize(("branches", "drawn"), [(6, 6), (7, 6), (30, 6)])
def test_no_more_branches_than_symbols_are_drawn(branches, drawn):
    rows = [("test", f"b{at}", 1.0) for at in range(branches) for _ in range(2)]
    found = lines(*rows)
    assert len(found) == drawn
    assert sum(len(line["x"]) for line in found) == len(rows)
    assert any("other branches" in line["name"] for line in found) == (branches > 6)


def test_more_than_100_points_are_small():
    few, many = (lines(*[("test", "main", 1.0)] * count)[0] for count in (100, 101))
    assert many["marker"]["size"] < few["marker"]["size"]


def test_values_that_are_not_finite_are_crosses_at_the_edges():
    found = lines(*[("test", "main", value) for value in (1.0, 5.0, math.inf, -math.inf, math.nan)])
    line, crosses = found
    assert np.isnan(line["y"][2:]).all()
    assert list(crosses["y"]) == [5, 1, 1]
    assert crosses["text"] == ["t2 · test: inf", "t3 · test: -inf", "t4 · test: NaN"]
    assert crosses["name"] == "NaN or infinite"


def test_values_of_which_none_is_finite_are_drawn():
    assert list(lines(("test", "main", math.nan))[-1]["y"]) == [0]


def test_times_have_no_zone_because_browsers_would_shift_them():
    [line] = lines(("test", "main", 1.0))
    assert line["x"][0] == np.datetime64("2026-01-01T00:00:00")


def test_no_text_becomes_a_tag():
    chart = evolution_chart("<b>&", evolution(("test", "<i>", 1.0), ("test", "x", 1.0)), None)
    assert chart["layout"]["title"]["text"] == "&lt;b>&amp;"
    assert chart["data"][0]["name"] == "test · &lt;i>"
