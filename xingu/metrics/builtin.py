"""The classical metrics of one set, measured in one go.

Its one idea: a metric is either a number or a reason. It knows nothing of sets, Models or tables.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from xingu.errors import DataError, UndefinedMetricError
from xingu.metrics import classification, regression
from xingu.metrics.cleaning import check_same_rows, class_codes
from xingu.metrics.ranking import rank


@dataclass(frozen=True, slots=True)
class Measured:
    """Finite values by metric name, and the reasons of those that have none."""

    values: dict[str, float]
    undefined: dict[str, str]


def regression_metrics(y_true: pd.Series, y_pred: pd.Series) -> Measured:
    """Measure estimated numbers against observed ones.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.

    Raises:
        DataError: If the two do not have the same index.
    """
    return _measure(
        {
            "RMSE": lambda: regression.rmse(y_true, y_pred),
            "MAE": lambda: regression.mae(y_true, y_pred),
            "Median AE": lambda: regression.median_ae(y_true, y_pred),
            "MAPE": lambda: regression.mape(y_true, y_pred),
            "Median APE": lambda: regression.median_ape(y_true, y_pred),
            "R2": lambda: regression.r2(y_true, y_pred),
            "Bias": lambda: regression.bias(y_true, y_pred),
        }
    )


def classification_metrics(
    y_true: pd.Series,
    probabilities: pd.DataFrame,
    classes: Sequence[Hashable],
    target_index: int,
) -> Measured:
    """Measure estimated probabilities against observed classes.

    The predicted class is the likeliest one, the first of equals. Log loss and accuracy look at
    all classes, the other metrics at the target class against the rest. An observed label that is
    not in `classes` counts as a wrong prediction of the rest, and leaves log loss undefined.

    Args:
        y_true: Observed labels, shape (n,).
        probabilities: Columns ``estimation_class_0 …`` in the order of `classes`, in [0, 1], same
            index. Rows with a NaN on either side are dropped.
        classes: The label of each column.
        target_index: Position of the target class in `classes`.

    Raises:
        DataError: If index, columns and classes do not fit together.
    """
    observed, chances = known_rows(y_true, probabilities, classes, target_index)
    codes = pd.Series(class_codes(observed, classes), observed.index)
    predicted = pd.Series(chances.to_numpy().argmax(axis=1), observed.index)
    is_target, is_predicted = codes == target_index, predicted == target_index
    score = chances.iloc[:, target_index]
    ranking = cache(lambda: rank(is_target, score))
    metrics: dict[str, Callable[[], float]] = {
        "ROC AUC": lambda: ranking().roc_auc(),
        "Average Precision": lambda: ranking().average_precision(),
        "Log Loss": lambda: classification.log_loss(observed, chances, classes),
        "Brier": lambda: classification.brier(is_target, score),
        "F1": lambda: classification.f1(is_target, is_predicted),
        "Precision": lambda: classification.precision(is_target, is_predicted),
        "Recall": lambda: classification.recall(is_target, is_predicted),
        "Accuracy": lambda: classification.accuracy(codes, predicted),
        "KS": lambda: ranking().ks(),
    }
    if (codes < 0).all():
        return Measured({}, dict.fromkeys(metrics, _no_known_class(observed, classes)))
    return _measure(metrics)


def known_rows(
    y_true: pd.Series,
    probabilities: pd.DataFrame,
    classes: Sequence[Hashable],
    target_index: int,
) -> tuple[pd.Series, pd.DataFrame]:
    """Return the labels and probabilities (float64) of the rows where neither is missing.

    Raises:
        DataError: If index, columns and classes do not fit together.
    """
    check_same_rows(y_true.index, probabilities.index)
    if probabilities.shape[1] != len(classes) or not 0 <= target_index < len(classes):
        raise DataError(
            f"{probabilities.shape[1]} columns of probabilities and target class {target_index} do "
            f"not fit the {len(classes)} classes {list(classes)[:10]!r}; "
            "check proba_class_index and what post_process_after_predict_proba returns."
        )
    chances = probabilities.astype("float64")
    known = (y_true.notna() & chances.notna().all(axis=1)).to_numpy()
    if known.all():
        return y_true, chances
    return y_true.loc[known], chances.loc[known]


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
