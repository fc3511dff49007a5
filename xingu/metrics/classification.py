"""Metrics of estimated classes and probabilities: one pure function per metric.

Metrics of the target class compare it with the rest, whatever the number of classes. All functions
take pandas columns with equal indexes, drop rows with a missing value or of weight 0, and raise
`DataError` if the indexes differ. Formulas are those of scikit-learn's user guide, section
"Classification metrics"; they are computed with numpy because scikit-learn's input validation takes
longer than the computation.
"""

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from xingu.errors import UndefinedMetricError
from xingu.metrics.cleaning import (
    Array,
    check_same_rows,
    checked_weights,
    class_codes,
    paired_numbers,
    paired_scores,
)
from xingu.metrics.ranking import rank

Weight: TypeAlias = pd.Series | None


def roc_auc(is_target: pd.Series, score: pd.Series, weight: Weight = None) -> float:
    """Probability that a target row scores higher than another row: 0.5 is random, 1 perfect.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, or any score that increases with it; same index.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    return rank(is_target, score, weight).roc_auc()


def average_precision(is_target: pd.Series, score: pd.Series, weight: Weight = None) -> float:
    """Precision averaged over the steps of recall, in (0, 1]; random: the share of target rows.

    Arguments and errors are those of `roc_auc`.
    """
    return rank(is_target, score, weight).average_precision()


def ks(is_target: pd.Series, score: pd.Series, weight: Weight = None) -> float:
    """Two-sample Kolmogorov-Smirnov statistic of the scores of target rows and of the others.

    It is the largest distance between the two cumulative distributions, in [0, 1]. Arguments and
    errors are those of `roc_auc`.
    """
    return rank(is_target, score, weight).ks()


def brier(is_target: pd.Series, probability: pd.Series, weight: Weight = None) -> float:
    """Mean squared error of the target class's probability, in [0, 1]; 0 is perfect.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        probability: Probability of the target class, in [0, 1], same index.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        UndefinedMetricError: If no row is left, or a probability is outside [0, 1].
    """
    hits, probabilities, weights = paired_scores(is_target, probability, weight)
    _check_probabilities(probabilities)
    return float(np.average((probabilities - hits) ** 2, weights=weights))


def log_loss(
    y_true: pd.Series,
    probabilities: pd.DataFrame,
    classes: Sequence[Hashable],
    weight: Weight = None,
) -> float:
    """Mean of -ln(probability of the observed class), over all classes; 0 is perfect.

    Probabilities are clipped at float64's machine epsilon (2.2e-16), as in scikit-learn.

    Args:
        y_true: Observed labels, shape (n,).
        probabilities: One column per class in the order of `classes`, in [0, 1], same index.
        classes: Label of each column.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        UndefinedMetricError: If no row is left, a label is not in `classes`, or a probability is
            outside [0, 1].
    """
    check_same_rows(y_true.index, probabilities.index)
    values = probabilities.to_numpy(dtype="float64", na_value=np.nan)
    known = y_true.notna().to_numpy() & ~np.isnan(values).any(axis=1)
    known, weights = _weighted_rows(known, weight, y_true.index)
    codes, values = class_codes(y_true, classes)[known], values[known]
    if not len(codes):
        raise UndefinedMetricError("no row has both an observed class and its probabilities")
    if (codes < 0).any():
        unknown = y_true.loc[known].loc[codes < 0].iloc[0]
        raise UndefinedMetricError(f"y_true contains {unknown!r}, a label unknown to the estimator")
    _check_probabilities(values)
    observed = values[np.arange(len(codes)), codes]
    losses = -np.log(np.clip(observed, np.finfo(float).eps, 1))
    return float(np.average(losses, weights=weights))


def precision(is_target: pd.Series, is_predicted: pd.Series, weight: Weight = None) -> float:
    """Share of target rows among those predicted as the target class, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        is_predicted: Whether each row is predicted as the target class, same index.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        UndefinedMetricError: If no row is left, or none is predicted as the target class.
    """
    both, _, predicted = _counts(is_target, is_predicted, weight)
    return _share(both, predicted, "no row is predicted as the target class")


def recall(is_target: pd.Series, is_predicted: pd.Series, weight: Weight = None) -> float:
    """Share of the target rows that are predicted as the target class, in [0, 1].

    Arguments are those of `precision`.

    Raises:
        UndefinedMetricError: If no row is left, or none is of the target class.
    """
    both, observed, _ = _counts(is_target, is_predicted, weight)
    return _share(both, observed, "no row is of the target class")


def f1(is_target: pd.Series, is_predicted: pd.Series, weight: Weight = None) -> float:
    """Harmonic mean of precision and recall of the target class, in [0, 1].

    Arguments are those of `precision`.

    Raises:
        UndefinedMetricError: If no row is left, or none is or is predicted as the target class.
    """
    both, observed, predicted = _counts(is_target, is_predicted, weight)
    return _share(2 * both, observed + predicted, "no row is, or is predicted as, the target class")


def macro_f1(codes: pd.Series, predicted: pd.Series, weight: Weight = None) -> float:
    """Mean of the F1 of each class that is observed or predicted, in [0, 1].

    Args:
        codes: Code of the observed class, shape (n,); a negative code is a class that cannot be
            predicted and counts as a wrong prediction of the rest.
        predicted: Code of the predicted class, same index.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        UndefinedMetricError: If no row is left.
    """
    observed, chosen, weights = paired_numbers(codes, predicted, weight)
    classes = np.union1d(observed[observed >= 0], chosen)
    weights = np.ones(len(observed)) if weights is None else weights
    both = [weights[(observed == code) & (chosen == code)].sum() for code in classes]
    total = [weights[observed == code].sum() + weights[chosen == code].sum() for code in classes]
    return float(np.mean(2 * np.array(both) / np.array(total)))


def accuracy(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Share of rows whose predicted label equals the observed one, over all classes, in [0, 1].

    Args:
        y_true: Observed labels, shape (n,).
        y_pred: Predicted labels, same index.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        UndefinedMetricError: If no row is left.
    """
    check_same_rows(y_true.index, y_pred.index)
    known = (y_true.notna() & y_pred.notna()).to_numpy()
    known, weights = _weighted_rows(known, weight, y_true.index)
    if not known.any():
        raise UndefinedMetricError("no row has both an observed and a predicted class")
    correct = y_true.to_numpy()[known] == y_pred.to_numpy()[known]
    return float(np.average(correct, weights=weights))


def _weighted_rows(known: Array, weight: Weight, index: pd.Index) -> tuple[Array, Array | None]:
    """Return which of the `known` rows have a weight above 0, and the weights of those."""
    weights = checked_weights(weight, index)
    if weights is None:
        return known, None
    known = known & (weights > 0)
    return known, weights[known]


def _counts(is_target: pd.Series, is_predicted: pd.Series, weight: Weight) -> tuple[float, ...]:
    """Return the weight of true positives, of target rows, and of predicted rows."""
    hits, predicted, weights = paired_scores(is_target, is_predicted, weight)
    chosen = predicted != 0
    weights = np.ones(len(hits)) if weights is None else weights
    return tuple(float(weights[rows].sum()) for rows in (hits & chosen, hits, chosen))


def _share(part: float, whole: float, reason: str) -> float:
    if not whole:
        raise UndefinedMetricError(reason)
    return part / whole


def _check_probabilities(probabilities: Array) -> None:
    if probabilities.min() < 0 or probabilities.max() > 1:
        raise UndefinedMetricError("a probability is outside [0, 1]")
