"""The classical metrics of one set, measured in one go.

Its one idea: a metric is either a number or a reason. It knows nothing of sets, Models or tables.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from xingu.errors import UndefinedMetricError
from xingu.metrics import classification, regression
from xingu.metrics.classified import Classified, known_rows
from xingu.metrics.ranking import rank


@dataclass(frozen=True, slots=True)
class Measured:
    """Finite values by metric name, and the reasons of those that have none."""

    values: dict[str, float]
    undefined: dict[str, str]


def regression_metrics(
    y_true: pd.Series, y_pred: pd.Series, weight: pd.Series | None = None
) -> Measured:
    """Measure estimated numbers against observed ones.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        DataError: If they do not have the same index.
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
    target_index: int,
    weight: pd.Series | None = None,
) -> Measured:
    """Measure estimated probabilities against observed classes.

    The predicted class is the likeliest one, the first of equals. Log loss and accuracy look at
    all classes, the other metrics at the target class against the rest. An observed label that is
    not in `classes` counts as a wrong prediction of the rest, and leaves log loss undefined. With
    more than two classes there is also `Macro F1`, over all of them.

    Args:
        y_true: Observed labels, shape (n,).
        probabilities: Columns ``estimation_class_0 …`` in the order of `classes`, in [0, 1], same
            index. Rows with a NaN on either side are dropped.
        classes: The label of each column.
        target_index: Position of the target class in `classes`.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        DataError: If index, columns and classes do not fit together.
    """
    rows = known_rows(y_true, probabilities, classes, target_index, weight)
    metrics = _of_classes(rows)
    if (rows.codes < 0).all():
        return Measured({}, dict.fromkeys(metrics, _no_known_class(rows.observed, classes)))
    return _measure(metrics)


def _of_classes(rows: Classified) -> dict[str, Callable[[], float]]:
    weight, score = rows.weight, rows.score
    is_target, is_predicted = rows.is_target, rows.predicted == rows.target_index
    ranking = cache(lambda: rank(is_target, score, weight))
    metrics: dict[str, Callable[[], float]] = {
        "ROC AUC": lambda: ranking().roc_auc(),
        "Average Precision": lambda: ranking().average_precision(),
        "Log Loss": lambda: classification.log_loss(
            rows.observed, rows.chances, rows.classes, weight
        ),
        "Brier": lambda: classification.brier(is_target, score, weight),
        "F1": lambda: classification.f1(is_target, is_predicted, weight),
        "Precision": lambda: classification.precision(is_target, is_predicted, weight),
        "Recall": lambda: classification.recall(is_target, is_predicted, weight),
        "Accuracy": lambda: classification.accuracy(rows.codes, rows.predicted, weight),
        "KS": lambda: ranking().ks(),
    }
    if len(rows.classes) > 2:
        metrics["Macro F1"] = lambda: classification.macro_f1(rows.codes, rows.predicted, weight)
    return metrics


def _no_known_class(observed: pd.Series, classes: Sequence[Hashable]) -> str:
    if observed.empty:
        return "no row has both a class and its probabilities"
    return f"{observed.iloc[0]!r} and all others in y_true are none of {list(classes)[:10]!r}"


def _measure(metrics: Mapping[str, Callable[[], float]]) -> Measured:
    values: dict[str, float] = {}
    undefined: dict[str, str] = {}
    for name, measure in metrics.items():
        try:
            values[name] = measure()
        except UndefinedMetricError as reason:
            undefined[name] = str(reason)
    return Measured(values, undefined)
