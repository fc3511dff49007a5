"""The plot of feature importances."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from xingu.plots import theme

MAX_FEATURES = 30
MAX_NAME_LENGTH = 36


def importance(weights: pd.Series) -> "go.Figure":
    """Draw the largest 30 weights as bars, the largest on top.

    Args:
        weights: Importance of each feature, any unit, indexed by feature name; NaN is left out.
    """
    largest = weights.dropna().sort_values(ascending=False, kind="stable").head(MAX_FEATURES)
    names = [str(name) for name in largest.index]
    rows = list(range(len(names)))
    bars = go.Bar(
        x=largest.to_numpy(dtype="float64"),
        y=rows,
        orientation="h",
        marker={"color": theme.BLUE},
        customdata=names,
        hovertemplate="%{customdata}<br>%{x:.5~g}<extra></extra>",
    )
    total = "" if len(names) == len(weights) else f" of {len(weights)}"
    return theme.new_figure(
        [bars], "Feature importance", f"{len(names)}{total} features", "importance", ""
    ).update_layout(yaxis=label_axis(names), bargap=0.25)


def label_axis(labels: Sequence[str], suffixes: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the vertical axis of horizontal bars at 0, 1, …, the first one on top.

    Args:
        labels: Label of each bar; shortened if too long.
        suffixes: Text behind each label that is never shortened; None: none.
    """
    shown = [shortened(label) for label in labels]
    if suffixes is not None:
        shown = [f"{label} {suffix}" for label, suffix in zip(shown, suffixes, strict=True)]
    return {
        "range": [len(shown) - 0.5, -0.5],
        "tickmode": "array",
        "tickvals": list(range(len(shown))),
        "ticktext": shown,
        "tickfont": {"size": 12 if len(shown) > 20 else 13},
        "showgrid": False,
    }


def shortened(name: str, longest: int = MAX_NAME_LENGTH) -> str:
    """Return `name` with its middle replaced by "…" if it has more than `longest` characters."""
    if len(name) <= longest:
        return name
    # Keep the end: names with a common prefix differ there.
    half = longest // 2
    return f"{name[:half]}…{name[1 - half :]}"
