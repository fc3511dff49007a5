"""The plot of feature importances."""

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
    ).update_layout(
        yaxis={
            "autorange": "reversed",
            "tickmode": "array",
            "tickvals": rows,
            "ticktext": [shortened(name) for name in names],
            "tickfont": {"size": 12 if len(names) > 20 else 13},
            "showgrid": False,
        },
        bargap=0.25,
    )


def shortened(name: str, longest: int = MAX_NAME_LENGTH) -> str:
    """Return `name` with its middle replaced by "…" if it has more than `longest` characters."""
    if len(name) <= longest:
        return name
    # Keep the end: names with a common prefix differ there.
    half = longest // 2
    return f"{name[:half]}…{name[1 - half :]}"
