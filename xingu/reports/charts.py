"""How a metric evolved: a figure with colours for sets and symbols for branches.

Its one idea: figures are plain dicts, because checking each of a hundred takes seconds.
"""

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd

from xingu.directions import DESCRIPTIONS, Direction
from xingu.plots.theme import BLUE, GREEN, ORANGE, PALE_INK, VERMILION, new_figure
from xingu.reports.view import number

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star", "cross")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SETS = ("train", "val", "test", "batch_predict", "global")
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", "#000000", "#F0E442")
OTHERS = "other branches"
FEW = 100
"""More points than these in a line are drawn small."""


def common_layout() -> dict[str, Any]:
    """Return the layout of all charts."""
    figure = new_figure([], "", "", "", "").update_layout(
        margin={"l": 70, "r": 20, "t": 80, "b": 40},
        title_font_size=16,
        showlegend=True,
        legend={"x": 0, "xanchor": "left", "y": -0.22, "yanchor": "top"},
        xaxis={"nticks": 6, "tickangle": 0},
    )
    return figure.to_plotly_json()["layout"]


def evolution_chart(name: str, rows: pd.DataFrame, way: Direction | None) -> dict[str, Any]:
    """Draw a metric of all trains over time: sets in colours, branches by symbol and dash.

    Args:
        name: The metric.
        rows: Its rows of `Comparison.evolution`. Infinite values become crosses at the edge, and
            only the most frequent branches are apart.
        way: Direction of the metric; None if unknown.

    Returns:
        `data` and `layout`, to be laid over the `common_layout`.
    """
    rows = rows.assign(shown=_few_branches(rows["branch"].fillna("no branch")))
    branches = sorted(rows["shown"].unique(), key=lambda one: one == OTHERS)
    styles = dict(zip(branches, zip(SYMBOLS, DASHES, strict=True), strict=False))
    trains = rows["train_id"].nunique()
    subtitle = f"{trains:,} train{'' if trains == 1 else 's'}"
    texts = {"text": subtitle + (f"; {DESCRIPTIONS[way]}" if way else "")}
    return {
        "data": [*_lines(rows, styles), *_not_finite(rows)],
        "layout": {"title": {"text": _plain(name), "subtitle": texts}},
    }


def _few_branches(branches: pd.Series) -> pd.Series:
    frequent = branches.value_counts().index
    if len(frequent) <= len(SYMBOLS):
        return branches
    return branches.where(branches.isin(frequent[: len(SYMBOLS) - 1]), OTHERS)


def _lines(rows: pd.DataFrame, styles: Mapping[str, tuple[str, str]]) -> Iterator[dict[str, Any]]:
    by = "set" if rows["set"].nunique() > 1 else "shown"
    first = SETS if by == "set" else ()  # a set has the same colour in all charts
    named = dict.fromkeys([*first, *rows[by].unique()])
    colours = dict(zip(named, cycle(COLOURS), strict=False))
    for (set_name, branch), own in rows.groupby(["set", "shown"], sort=False):
        symbol, dash = styles[str(branch)]
        y = own["value"].to_numpy()
        few = len(own) <= FEW
        yield {
            "type": "scatter",
            "mode": "lines+markers",
            "name": _plain(f"{set_name} · {branch}" if len(styles) > 1 else str(set_name)),
            "x": _times(own),
            "y": np.where(np.isfinite(y), y, np.nan),
            "text": (own["train_id"] + " · " + own["branch"].fillna("no branch")).tolist(),
            "marker": {"symbol": symbol, "size": 8 if few else 4},
            "line": {
                "color": colours[branch if by == "shown" else set_name],
                "dash": dash,
                "width": 2 if few else 1,
            },
            "hovertemplate": "%{text}<br>%{x|%Y-%m-%d %H:%M:%S} UTC<br>%{y:.6g}",
        }


def _not_finite(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    odd = rows[~np.isfinite(rows["value"])]
    if odd.empty:
        return
    finite = rows.loc[np.isfinite(rows["value"]), "value"]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    texts = odd["train_id"] + " · " + odd["set"] + ": " + odd["value"].map(number)
    yield {
        "type": "scatter",
        "mode": "markers",
        "name": "NaN or infinite",
        "x": _times(odd),
        "y": np.where(odd["value"] == np.inf, high, low),
        "text": texts.tolist(),
        "marker": {"symbol": "x", "size": 9, "color": VERMILION,
                   "line": {"color": PALE_INK, "width": 1}},
        "hovertemplate": "%{text}<br>%{x|%Y-%m-%d %H:%M:%S} UTC<extra></extra>",
    }  # fmt: skip


def _times(rows: pd.DataFrame) -> np.ndarray:
    return rows["time"].dt.tz_localize(None).to_numpy()


def _plain(text: str) -> str:
    """Plotly takes "<" for the begin of a tag."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
