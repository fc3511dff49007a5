"""How good estimated classes and probabilities are: one pure function per metric.

Metrics "at the target class" see two kinds of rows, the target class and the rest, however many
classes there are. Formulas are those of scikit-learn's user guide, section "Classification
metrics"; numpy computes them, because validation in scikit-learn costs more than the mathematics.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from xingu.errors import UndefinedMetricError
from xingu.metrics.cleaning import Array, check_same_rows, class_codes, paired_scores
from xingu.metrics.ranking import rank


def roc_auc(is_target: pd.Series, score: pd.Series) -> float:
    """Chance that a target row scores higher than another row; 0.5 is guessing, 1 perfect.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, or any score that rises with it; same index. Rows
            with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    return rank(is_target, score).roc_auc()


def average_precision(is_target: pd.Series, score: pd.Series) -> float:
    """Precision at the target class averaged over the steps of recall, in (0, 1].

    Guessing reaches the share of target rows.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, or any score that rises with it; same index. Rows
            with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    return rank(is_target, score).average_precision()


def ks(is_target: pd.Series, score: pd.Series) -> float:
    """Two-sample Kolmogorov-Smirnov statistic of the scores of target rows and of the others.

    It is the largest distance between the two cumulative distributions, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, or any score that rises with it; same index. Rows
            with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    return rank(is_target, score).ks()


def brier(is_target: pd.Series, probability: pd.Series) -> float:
    """Mean squared distance of the target class's probability from 0 or 1, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        probability: Probability of the target class, in [0, 1], same index. Rows with a NaN on
            either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, or a probability is outside [0, 1].
    """
    hits, chances = paired_scores(is_target, probability)
    _check_probabilities(chances)
    return float(np.mean((chances - hits) ** 2))


def log_loss(y_true: pd.Series, probabilities: pd.DataFrame, classes: Sequence[Hashable]) -> float:
    """Mean of -ln(probability of the observed class), over all classes; at least 0, 0 is perfect.

    A probability of 0 counts as the smallest step above it (2e-16), as in scikit-learn.

    Args:
        y_true: Observed labels, shape (n,).
        probabilities: One column per class in the order of `classes`, in [0, 1], same index. Rows
            with a NaN on either side are dropped.
        classes: The label of each column.

    Raises:
        UndefinedMetricError: If no row is left, a label is not in `classes`, or a probability is
            outside [0, 1].
    """
    check_same_rows(y_true.index, probabilities.index)
    chances = probabilities.to_numpy(dtype="float64", na_value=np.nan)
    known = y_true.notna().to_numpy() & ~np.isnan(chances).any(axis=1)
    codes, chances = class_codes(y_true, classes)[known], chances[known]
    if not len(codes):
        raise UndefinedMetricError("no row has both an observed class and its probabilities")
    if (codes < 0).any():
        strange = y_true.loc[known].loc[codes < 0].iloc[0]
        raise UndefinedMetricError(
            f"y_true holds {strange!r}, which the estimator was not fitted on"
        )
    _check_probabilities(chances)
    observed = chances[np.arange(len(codes)), codes]
    return float(-np.mean(np.log(np.clip(observed, np.finfo(float).eps, 1))))


def precision(is_target: pd.Series, is_predicted: pd.Series) -> float:
    """Share of target rows among those predicted as the target class, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        is_predicted: Whether it is predicted as the target class, same index. Rows with a NaN on
            either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, or none is predicted as the target class.
    """
    both, _, predicted = _counts(is_target, is_predicted)
    return _share(both, predicted, "no row is predicted as the target class")


def recall(is_target: pd.Series, is_predicted: pd.Series) -> float:
    """Share of the target rows that are predicted as the target class, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        is_predicted: Whether it is predicted as the target class, same index. Rows with a NaN on
            either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, or none is of the target class.
    """
    both, observed, _ = _counts(is_target, is_predicted)
    return _share(both, observed, "no row is of the target class")


def f1(is_target: pd.Series, is_predicted: pd.Series) -> float:
    """Harmonic mean of precision and recall at the target class, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        is_predicted: Whether it is predicted as the target class, same index. Rows with a NaN on
            either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, or none is or is predicted as the target class.
    """
    both, observed, predicted = _counts(is_target, is_predicted)
    return _share(2 * both, observed + predicted, "no row is, or is predicted as, the target class")


def accuracy(y_true: pd.Series, y_pred: pd.Series) -> float:
    """Share of rows whose predicted label is the observed one, over all classes, in [0, 1].

    Args:
        y_true: Observed labels, shape (n,).
        y_pred: Predicted labels, same index. Rows with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left.
    """
    check_same_rows(y_true.index, y_pred.index)
    known = (y_true.notna() & y_pred.notna()).to_numpy()
    if not known.any():
        raise UndefinedMetricError("no row has both an observed and a predicted class")
    return float(np.mean(y_true.to_numpy()[known] == y_pred.to_numpy()[known]))


def _counts(is_target: pd.Series, is_predicted: pd.Series) -> tuple[int, int, int]:
    hits, predicted = paired_scores(is_target, is_predicted)
    chosen = predicted != 0
    return (
        int(np.count_nonzero(hits & chosen)),
        int(np.count_nonzero(hits)),
        int(np.count_nonzero(chosen)),
    )


def _share(part: int, whole: int, reason: str) -> float:
    if not whole:
        raise UndefinedMetricError(reason)
    return part / whole


def _check_probabilities(chances: Array) -> None:
    if chances.min() < 0 or chances.max() > 1:
        raise UndefinedMetricError("a probability is outside [0, 1]")
