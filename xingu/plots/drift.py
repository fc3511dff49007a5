"""Plots of how far a batch has moved away from the training data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from xingu.plots import theme
from xingu.plots.importance import MOST_FEATURES, shortened

MOST_PANELS, PANEL_COLUMNS = 12, 3
STABLE, SHIFTED = 0.1, 0.25
"""The usual reading of a population stability index."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One column in training and in the batch.

    Attributes:
        psi: Population stability index, 0 and more.
        ks: Kolmogorov-Smirnov distance in [0, 1]; NaN for categories.
        bins: Name of each bin or category, its share in training, its share in the batch.
    """

    psi: float
    ks: float
    bins: Sequence[tuple[str, float, float]]


def drift(shifts: Mapping[str, Shift], rows: int) -> "go.Figure":
    """Draw the population stability index of each column as bars, the largest on top.

    Args:
        shifts: Columns by name; of more than 30, the 30 that moved furthest are drawn.
        rows: Rows of the batch.
    """
    furthest = _furthest(shifts)[:MOST_FEATURES]
    places = list(range(len(furthest)))
    bars = go.Bar(
        x=[shift.psi for _, shift in furthest],
        y=places,
        orientation="h",
        marker={"color": [_colour(shift.psi) for _, shift in furthest]},
        customdata=[[name, _ks(shift)] for name, shift in furthest],
        hovertemplate="%{customdata[0]}<br>PSI %{x:.4f}%{customdata[1]}<extra></extra>",
    )
    figure = theme.new_figure(
        [bars],
        "Drift",
        f"{len(furthest)} of {len(shifts)} columns, train against {rows:,} rows of the batch; "
        f"below {STABLE} stable, above {SHIFTED} shifted",
        "population stability index (PSI)",
        "",
    ).update_layout(
        xaxis_rangemode="tozero",
        yaxis={
            "range": [len(furthest) - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": places,
            "ticktext": [shortened(name) for name, _ in furthest],
            "showgrid": False,
        },
        bargap=0.25,
    )
    for limit in (STABLE, SHIFTED):
        figure.add_vline(limit, line={"color": theme.PALE_INK, "dash": "dot", "width": 1.5})
    return figure


def drifted_columns(shifts: Mapping[str, Shift]) -> "go.Figure":
    """Draw the distributions of the 12 columns that moved furthest, in training and now.

    Args:
        shifts: Columns by name, at least one.
    """
    furthest = _furthest(shifts)[:MOST_PANELS]
    lines = -(-len(furthest) // PANEL_COLUMNS)
    panels = make_subplots(
        lines,
        min(PANEL_COLUMNS, len(furthest)),
        subplot_titles=[f"{shortened(name)} · PSI {shift.psi:.3f}" for name, shift in furthest],
        horizontal_spacing=0.06,
        vertical_spacing=0.5 / max(2, lines),
    )
    for number, (_, shift) in enumerate(furthest):
        row, column = number // PANEL_COLUMNS + 1, number % PANEL_COLUMNS + 1
        for bars in _side_by_side(shift, in_legend=number == 0):
            panels.add_trace(bars, row=row, col=column)
    x_axis = {"type": "category", "tickfont": {"size": 10}, "tickangle": -35}
    axes = {"xaxis": x_axis, "yaxis": {"tickformat": ".0%", "nticks": 4}}
    panels.update_layout(
        theme.style() | {name: axes[name[:5]] for name in panels.layout if name[:5] in axes},
        title={
            "text": "Drift by column",
            "subtitle": {"text": f"{len(furthest)} of {len(shifts)} columns, share of rows"},
        },
        barmode="group",
        bargap=0.2,
        height=max(450, 190 + 230 * lines),
        legend={"y": 1 + 0.12 / lines},
        margin={"t": 130},
    )
    return panels.update_annotations(font_size=13)


def _side_by_side(shift: Shift, in_legend: bool) -> "list[go.Bar]":
    labels, before, now = zip(*shift.bins, strict=True)
    return [
        go.Bar(
            x=[shortened(label) for label in labels],
            y=list(shares),
            name=name,
            legendgroup=name,
            showlegend=in_legend,
            marker={"color": colour},
            hovertemplate=f"{name}, %{{x}}: %{{y:.1%}}<extra></extra>",
        )
        for name, shares, colour in (("train", before, theme.BLUE), ("batch", now, theme.ORANGE))
    ]


def _furthest(shifts: Mapping[str, Shift]) -> list[tuple[str, Shift]]:
    return sorted(shifts.items(), key=lambda one: -one[1].psi)


def _colour(psi: float) -> str:
    return theme.BLUE if psi < STABLE else theme.ORANGE if psi < SHIFTED else theme.VERMILION


def _ks(shift: Shift) -> str:
    return f"<br>KS {shift.ks:.4f}" if shift.ks == shift.ks else ""
