"""Plots that help to choose the probability threshold, and the confusion matrix.

A row is selected if its probability is at least the threshold.
"""

import numpy as np
import plotly.graph_objects as go

from xingu.errors import UndefinedMetricError
from xingu.metrics.classified import Classified
from xingu.metrics.ranking import Ranking
from xingu.plots import theme
from xingu.plots.classification import curve_of, rows_of, thinned

MAX_CLASSES = 20


def threshold(ranking: Ranking, target: str, set_name: str | None = None) -> "go.Figure":
    """Draw precision, recall and F1 over the threshold; the best F1 is marked.

    Args:
        ranking: Rows counted by the probability of the target class.
        target: Name of the target and its class, for the axes.
        set_name: Name of the set, for the title.
    """
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
        f"probability threshold, {target}",
        "",
    ).update_layout(yaxis_range=[-0.01, 1.02], hovermode="x")
    return figure.add_vline(ranking.scores[best], line={"color": theme.PALE_INK, "dash": "dash"})


def gain(ranking: Ranking, target: str, set_name: str | None = None) -> "go.Figure":
    """Draw recall over the selected share of all rows, most probable rows first.

    The arguments are those of `threshold`.
    """
    selected, recall, share = ranking.selected(), ranking.true_positive_rate(), ranking.prevalence
    thresholds = np.concatenate([[np.nan], ranking.scores])
    return theme.new_figure(
        [
            curve_of(selected, recall, thresholds, "selected %{x:.1%}<br>recall %{y:.1%}"),
            theme.reference_line([0, 1], [0, 1], "random"),
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
        f"the top 20 % contain {np.interp(0.2, selected, recall):.1%} of the target rows · "
        f"{rows_of(ranking)}",
        "share of all rows, most probable first",
        f"recall, {target}",
    ).update_layout(xaxis_range=[-0.01, 1.01], yaxis_range=[-0.01, 1.02])


def lift(ranking: Ranking, target: str, set_name: str | None = None) -> "go.Figure":
    """Draw recall divided by that of a random selection, most probable rows first.

    The arguments are those of `threshold`.
    """
    selected = ranking.selected()[1:]
    ratio = ranking.true_positive_rate()[1:] / selected
    # The lift of the first few rows is noise: it jumps between 0 and the maximum. The line begins
    # with the lift of the first point that is drawn, because the order of ties is arbitrary.
    first = int((selected < min(0.005, selected[-1])).sum())
    x, y = np.append(0.0, selected[first:]), np.append(ratio[first], ratio[first:])
    thresholds = np.append(ranking.scores[first], ranking.scores[first:])
    return theme.new_figure(
        [
            curve_of(x, y, thresholds, "selected %{x:.1%}<br>lift %{y:.2f}"),
            theme.reference_line([0, 1], [1, 1], "random"),
        ],
        theme.titled("Lift", set_name),
        f"lift of the top 10 %: {np.interp(0.1, x, y):.2f} · {rows_of(ranking)}",
        "share of all rows, most probable first",
        f"lift, {target}",
    ).update_layout(xaxis_range=[-0.01, 1.01], yaxis_rangemode="tozero")


def ks(ranking: Ranking, target: str, set_name: str | None = None) -> "go.Figure":
    """Draw the cumulative distributions of the probability of target rows and of other rows.

    The arguments are those of `threshold`.
    """
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
            ("other rows", of_others, theme.ORANGE),
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
    """Draw the number and share of rows of each observed class by predicted class.

    Args:
        rows: Observed classes and probabilities; the predicted class is the most probable one.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the title.

    Raises:
        UndefinedMetricError: If no row has a known class, or there are more than 20 classes.
    """
    names, size = [str(label) for label in rows.classes], len(rows.classes)
    known = (rows.codes >= 0).to_numpy()
    if not known.any() or size > MAX_CLASSES:
        raise UndefinedMetricError(
            f"{int(known.sum())} rows of {size} classes; at most {MAX_CLASSES} classes are drawn"
        )
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
        colorbar={"tickformat": ".0%", "outlinewidth": 0, "title": {"text": "of the observed"}},
        text=[
            [f"{cell:,.0f}<br>{share:.1%}" for cell, share in zip(*both, strict=True)]
            for both in zip(cells, shares, strict=True)
        ],
        texttemplate="%{text}" if size <= 10 else "",
        hovertemplate="observed %{y}, predicted %{x}<br>%{text} of the observed<extra></extra>",
        xgap=2,
        ygap=2,
    )
    correct = float(np.trace(cells) / cells.sum())
    return theme.new_figure(
        [heat],
        theme.titled("Confusion matrix", set_name),
        f"{correct:.1%} on the diagonal · {len(observed):,} rows"
        + ("" if weights is None else ", weighted"),
        f"{target} (predicted)",
        f"{target} (observed)",
    ).update_layout(
        xaxis={"type": "category", "showgrid": False},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False},
    )
