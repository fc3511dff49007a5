"""ROC and precision-recall of every class against the rest, in one plot each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import cycle

import numpy as np
import plotly.graph_objects as go

from xingu.errors import UndefinedMetricError
from xingu.metrics.classified import Classified
from xingu.metrics.ranking import Ranking
from xingu.plots import theme
from xingu.plots.classification import curve_of
from xingu.provider.classes import class_text

MAX_CLASSES = 10
COLOURS = (theme.BLUE, theme.ORANGE, theme.GREEN, theme.VERMILION, "#CC79A7", "#56B4E9", "#F0E442")


def roc_curves(rows: Classified, target: str, set_name: str | None = None) -> "go.Figure":
    """Draw the ROC of each of the 10 most frequent classes against the rest.

    Args:
        rows: Observed classes and estimated probabilities.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the title.

    Raises:
        UndefinedMetricError: If fewer than two classes are observed.
    """
    curves = [
        _named(
            curve_of(
                ranking.false_positive_rate(),
                ranking.true_positive_rate(),
                np.concatenate([[np.nan], ranking.scores]),
                "false positive rate %{x:.2%}<br>true positive rate %{y:.2%}",
            ),
            f"{text}: area {ranking.roc_auc():.4f}",
            colour,
        )
        for text, ranking, colour in _of_classes(rows)
    ]
    random = theme.reference_line([0, 1], [0, 1], "random")
    axes = ("false positive rate", "true positive rate")
    return _figure([*curves, random], "ROC", rows, set_name, [f"{one}, {target}" for one in axes])


def precision_recall_curves(
    rows: Classified, target: str, set_name: str | None = None
) -> "go.Figure":
    """Draw precision over recall of each class; arguments and errors as of `roc_curves`."""
    curves = [
        _named(
            curve_of(
                ranking.true_positive_rate()[1:],
                ranking.precision(),
                ranking.scores,
                "recall %{x:.2%}<br>precision %{y:.2%}",
            ),
            f"{text}: average precision {ranking.average_precision():.4f}",
            colour,
        )
        for text, ranking, colour in _of_classes(rows)
    ]
    axes = [f"{one}, {target}" for one in ("recall", "precision")]
    return _figure(curves, "Precision-recall", rows, set_name, axes)


def _of_classes(rows: Classified) -> Iterator[tuple[str, Ranking, str]]:
    counts = np.bincount(rows.codes[rows.codes >= 0], minlength=len(rows.classes))
    if np.count_nonzero(counts) < 2:
        raise UndefinedMetricError("fewer than two classes are observed")
    frequent = np.argsort(-counts, kind="stable")[:MAX_CLASSES]
    observed = sorted(at for at in frequent if counts[at])
    for at, colour in zip(observed, cycle(COLOURS), strict=False):
        ranking = replace(rows, target_index=int(at)).ranking
        yield class_text(rows.classes[at]), ranking, colour


def _named(curve: "go.Scatter", name: str, colour: str) -> "go.Scatter":
    return curve.update(name=name, line_color=colour)


def _figure(
    traces: list, name: str, rows: Classified, set_name: str | None, axes: list[str]
) -> "go.Figure":
    drawn, known = min(MAX_CLASSES, len(rows.classes)), len(rows.classes)
    subtitle = f"each class against the rest · {len(rows.codes):,} rows"
    if drawn < known:
        subtitle += f" · the {drawn} most frequent of {known} classes"
    figure = theme.new_figure(
        traces, f"{theme.titled(name, set_name)} (each class)", subtitle, *axes
    )
    return figure.update_layout(
        xaxis_range=[-0.01, 1.01],
        yaxis_range=[-0.01, 1.02],
        legend={"orientation": "v", "x": 1.02, "xanchor": "left", "y": 1, "yanchor": "top"},
    )


CURVES_OF_CLASSES: Mapping[str, Callable[..., "go.Figure"]] = {
    "ROC": roc_curves,
    "Precision-recall": precision_recall_curves,
}
"""Plots of all classes, by name."""
