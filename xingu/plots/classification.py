"""Plots of the target class's probability against what was observed."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from xingu.errors import UndefinedMetricError
from xingu.metrics.cleaning import paired_scores
from xingu.metrics.ranking import Ranking, rank
from xingu.plots import theme

CURVE_POINTS = 1_000
CALIBRATION_BINS = 10


def roc_curve(
    is_target: pd.Series,
    score: pd.Series,
    target: str,
    set_name: str | None = None,
    weight: pd.Series | None = None,
) -> "go.Figure":
    """Draw the share of target rows found over the share of other rows taken by mistake.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, same index. Rows with a NaN on either side are
            dropped; the curve is thinned to 1,000 points.
        target: Name of the target and its class, for the axes.
        set_name: Name of the set, for the title.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    ranking = rank(is_target, score, weight)
    x, y = ranking.false_positive_rate(), ranking.true_positive_rate()
    thresholds = np.concatenate([[np.nan], ranking.scores])
    return theme.new_figure(
        [
            curve_of(
                x, y, thresholds, "false positive rate %{x:.2%}<br>true positive rate %{y:.2%}"
            ),
            theme.reference_line([0, 1], [0, 1], "guessing"),
        ],
        theme.titled("ROC", set_name),
        f"area {ranking.roc_auc():.4f} · KS {ranking.ks():.4f} · {rows_of(ranking)}",
        f"false positive rate, {target}",
        f"true positive rate, {target}",
    ).update_layout(xaxis_range=[-0.01, 1.01], yaxis_range=[-0.01, 1.02])


def precision_recall_curve(
    is_target: pd.Series,
    score: pd.Series,
    target: str,
    set_name: str | None = None,
    weight: pd.Series | None = None,
) -> "go.Figure":
    """Draw the share of target rows among those taken over the share of target rows found.

    For the arguments and errors see `roc_curve`.
    """
    ranking = rank(is_target, score, weight)
    share = float(ranking.precision()[-1])
    found = ranking.true_positive_rate()[1:]
    hover = "recall %{x:.2%}<br>precision %{y:.2%}"
    return theme.new_figure(
        [
            curve_of(found, ranking.precision(), ranking.scores, hover),
            theme.reference_line([0, 1], [share, share], f"guessing ({share:.1%})"),
        ],
        theme.titled("Precision-recall", set_name),
        f"average precision {ranking.average_precision():.4f} · {rows_of(ranking)}",
        f"recall, {target}",
        f"precision, {target}",
    ).update_layout(xaxis_range=[-0.01, 1.01], yaxis_range=[-0.01, 1.02])


def calibration_curve(
    is_target: pd.Series,
    probability: pd.Series,
    target: str,
    set_name: str | None = None,
    weight: pd.Series | None = None,
) -> "go.Figure":
    """Draw how often the target class was observed over how often it was expected.

    Rows are put into ten bins of about equal size by their probability; bins of equal
    probabilities are merged.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        probability: Probability of the target class, in [0, 1], same index. Rows with a NaN on
            either side are dropped.
        target: Name of the target and its class, for the axes.
        set_name: Name of the set, for the title.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a value is infinite.
    """
    hits, chances, weights = paired_scores(is_target, probability, weight)
    if hits.all() or not hits.any():
        raise UndefinedMetricError("one class only")
    edges = np.unique(np.quantile(chances, np.linspace(0, 1, CALIBRATION_BINS + 1)))
    bins = np.searchsorted(edges[1:-1], chances, side="right")
    counts = np.ones(len(hits)) if weights is None else weights
    sizes, totals = np.bincount(bins), np.bincount(bins, counts)
    used = sizes > 0
    expected = np.bincount(bins, counts * chances)[used] / totals[used]
    observed = np.bincount(bins, counts * hits)[used] / totals[used]
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
        f"{len(hits):,} rows in {used.sum()} bins of about equal size",
        f"mean probability, {target}",
        f"observed share, {target}",
    )


def curve_of(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray, hover: str) -> "go.Scatter":
    """Return a line through about `CURVE_POINTS` of the points."""
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
    """Return about `CURVE_POINTS` positions, evenly spaced along the drawn line."""
    if len(x) <= CURVE_POINTS:
        return np.arange(len(x))
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    kept = np.searchsorted(length, np.linspace(0, length[-1], CURVE_POINTS))
    return np.unique(np.append(np.minimum(kept, len(x) - 1), len(x) - 1))


def rows_of(ranking: Ranking) -> str:
    """Return how many rows there are, in words."""
    return f"{ranking.rows:,} rows, {float(ranking.precision()[-1]):.1%} of them target"
