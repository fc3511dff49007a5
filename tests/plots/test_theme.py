"""The common layout of all plots."""

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.plots import theme


def test_every_figure_has_the_common_template_title_and_axes():
    figure = theme.new_figure([], "name", "note", "x", "y")
    assert (figure.layout.title.text, figure.layout.title.subtitle.text) == ("name", "note")
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("x", "y")
    assert figure.layout.template.layout.colorway[0] == theme.BLUE
    assert figure.layout.autosize


def test_figures_do_not_share_their_style():
    theme.style()["template"]["layout"]["colorway"] = ["red"]
    assert theme.style()["template"]["layout"]["colorway"][0] == theme.BLUE


@pytest.mark.parametrize(("set_name", "title"), [(None, "ROC"), ("val", "ROC · val")])
def test_a_title_names_the_set(set_name, title):
    assert theme.titled("ROC", set_name) == title


def test_a_reference_line_is_dashed_and_has_no_hover():
    line = theme.reference_line([0, 1], [2, 3], "limit")
    assert (line.x, line.y, line.name) == ((0, 1), (2, 3), "limit")
    assert (line.line.dash, line.hoverinfo) == ("dash", "skip")


@given(st.integers(0, 30_000))
def test_a_sample_has_different_sorted_positions_and_is_always_the_same(rows):
    positions = theme.sample(rows)
    assert len(positions) == min(rows, theme.MAX_POINTS)
    assert (np.diff(positions) > 0).all()
    assert np.array_equal(positions, theme.sample(rows))
    if rows:
        assert positions[-1] < rows


@pytest.mark.parametrize(
    ("rows", "note"),
    [(0, "0 rows"), (5_000, "5,000 rows"), (5_001, "5,000 of 5,001 rows, chosen at random")],
)
def test_the_note_says_whether_all_rows_are_drawn(rows, note):
    assert theme.sample_note(rows) == note


def test_a_stamp_leaves_room_below_a_declared_margin():
    from datetime import UTC, datetime

    figure = go.Figure(layout={"margin": {"b": 200}})
    theme.stamp(figure, "flights", "calm-fox", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    assert figure.layout.margin.b == 224
    assert figure.layout.annotations[0].text == "flights · calm-fox · 2026-01-02 03:04 UTC"
