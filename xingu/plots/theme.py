"""Common template of all plots, and the footer with the train of a plot.

Colours are those of Okabe and Ito, which colour-blind people can distinguish. plotly loads its
figure classes lazily: annotations that name them are strings, so that importing stays fast.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import plotly.graph_objects as go

BLUE, ORANGE, VERMILION, GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
INK, PALE_INK, GRID = "#1F2933", "#616E7C", "#E4E7EB"
MAX_POINTS = 5_000
"""More points overlap, and make the browser slow."""

_AXIS: Mapping[str, Any] = {
    "automargin": True,
    "gridcolor": GRID,
    "linecolor": "#9AA5B1",
    "showgrid": True,
    "showline": True,
    "ticks": "outside",
    "tickcolor": "#9AA5B1",
    "title": {"standoff": 12, "font": {"size": 14}},
    "zeroline": False,
}
_LAYOUT: Mapping[str, Any] = {
    "colorway": [BLUE, ORANGE, GREEN, VERMILION, "#CC79A7", "#56B4E9", "#F0E442", "#000000"],
    "font": {
        "family": "Inter, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
        "size": 13,
        "color": INK,
    },
    "hoverlabel": {"align": "left", "bgcolor": "white", "bordercolor": GRID},
    "legend": {"x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom", "orientation": "h"},
    "margin": {"l": 80, "r": 40, "t": 100, "b": 70},
    "paper_bgcolor": "white",
    "plot_bgcolor": "white",
    "title": {
        "x": 0.015,
        "xanchor": "left",
        "y": 0.965,
        "yanchor": "top",
        "font": {"size": 20},
        "subtitle": {"font": {"size": 13, "color": PALE_INK}},
    },
    "xaxis": _AXIS,
    "yaxis": _AXIS,
}


def style() -> dict[str, Any]:
    """Return the layout that is common to all figures."""
    return {"template": {"layout": dict(_LAYOUT)}, "autosize": True}


def new_figure(
    traces: Sequence[Any],
    title: str,
    subtitle: str,
    x_title: str,
    y_title: str,
) -> "go.Figure":
    """Return a figure with the common layout; it fills the page that shows it."""
    return go.Figure(
        list(traces),
        {
            **style(),
            "title": {"text": title, "subtitle": {"text": subtitle}},
            "xaxis": {"title": {"text": x_title}},
            "yaxis": {"title": {"text": y_title}},
        },
    )


def reference_line(x: Sequence[float], y: Sequence[float], name: str) -> "go.Scatter":
    """Return a dashed line for comparison with the data."""
    line = {"color": VERMILION, "width": 2, "dash": "dash"}
    return go.Scatter(x=list(x), y=list(y), mode="lines", name=name, line=line, hoverinfo="skip")


def titled(name: str, set_name: str | None) -> str:
    """Return the title of a plot with the name of its set."""
    return name if set_name is None else f"{name} · {set_name}"


def sample(rows: int) -> np.ndarray:
    """Return the positions of at most `MAX_POINTS` of `rows` rows, the same in every call."""
    if rows <= MAX_POINTS:
        return np.arange(rows)
    # At random: every n-th row of sorted or periodic data would be a biased sample.
    return np.sort(np.random.default_rng(42).choice(rows, MAX_POINTS, replace=False, shuffle=False))


def screen_numbers(values: np.ndarray) -> np.ndarray:
    """Return numbers to be drawn as points, in half the bytes where no screen shows a difference.

    Args:
        values: Finite numbers, shape (n,), at least one.
    """
    with np.errstate(over="ignore"):
        short = values.astype("float32")
    error = np.abs(short - values).max()
    return short if error <= 1e-5 * np.ptp(values) else values


def sample_note(rows: int) -> str:
    """Return the number of drawn rows, for a subtitle."""
    if rows <= MAX_POINTS:
        return f"{rows:,} rows"
    return f"{MAX_POINTS:,} of {rows:,} rows, chosen at random"


def stamp(figure: "go.Figure", provider_id: str, train_id: str, when: datetime) -> "go.Figure":
    """Add a footer with DataProvider, train id and UTC time below the axes, and return `figure`.

    Args:
        figure: Changed in place: its bottom margin grows by the height of the footer.
        provider_id: Id of the DataProvider.
        train_id: Id of the train.
        when: Time of the train; UTC if it has no time zone.
    """
    utc = when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC)
    layout: Any = figure.layout
    margins = (layout.margin.b, layout.template.layout.margin.b, 80)
    bottom = next(margin for margin in margins if margin is not None) + 24
    figure.update_layout(margin_b=bottom)
    return figure.add_annotation(
        text=f"{provider_id} · {train_id} · {utc:%Y-%m-%d %H:%M} UTC",
        name="stamp",
        showarrow=False,
        font={"size": 11, "color": PALE_INK},
        x=1,
        xref="paper",
        xanchor="right",
        y=0,
        yref="paper",
        yanchor="bottom",
        yshift=4 - bottom,
    )
