"""Compute all built-in metrics of one set.

Each metric becomes either a finite number or a reason why it is undefined; one undefined metric
does not prevent the others. Metric names are keys of the control DB and of quality gates, so they
must not change.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from xingu.errors import UndefinedMetricError
from xingu.metrics import classification, regression
from xingu.metrics.by_class import ByClass
from xingu.metrics.classified import Classified, known_rows

ALL_CLASSES = ("Log Loss", "Accuracy")
"""Metrics of a classifier that are not of one class."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Metrics of one set.

    Attributes:
        values: Finite values by metric name.
        undefined: Reasons by metric name, for metrics without a value.
    """

    values: dict[str, float]
    undefined: dict[str, str]


def regression_metrics(
    y_true: pd.Series, y_pred: pd.Series, weight: pd.Series | None = None
) -> Measured:
    """Compute all metrics of a regressor.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        DataError: If the indexes differ.
    """
    return _measure(
        {
            "RMSE": lambda: regression.rmse(y_true, y_pred, weight),
            "MAE": lambda: regression.mae(y_true, y_pred, weight),
            "Median AE": lambda: regression.median_ae(y_true, y_pred, weight),
            "MAPE": lambda: regression.mape(y_true, y_pred, weight),
            "Median APE": lambda: regression.median_ape(y_true, y_pred, weight),
            "R2": lambda: regression.r2(y_true, y_pred, weight),
            "Bias": lambda: regression.bias(y_true, y_pred, weight),
        }
    )


def classification_metrics(
    y_true: pd.Series,
    probabilities: pd.DataFrame,
    classes: Sequence[Hashable],
    target_index: int | None,
    weight: pd.Series | None = None,
) -> Measured:
    """Compute all metrics of a classifier.

    The predicted class is the most probable one, the first of a tie. Log loss and accuracy use all
    classes; metrics of the target class compare it with the rest, and are left out without one.
    More than two classes add averages and metrics of each class; see `xingu.metrics.by_class`. An
    observed label that is not in `classes` counts as a wrong prediction of the rest, and makes log
    loss undefined.

    Args:
        y_true: Observed labels, shape (n,).
        probabilities: Columns ``estimation_class_0 …`` in the order of `classes`, in [0, 1], same
            index. Rows with a NaN on either side are dropped.
        classes: Label of each column.
        target_index: Position of the target class in `classes`; None: there is none.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        DataError: If the indexes differ, or columns, classes and `target_index` do not match.
    """
    rows = known_rows(y_true, probabilities, classes, target_index, weight)
    metrics = _classification(rows)
    if (rows.codes < 0).all():
        return Measured({}, dict.fromkeys(metrics, _no_known_label(rows.observed, classes)))
    return _measure(metrics)


def _classification(rows: Classified) -> dict[str, Callable[[], float]]:
    weight = rows.weight
    is_target, is_predicted = rows.is_target, rows.predicted == rows.target_index
    metrics: dict[str, Callable[[], float]] = {
        "ROC AUC": lambda: rows.ranking.roc_auc(),
        "Average Precision": lambda: rows.ranking.average_precision(),
        "Log Loss": lambda: classification.log_loss(
            rows.observed, rows.probabilities, rows.classes, weight
        ),
        "Brier": lambda: classification.brier(is_target, rows.score, weight),
        "F1": lambda: classification.f1(is_target, is_predicted, weight),
        "Precision": lambda: classification.precision(is_target, is_predicted, weight),
        "Recall": lambda: classification.recall(is_target, is_predicted, weight),
        "Accuracy": lambda: classification.accuracy(rows.codes, rows.predicted, weight),
        "KS": lambda: rows.ranking.ks(),
    }
    if rows.target_index is None:
        metrics = {name: metrics[name] for name in ALL_CLASSES}
    if len(rows.classes) > 2:
        metrics |= ByClass(rows).metrics()
    return metrics


def _no_known_label(observed: pd.Series, classes: Sequence[Hashable]) -> str:
    if observed.empty:
        return "no row has both a class and its probabilities"
    return f"no label in y_true ({observed.iloc[0]!r}, …) is one of {list(classes)[:10]!r}"


def _measure(metrics: Mapping[str, Callable[[], float]]) -> Measured:
    values: dict[str, float] = {}
    undefined: dict[str, str] = {}
    for name, measure in metrics.items():
        try:
            values[name] = measure()
        except UndefinedMetricError as reason:
            undefined[name] = str(reason)
    return Measured(values, undefined)
