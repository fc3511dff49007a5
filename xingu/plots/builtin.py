"""Draw all built-in plots of one set.

A plot that is undefined is skipped and logged with its reason; it never fails a train. Plot names
are keys of files and of the control DB, so they must not change.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial

import pandas as pd
import plotly.graph_objects as go

from xingu.errors import UndefinedMetricError
from xingu.metrics.classified import Classified
from xingu.plots import decisions
from xingu.plots.classes import CURVES_OF_CLASSES
from xingu.plots.classification import calibration_curve, precision_recall_curve, roc_curve
from xingu.plots.importance import importance
from xingu.plots.regression import predicted_against_true, residuals
from xingu.provider.classes import class_text

__all__ = ["classification_plots", "importance", "regression_plots"]

logger = logging.getLogger(__name__)

Draw = Callable[[], "go.Figure"]


def regression_plots(
    y_true: pd.Series,
    y_pred: pd.Series,
    target: str,
    set_name: str | None = None,
    off: Collection[str] = (),
) -> "dict[str, go.Figure]":
    """Draw all plots of a regressor.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the titles.
        off: Names of plots that are switched off.

    Raises:
        DataError: If the indexes differ.
    """
    plots = {"Predicted against true": predicted_against_true, "Residuals": residuals}
    return drawn(
        {name: partial(draw, y_true, y_pred, target, set_name) for name, draw in plots.items()},
        target,
        off,
    )


def classification_plots(
    rows: Classified, target: str, set_name: str | None = None, off: Collection[str] = ()
) -> "dict[str, go.Figure]":
    """Draw all plots of a classifier: those of the target class, and the confusion matrix.

    Without a target class, ROC and precision-recall have a curve for each class.

    Args:
        rows: Observed classes and estimated probabilities.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the titles.
        off: Names of plots that are switched off.
    """
    confusion = {"Confusion matrix": partial(decisions.confusion_matrix, rows, target, set_name)}
    if rows.target_index is None:
        curves = {
            name: partial(draw, rows, target, set_name) for name, draw in CURVES_OF_CLASSES.items()
        }
        return drawn({**curves, **confusion}, target, off)
    label = rows.classes[rows.target_index]
    plots = {
        "ROC": roc_curve,
        "Precision-recall": precision_recall_curve,
        "Calibration": calibration_curve,
        "Threshold": decisions.threshold,
        "Gain": decisions.gain,
        "Lift": decisions.lift,
        "KS": decisions.ks,
    }

    def of_target(draw: Callable[..., "go.Figure"]) -> "go.Figure":
        figure = draw(rows.ranking, f"{target} = {label}", set_name)
        title = f"{figure.layout.title.text} ({class_text(label)})"  # type: ignore[attr-defined]
        return figure.update_layout(title_text=title)

    figures = {name: partial(of_target, draw) for name, draw in plots.items()}
    return drawn({**figures, **confusion}, f"{target} = {label}", off)


def drawn(plots: Mapping[str, Draw], shown: str, off: Collection[str]) -> "dict[str, go.Figure]":
    """Draw plots by name, except those in `off` and those that are undefined.

    Args:
        plots: Function that draws each plot.
        shown: Subject of the plots, for the log.
        off: Names of plots that are switched off.
    """
    figures = {}
    for name, draw in plots.items():
        if name in off:
            continue
        try:
            figures[name] = draw()
        except UndefinedMetricError as reason:
            logger.warning("plot %r of %s is skipped: %s", name, shown, reason)
    return figures
