"""Plots of drift: the distributions of a batch compared with those of the training data.

Shifts are computed by `xingu.checks.drift`; this module only draws them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from xingu.plots import theme
from xingu.plots.importance import MAX_FEATURES, label_axis, shortened

MAX_PANELS, PANEL_COLUMNS = 12, 3
STABLE, SHIFTED = 0.1, 0.25
"""Usual limits of the PSI: a column is stable below the first and shifted above the second."""


@dataclass(frozen=True, slots=True)
class Shift:
    """The distribution of one column in training and in the batch.

    Attributes:
        psi: Population stability index, at least 0.
        ks: Kolmogorov-Smirnov distance in [0, 1]; NaN for categories.
        bins: Name, share in training and share in the batch of each bin or category, in [0, 1].
    """

    psi: float
    ks: float
    bins: Sequence[tuple[str, float, float]]


def drift(shifts: Mapping[str, Shift], rows: int) -> "go.Figure":
    """Draw the population stability index of each column as bars, the largest on top.

    Args:
        shifts: Shift of each column; the 30 largest are drawn.
        rows: Number of rows of the batch.
    """
    largest = _by_psi(shifts)[:MAX_FEATURES]
    bars = go.Bar(
        x=[shift.psi for _, shift in largest],
        y=list(range(len(largest))),
        orientation="h",
        marker={"color": [_colour(shift.psi) for _, shift in largest]},
        customdata=[[name, _ks(shift)] for name, shift in largest],
        hovertemplate="%{customdata[0]}<br>PSI %{x:.4f}%{customdata[1]}<extra></extra>",
    )
    figure = theme.new_figure(
        [bars],
        "Drift",
        f"{len(largest)} of {len(shifts)} columns, train against {rows:,} rows of the batch; "
        f"below {STABLE} stable, above {SHIFTED} shifted",
        "population stability index (PSI)",
        "",
    ).update_layout(
        xaxis_rangemode="tozero",
        yaxis=label_axis([name for name, _ in largest]),
        bargap=0.25,
    )
    for limit in (STABLE, SHIFTED):
        figure.add_vline(limit, line={"color": theme.PALE_INK, "dash": "dot", "width": 1.5})
    return figure


def drifted_columns(shifts: Mapping[str, Shift]) -> "go.Figure":
    """Draw the distributions of the 12 columns with the largest PSI, in training and in the batch.

    Args:
        shifts: Shift of each column, at least one.
    """
    largest = _by_psi(shifts)[:MAX_PANELS]
    lines = -(-len(largest) // PANEL_COLUMNS)
    panels = make_subplots(
        lines,
        min(PANEL_COLUMNS, len(largest)),
        subplot_titles=[f"{shortened(name)} · PSI {shift.psi:.3f}" for name, shift in largest],
        horizontal_spacing=0.06,
        vertical_spacing=0.5 / max(2, lines),
    )
    for number, (_, shift) in enumerate(largest):
        row, column = number // PANEL_COLUMNS + 1, number % PANEL_COLUMNS + 1
        for bars in _side_by_side(shift, in_legend=number == 0):
            panels.add_trace(bars, row=row, col=column)
    x_axis = {"type": "category", "tickfont": {"size": 10}, "tickangle": -35}
    axes = {"xaxis": x_axis, "yaxis": {"tickformat": ".0%", "nticks": 4}}
    panels.update_layout(
        theme.style() | {name: axes[name[:5]] for name in panels.layout if name[:5] in axes},
        title={
            "text": "Drift by column",
            "subtitle": {"text": f"{len(largest)} of {len(shifts)} columns, share of rows"},
        },
        barmode="group",
        bargap=0.2,
        height=max(450, 190 + 230 * lines),
        legend={"y": 1 + 0.12 / lines},
        margin={"t": 130},
    )
    return panels.update_annotations(font_size=13)


def _side_by_side(shift: Shift, in_legend: bool) -> "list[go.Bar]":
    labels, train, batch = zip(*shift.bins, strict=True)
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
        for name, shares, colour in (("train", train, theme.BLUE), ("batch", batch, theme.ORANGE))
    ]


def _by_psi(shifts: Mapping[str, Shift]) -> list[tuple[str, Shift]]:
    return sorted(shifts.items(), key=lambda item: -item[1].psi)


def _colour(psi: float) -> str:
    return theme.BLUE if psi < STABLE else theme.ORANGE if psi < SHIFTED else theme.VERMILION


def _ks(shift: Shift) -> str:
    return "" if math.isnan(shift.ks) else f"<br>KS {shift.ks:.4f}"
