"""Plots of a classifier's ranking and calibration for the target class.

All plots of one set take the same `Ranking`, so that its rows are sorted once.
"""

import numpy as np
import plotly.graph_objects as go

from xingu.metrics.ranking import Ranking
from xingu.plots import theme

CURVE_POINTS = 1_000
CALIBRATION_BINS = 10


def roc_curve(ranking: Ranking, target: str, set_name: str | None = None) -> "go.Figure":
    """Draw the true positive rate over the false positive rate, thinned to about 1,000 points.

    Args:
        ranking: Rows counted by the probability of the target class.
        target: Name of the target and its class, for the axes.
        set_name: Name of the set, for the title.
    """
    x, y = ranking.false_positive_rate(), ranking.true_positive_rate()
    thresholds = np.concatenate([[np.nan], ranking.scores])
    return theme.new_figure(
        [
            curve_of(
                x, y, thresholds, "false positive rate %{x:.2%}<br>true positive rate %{y:.2%}"
            ),
            theme.reference_line([0, 1], [0, 1], "random"),
        ],
        theme.titled("ROC", set_name),
        f"area {ranking.roc_auc():.4f} · KS {ranking.ks():.4f} · {rows_of(ranking)}",
        f"false positive rate, {target}",
        f"true positive rate, {target}",
    ).update_layout(xaxis_range=[-0.01, 1.01], yaxis_range=[-0.01, 1.02])


def precision_recall_curve(
    ranking: Ranking, target: str, set_name: str | None = None
) -> "go.Figure":
    """Draw precision over recall; the arguments are those of `roc_curve`."""
    share = ranking.prevalence
    recall = ranking.true_positive_rate()[1:]
    hover = "recall %{x:.2%}<br>precision %{y:.2%}"
    return theme.new_figure(
        [
            curve_of(recall, ranking.precision(), ranking.scores, hover),
            theme.reference_line([0, 1], [share, share], f"random ({share:.1%})"),
        ],
        theme.titled("Precision-recall", set_name),
        f"average precision {ranking.average_precision():.4f} · {rows_of(ranking)}",
        f"recall, {target}",
        f"precision, {target}",
    ).update_layout(xaxis_range=[-0.01, 1.01], yaxis_range=[-0.01, 1.02])


def calibration_curve(ranking: Ranking, target: str, set_name: str | None = None) -> "go.Figure":
    """Draw the observed share of target rows over their mean probability, for up to ten bins.

    The edges of the bins are deciles of the probability, so that bins have about the same number
    of rows; equal edges are merged. The arguments are those of `roc_curve`.
    """
    scores = ranking.scores
    rows, hits, misses = (
        np.diff(each, prepend=0) for each in (ranking.counts, ranking.hits, ranking.misses)
    )
    deciles = np.linspace(0, 1, CALIBRATION_BINS + 1)
    edges = np.unique(np.quantile(np.repeat(scores, rows), deciles))
    bins = np.searchsorted(edges[1:-1], scores, side="right")
    weights = hits + misses
    sizes, totals = np.bincount(bins, rows).astype(np.int64), np.bincount(bins, weights)
    used = sizes > 0
    expected = np.bincount(bins, weights * scores)[used] / totals[used]
    observed = np.bincount(bins, hits)[used] / totals[used]
    curve = go.Scatter(
        x=expected,
        y=observed,
        mode="lines+markers",
        name="estimated",
        line={"color": theme.BLUE, "width": 2},
        marker={"size": 9},
        customdata=sizes[used],
        hovertemplate="estimated %{x:.2%}<br>observed %{y:.2%}<br>%{customdata:,} rows"
        "<extra></extra>",
    )
    end = float(max(expected.max(), observed.max()))
    return theme.new_figure(
        [curve, theme.reference_line([0, end], [0, end], "perfect")],
        theme.titled("Calibration", set_name),
        f"{ranking.rows:,} rows in {used.sum()} bins of about equal size",
        f"mean probability, {target}",
        f"observed share, {target}",
    )


def curve_of(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray, hover: str) -> "go.Scatter":
    """Return a line through about `CURVE_POINTS` of the points, with its thresholds on hover.

    Args:
        x: Ascending positions, shape (n,).
        y: Values, same shape.
        thresholds: Lowest probability of the rows selected at each point, same shape.
        hover: Text of the hover label, with plotly's placeholders.
    """
    kept = thinned(x, y)
    return go.Scatter(
        x=x[kept],
        y=y[kept],
        mode="lines",
        name="estimated",
        line={"color": theme.BLUE, "width": 2.5, "simplify": False},
        customdata=thresholds[kept],
        hovertemplate=f"{hover}<br>probability from %{{customdata:.4f}}<extra></extra>",
    )


def thinned(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the positions of about `CURVE_POINTS` points, evenly spaced along the drawn line."""
    if len(x) <= CURVE_POINTS:
        return np.arange(len(x))
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    kept = np.searchsorted(length, np.linspace(0, length[-1], CURVE_POINTS))
    return np.unique(np.append(np.minimum(kept, len(x) - 1), len(x) - 1))


def rows_of(ranking: Ranking) -> str:
    """Return the number of rows and the share of target rows, for a subtitle."""
    return f"{ranking.rows:,} rows, {ranking.prevalence:.1%} of them target"
