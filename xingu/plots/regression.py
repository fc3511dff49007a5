"""Plots of estimated numbers against observed ones."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from xingu.metrics.cleaning import paired_numbers
from xingu.plots import theme


def predicted_against_true(
    y_true: pd.Series, y_pred: pd.Series, target: str, set_name: str | None = None
) -> "go.Figure":
    """Draw each estimation over its observed value, and the line of equality.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped;
            of more than 5,000 rows, a fixed random sample of 5,000 is drawn.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the title.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    true, pred, _ = paired_numbers(y_true, y_pred)
    drawn = theme.sample(len(true))
    true_drawn, pred_drawn = (theme.screen_numbers(one[drawn]) for one in (true, pred))
    ends = [
        float(min(true_drawn.min(), pred_drawn.min())),
        float(max(true_drawn.max(), pred_drawn.max())),
    ]
    points = go.Scatter(
        x=true_drawn,
        y=pred_drawn,
        mode="markers",
        name="rows",
        showlegend=False,
        marker=_marker(len(drawn)),
        hovertemplate="true %{x:.5~g}<br>predicted %{y:.5~g}<extra></extra>",
    )
    return theme.new_figure(
        [points, theme.reference_line(ends, ends, "predicted = true")],
        theme.titled("Predicted against true", set_name),
        theme.sample_note(len(true)),
        f"{target} (true)",
        f"{target} (predicted)",
    )


def residuals(
    y_true: pd.Series, y_pred: pd.Series, target: str, set_name: str | None = None
) -> "go.Figure":
    """Draw predicted - true over the prediction, beside the distribution of all residuals.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped;
            of more than 5,000 rows, a fixed random sample of 5,000 is drawn as points. The
            distribution includes all rows.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the title.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    true, pred, _ = paired_numbers(y_true, y_pred)
    errors = pred - true
    drawn = theme.sample(len(true))
    points = go.Scatter(
        x=theme.screen_numbers(pred[drawn]),
        y=theme.screen_numbers(errors[drawn]),
        mode="markers",
        name="rows",
        showlegend=False,
        marker=_marker(len(drawn)),
        customdata=theme.screen_numbers(true[drawn]),
        hovertemplate="predicted %{x:.5~g}<br>true %{customdata:.5~g}"
        "<br>residual %{y:.5~g}<extra></extra>",
    )
    no_error = theme.reference_line([pred[drawn].min(), pred[drawn].max()], [0, 0], "no error")
    figure = theme.new_figure(
        [points, no_error, _distribution(errors)],
        theme.titled("Residuals", set_name),
        f"{theme.sample_note(len(true))}; on the right the distribution of all",
        f"{target} (predicted)",
        f"{target} (predicted − true)",
    )
    return figure.update_layout(
        xaxis={"domain": [0, 0.8]},
        xaxis2={"domain": [0.83, 1], "anchor": "y", "title": {"text": "share of rows"}},
        bargap=0.05,
    ).update_xaxes(tickformat=".0%", nticks=3, selector={"anchor": "y"})


def _distribution(errors: np.ndarray) -> "go.Bar":
    if np.ptp(errors) <= 1e-9 * np.abs(errors).max():  # only rounding errors differ
        errors = np.full(len(errors), errors.mean())
    counts, edges = np.histogram(errors, bins=min(60, max(10, int(np.sqrt(len(errors))))))
    return go.Bar(
        x=counts / len(errors),
        y=(edges[1:] + edges[:-1]) / 2,
        orientation="h",
        xaxis="x2",
        marker={"color": theme.BLUE, "opacity": 0.7},
        showlegend=False,
        customdata=np.column_stack([edges[:-1], edges[1:]]),
        hovertemplate="%{customdata[0]:.5~g} to %{customdata[1]:.5~g}<br>%{x:.2%} of rows"
        "<extra></extra>",
    )


def _marker(points: int) -> dict[str, object]:
    crowded = points > 1_000
    return {
        "color": theme.BLUE,
        "size": 5 if crowded else 7,
        "opacity": 0.35 if crowded else 0.6,
    }
