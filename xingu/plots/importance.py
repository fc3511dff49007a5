"""The plot of what each feature contributes."""

import pandas as pd
import plotly.graph_objects as go

from xingu.plots import theme

MOST_FEATURES = 30
LONGEST_NAME = 36


def importance(weights: pd.Series) -> "go.Figure":
    """Draw the largest 30 weights as bars, the largest on top.

    Args:
        weights: Weight of each feature, any unit, indexed by the feature's name.
    """
    largest = weights.dropna().sort_values(ascending=False, kind="stable").head(MOST_FEATURES)
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
    counted = (
        f"{len(names)} features"
        if len(names) == len(weights)
        else (f"{len(names)} of {len(weights)} features")
    )
    return theme.new_figure([bars], "Feature importance", counted, "importance", "").update_layout(
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


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """Return `name` with its middle left out where it is too long for an axis."""
    if len(name) <= longest:
        return name
    # Names that share a beginning mostly differ at their end.
    half = longest // 2
    return f"{name[:half]}…{name[1 - half :]}"
