"""Plots that help to decide from which probability on a row is taken."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from xingu.errors import UndefinedMetricError
from xingu.metrics.classified import Classified
from xingu.metrics.ranking import rank
from xingu.plots import theme
from xingu.plots.classification import curve_of, rows_of, thinned

MOST_CLASSES = 20


def threshold(
    is_target: pd.Series,
    score: pd.Series,
    target: str,
    set_name: str | None = None,
    weight: pd.Series | None = None,
) -> "go.Figure":
    """Draw precision, recall and F1 over the probability from which on a row is taken.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, same index. Rows with a NaN on either side are
            dropped.
        target: Name of the target and its class, for the axes.
        set_name: Name of the set, for the title.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    ranking = rank(is_target, score, weight)
    precision, recall = ranking.precision(), ranking.true_positive_rate()[1:]
    f1 = 2 * ranking.hits / (ranking.hits + ranking.misses + ranking.hits[-1])
    best = int(f1.argmax())
    kept = np.union1d(thinned(precision, recall), [best])
    lines = [
        go.Scatter(
            x=ranking.scores[kept],
            y=values[kept],
            mode="lines",
            name=name,
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"{name} %{{y:.2%}}<br>probability from %{{x:.4f}}<extra></extra>",
        )
        for name, values, colour, dash in (
            ("precision", precision, theme.BLUE, "solid"),
            ("recall", recall, theme.ORANGE, "solid"),
            ("F1", f1, theme.GREEN, "dot"),
        )
    ]
    figure = theme.new_figure(
        lines,
        theme.titled("Threshold", set_name),
        f"best F1 {f1[best]:.4f} from {ranking.scores[best]:.4f} on · {rows_of(ranking)}",
        f"lowest probability that is taken, {target}",
        "",
    ).update_layout(yaxis_range=[-0.01, 1.02], hovermode="x")
    return figure.add_vline(ranking.scores[best], line={"color": theme.PALE_INK, "dash": "dash"})


def gain(
    is_target: pd.Series,
    score: pd.Series,
    target: str,
    set_name: str | None = None,
    weight: pd.Series | None = None,
) -> "go.Figure":
    """Draw the share of target rows found over the share of all rows taken, likeliest first.

    For the arguments and errors see `threshold`.
    """
    ranking = rank(is_target, score, weight)
    taken, found = ranking.taken(), ranking.true_positive_rate()
    share = float(ranking.precision()[-1])
    thresholds = np.concatenate([[np.nan], ranking.scores])
    return theme.new_figure(
        [
            curve_of(taken, found, thresholds, "taken %{x:.1%}<br>found %{y:.1%}"),
            theme.reference_line([0, 1], [0, 1], "guessing"),
            go.Scatter(
                x=[0, share, 1],
                y=[0, 1, 1],
                mode="lines",
                name="perfect",
                line={"color": theme.GREEN, "width": 2, "dash": "dot"},
                hoverinfo="skip",
            ),
        ],
        theme.titled("Gain", set_name),
        f"the likeliest 20 % hold {np.interp(0.2, taken, found):.1%} of the target rows · "
        f"{rows_of(ranking)}",
        "share of all rows, likeliest first",
        f"share found, {target}",
    ).update_layout(xaxis_range=[-0.01, 1.01], yaxis_range=[-0.01, 1.02])


def lift(
    is_target: pd.Series,
    score: pd.Series,
    target: str,
    set_name: str | None = None,
    weight: pd.Series | None = None,
) -> "go.Figure":
    """Draw how many times as many target rows are found as by guessing, likeliest rows first.

    For the arguments and errors see `threshold`.
    """
    ranking = rank(is_target, score, weight)
    taken = ranking.taken()[1:]
    times = ranking.true_positive_rate()[1:] / taken
    # The first few rows jump between nothing and the largest possible lift. Rows of the same
    # probability come in any order, so that before the first point the lift is that of the point.
    first = int((taken < min(0.005, taken[-1])).sum())
    x, y = np.append(0.0, taken[first:]), np.append(times[first], times[first:])
    thresholds = np.append(ranking.scores[first], ranking.scores[first:])
    top = f"{np.interp(0.1, x, y):.2f} times"
    return theme.new_figure(
        [
            curve_of(x, y, thresholds, "taken %{x:.1%}<br>%{y:.2f} times as many as by guessing"),
            theme.reference_line([0, 1], [1, 1], "guessing"),
        ],
        theme.titled("Lift", set_name),
        f"{top} as many as by guessing in the likeliest 10 % · {rows_of(ranking)}",
        "share of all rows, likeliest first",
        f"lift, {target}",
    ).update_layout(xaxis_range=[-0.01, 1.01], yaxis_rangemode="tozero")


def ks(
    is_target: pd.Series,
    score: pd.Series,
    target: str,
    set_name: str | None = None,
    weight: pd.Series | None = None,
) -> "go.Figure":
    """Draw how the probabilities of target rows and of the others are distributed.

    For the arguments and errors see `threshold`.
    """
    ranking = rank(is_target, score, weight)
    of_target, of_others = 1 - ranking.true_positive_rate(), 1 - ranking.false_positive_rate()
    scores = np.concatenate([ranking.scores[:1], ranking.scores])
    widest = int(np.abs(of_target - of_others).argmax())
    kept = np.union1d(thinned(of_target, of_others), [widest])[::-1]
    lines = [
        go.Scatter(
            x=scores[kept],
            y=below[kept],
            mode="lines",
            name=name,
            line={"color": colour, "width": 2.5},
            hovertemplate=f"{name}: %{{y:.1%}} below %{{x:.4f}}<extra></extra>",
        )
        for name, below, colour in (
            ("target rows", of_target, theme.BLUE),
            ("others", of_others, theme.ORANGE),
        )
    ]
    ends = [float(of_target[widest]), float(of_others[widest])]
    distance = theme.reference_line([float(scores[widest])] * 2, ends, "largest distance")
    return theme.new_figure(
        [*lines, distance],
        theme.titled("KS", set_name),
        f"distance {ranking.ks():.4f} at {scores[widest]:.4f} · {rows_of(ranking)}",
        f"probability, {target}",
        "share of rows below",
    ).update_layout(yaxis_range=[-0.01, 1.02])


def confusion_matrix(rows: Classified, target: str, set_name: str | None = None) -> "go.Figure":
    """Draw how many rows of each observed class are predicted as each class.

    Args:
        rows: Observed classes and probabilities; the predicted class is the likeliest.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the title.

    Raises:
        UndefinedMetricError: If no row is left, or there are more than 20 classes.
    """
    names, size = [str(label) for label in rows.classes], len(rows.classes)
    known = (rows.codes >= 0).to_numpy()
    if not known.any() or size > MOST_CLASSES:
        raise UndefinedMetricError(f"{int(known.sum())} rows of {size} classes")
    observed, predicted = rows.codes.to_numpy()[known], rows.predicted.to_numpy()[known]
    weights = None if rows.weight is None else rows.weight.to_numpy()[known]
    cells = np.bincount(observed * size + predicted, weights, size * size).reshape(size, size)
    totals = cells.sum(axis=1, keepdims=True)
    shares = np.divide(cells, totals, out=np.zeros_like(cells, dtype=float), where=totals > 0)
    heat = go.Heatmap(
        z=shares,
        x=names,
        y=names,
        zmin=0,
        zmax=1,
        colorscale=[[0, "#FFFFFF"], [1, theme.BLUE]],
        colorbar={"tickformat": ".0%", "outlinewidth": 0, "title": {"text": "of the row"}},
        text=[
            [f"{cell:,.0f}<br>{share:.1%}" for cell, share in zip(*both, strict=True)]
            for both in zip(cells, shares, strict=True)
        ],
        texttemplate="%{text}" if size <= 10 else "",
        hovertemplate="observed %{y}, predicted %{x}<br>%{text} of the row<extra></extra>",
        xgap=2,
        ygap=2,
    )
    right = float(np.trace(cells) / cells.sum())
    return theme.new_figure(
        [heat],
        theme.titled("Confusion matrix", set_name),
        f"{right:.1%} on the diagonal · {len(observed):,} rows"
        + ("" if weights is None else ", weighted"),
        f"{target} (predicted)",
        f"{target} (observed)",
    ).update_layout(
        xaxis={"type": "category", "showgrid": False},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False},
    )
