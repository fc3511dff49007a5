"""The classical plots of one set, drawn in one go.

Its one idea: what cannot be drawn is left out with a logged reason; a plot never fails a train.
"""

import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

import pandas as pd
import plotly.graph_objects as go

from xingu.errors import UndefinedMetricError
from xingu.metrics.builtin import known_rows
from xingu.metrics.cleaning import class_codes
from xingu.plots.classification import calibration_curve, precision_recall_curve, roc_curve
from xingu.plots.importance import importance
from xingu.plots.regression import predicted_against_true, residuals

__all__ = ["classification_plots", "importance", "regression_plots"]

logger = logging.getLogger(__name__)


def regression_plots(
    y_true: pd.Series, y_pred: pd.Series, target: str, set_name: str | None = None
) -> "dict[str, go.Figure]":
    """Draw estimated numbers against observed ones.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the titles.

    Raises:
        DataError: If the two do not have the same index.
    """
    plots = {"Predicted against true": predicted_against_true, "Residuals": residuals}
    return _drawn(
        {name: partial(draw, y_true, y_pred, target, set_name) for name, draw in plots.items()},
        target,
    )


def classification_plots(
    y_true: pd.Series,
    probabilities: pd.DataFrame,
    classes: Sequence[Hashable],
    target_index: int,
    target: str,
    set_name: str | None = None,
) -> "dict[str, go.Figure]":
    """Draw the target class's probabilities against observed classes.

    Args:
        y_true: Observed labels, shape (n,).
        probabilities: Columns ``estimation_class_0 …`` in the order of `classes`, in [0, 1], same
            index. Rows with a NaN on either side are dropped.
        classes: The label of each column.
        target_index: Position of the target class in `classes`.
        target: Name of the target, for the axes.
        set_name: Name of the set, for the titles.

    Raises:
        DataError: If index, columns and classes do not fit together.
    """
    observed, chances = known_rows(y_true, probabilities, classes, target_index)
    is_target = pd.Series(class_codes(observed, classes) == target_index, observed.index)
    score = chances.iloc[:, target_index]
    label = f"{target} = {classes[target_index]}"
    plots = {
        "ROC": roc_curve,
        "Precision-recall": precision_recall_curve,
        "Calibration": calibration_curve,
    }
    return _drawn(
        {name: partial(draw, is_target, score, label, set_name) for name, draw in plots.items()},
        label,
    )


def _drawn(plots: "Mapping[str, Callable[[], go.Figure]]", shown: str) -> "dict[str, go.Figure]":
    figures = {}
    for name, draw in plots.items():
        try:
            figures[name] = draw()
        except UndefinedMetricError as reason:
            logger.warning("plot %r of %s is left out: %s", name, shown, reason)
    return figures
