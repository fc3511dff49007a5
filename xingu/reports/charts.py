"""Charts of a metric over time, with a colour per set and a symbol per branch.

Charts are plain dicts, not plotly Figures: validating a hundred Figures takes seconds.
"""

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd

from xingu.directions import DESCRIPTIONS, Direction
from xingu.plots.theme import BLUE, GREEN, ORANGE, PALE_INK, VERMILION, new_figure
from xingu.texts import counted, number

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star", "cross")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SETS = ("train", "val", "test", "batch_predict", "global")
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", "#000000", "#F0E442")
OTHERS = "other branches"
SMALL_MARKERS_ABOVE = 100
"""Lines with more points than this have small markers."""


def common_layout() -> dict[str, Any]:
    """Return the layout that is common to all charts, as plotly JSON."""
    figure = new_figure([], "", "", "", "").update_layout(
        margin={"l": 70, "r": 20, "t": 80, "b": 40},
        title_font_size=16,
        showlegend=True,
        legend={"x": 0, "xanchor": "left", "y": -0.22, "yanchor": "top"},
        xaxis={"nticks": 6, "tickangle": 0},
    )
    return figure.to_plotly_json()["layout"]


def evolution_chart(name: str, rows: pd.DataFrame, direction: Direction | None) -> dict[str, Any]:
    """Draw a metric of all trains over time: a colour per set, a symbol and dash per branch.

    Args:
        name: Name of the metric.
        rows: Rows of `Comparison.evolution` of this metric. NaN and infinite values become crosses
            at the lower or upper edge; less frequent branches share one line.
        direction: Which values are better; None: unknown.

    Returns:
        `data` and `layout` as plotly JSON, the latter without the keys of `common_layout`.
    """
    rows = rows.assign(shown=_few_branches(rows["branch"].fillna("no branch")))
    branches = sorted(rows["shown"].unique(), key=lambda one: one == OTHERS)
    styles = dict(zip(branches, zip(SYMBOLS, DASHES, strict=True), strict=False))
    subtitle = counted(rows["train_id"].nunique(), "train")
    subtitle_layout = {"text": subtitle + (f"; {DESCRIPTIONS[direction]}" if direction else "")}
    return {
        "data": [*_lines(rows, styles), *_not_finite(rows)],
        "layout": {"title": {"text": _plain(name), "subtitle": subtitle_layout}},
    }


def _few_branches(branches: pd.Series) -> pd.Series:
    frequent = branches.value_counts().index
    if len(frequent) <= len(SYMBOLS):
        return branches
    return branches.where(branches.isin(frequent[: len(SYMBOLS) - 1]), OTHERS)


def _lines(rows: pd.DataFrame, styles: Mapping[str, tuple[str, str]]) -> Iterator[dict[str, Any]]:
    by = "set" if rows["set"].nunique() > 1 else "shown"
    first = SETS if by == "set" else ()  # so that a set has the same colour in all charts
    named = dict.fromkeys([*first, *rows[by].unique()])
    colours = dict(zip(named, cycle(COLOURS), strict=False))
    for (set_name, branch), own in rows.groupby(["set", "shown"], sort=False):
        symbol, dash = styles[str(branch)]
        y = own["value"].to_numpy()
        few = len(own) <= SMALL_MARKERS_ABOVE
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
    nonfinite = rows[~np.isfinite(rows["value"])]
    if nonfinite.empty:
        return
    finite = rows.loc[np.isfinite(rows["value"]), "value"]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    texts = nonfinite["train_id"] + " · " + nonfinite["set"] + ": " + nonfinite["value"].map(number)
    yield {
        "type": "scatter",
        "mode": "markers",
        "name": "NaN or infinite",
        "x": _times(nonfinite),
        "y": np.where(nonfinite["value"] == np.inf, high, low),
        "text": texts.tolist(),
        "marker": {"symbol": "x", "size": 9, "color": VERMILION,
                   "line": {"color": PALE_INK, "width": 1}},
        "hovertemplate": "%{text}<br>%{x|%Y-%m-%d %H:%M:%S} UTC<extra></extra>",
    }  # fmt: skip


def _times(rows: pd.DataFrame) -> np.ndarray:
    return rows["time"].dt.tz_localize(None).to_numpy()


def _plain(text: str) -> str:
    """Escape text for plotly, which renders some HTML tags in labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
