"""How good estimated classes and probabilities are: one pure function per metric.

Metrics "at the target class" see two kinds of rows, the target class and the rest, however many
classes there are. Formulas are those of scikit-learn's user guide, section "Classification
metrics"; numpy computes them, because validation in scikit-learn costs more than the mathematics.
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
    """Chance that a target row scores higher than another row; 0.5 is guessing, 1 perfect.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, or any score that rises with it; same index. Rows
            with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    return rank(is_target, score, weight).roc_auc()


def average_precision(is_target: pd.Series, score: pd.Series, weight: Weight = None) -> float:
    """Precision at the target class averaged over the steps of recall, in (0, 1].

    Guessing reaches the share of target rows.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, or any score that rises with it; same index. Rows
            with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    return rank(is_target, score, weight).average_precision()


def ks(is_target: pd.Series, score: pd.Series, weight: Weight = None) -> float:
    """Two-sample Kolmogorov-Smirnov statistic of the scores of target rows and of the others.

    It is the largest distance between the two cumulative distributions, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, or any score that rises with it; same index. Rows
            with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
    """
    return rank(is_target, score, weight).ks()


def brier(is_target: pd.Series, probability: pd.Series, weight: Weight = None) -> float:
    """Mean squared distance of the target class's probability from 0 or 1, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        probability: Probability of the target class, in [0, 1], same index. Rows with a NaN on
            either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, or a probability is outside [0, 1].
    """
    hits, chances, weights = paired_scores(is_target, probability, weight)
    _check_probabilities(chances)
    return float(np.average((chances - hits) ** 2, weights=weights))


def log_loss(
    y_true: pd.Series,
    probabilities: pd.DataFrame,
    classes: Sequence[Hashable],
    weight: Weight = None,
) -> float:
    """Mean of -ln(probability of the observed class), over all classes; at least 0, 0 is perfect.

    A probability of 0 counts as the smallest step above it (2e-16), as in scikit-learn.

    Args:
        y_true: Observed labels, shape (n,).
        probabilities: One column per class in the order of `classes`, in [0, 1], same index. Rows
            with a NaN on either side are dropped.
        classes: The label of each column.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, a label is not in `classes`, or a probability is
            outside [0, 1].
    """
    check_same_rows(y_true.index, probabilities.index)
    chances = probabilities.to_numpy(dtype="float64", na_value=np.nan)
    known = y_true.notna().to_numpy() & ~np.isnan(chances).any(axis=1)
    weights = checked_weights(weight, y_true.index)
    if weights is not None:
        known = known & (weights > 0)
        weights = weights[known]
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
    losses = -np.log(np.clip(observed, np.finfo(float).eps, 1))
    return float(np.average(losses, weights=weights))


def precision(is_target: pd.Series, is_predicted: pd.Series, weight: Weight = None) -> float:
    """Share of target rows among those predicted as the target class, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        is_predicted: Whether it is predicted as the target class, same index. Rows with a NaN on
            either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, or none is predicted as the target class.
    """
    both, _, predicted = _counts(is_target, is_predicted, weight)
    return _share(both, predicted, "no row is predicted as the target class")


def recall(is_target: pd.Series, is_predicted: pd.Series, weight: Weight = None) -> float:
    """Share of the target rows that are predicted as the target class, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        is_predicted: Whether it is predicted as the target class, same index. Rows with a NaN on
            either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, or none is of the target class.
    """
    both, observed, _ = _counts(is_target, is_predicted, weight)
    return _share(both, observed, "no row is of the target class")


def f1(is_target: pd.Series, is_predicted: pd.Series, weight: Weight = None) -> float:
    """Harmonic mean of precision and recall at the target class, in [0, 1].

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        is_predicted: Whether it is predicted as the target class, same index. Rows with a NaN on
            either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, or none is or is predicted as the target class.
    """
    both, observed, predicted = _counts(is_target, is_predicted, weight)
    return _share(2 * both, observed + predicted, "no row is, or is predicted as, the target class")


def macro_f1(codes: pd.Series, predicted: pd.Series, weight: Weight = None) -> float:
    """Mean of the F1 of each class that is observed or predicted, in [0, 1].

    Args:
        codes: Number of the observed class, at least 0, shape (n,); below 0: a class that cannot be
            predicted, which counts as a wrong prediction of the rest.
        predicted: Number of the predicted class, same index. Rows with a NaN on either side are
            dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left.
    """
    seen, chosen, weights = paired_numbers(codes, predicted, weight)
    known = np.union1d(seen[seen >= 0], chosen)
    of_each = np.ones(len(seen)) if weights is None else weights
    both = [of_each[(seen == code) & (chosen == code)].sum() for code in known]
    either = [of_each[seen == code].sum() + of_each[chosen == code].sum() for code in known]
    return float(np.mean(2 * np.array(both) / np.array(either)))


def accuracy(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Share of rows whose predicted label is the observed one, over all classes, in [0, 1].

    Args:
        y_true: Observed labels, shape (n,).
        y_pred: Predicted labels, same index. Rows with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left.
    """
    check_same_rows(y_true.index, y_pred.index)
    known = (y_true.notna() & y_pred.notna()).to_numpy()
    weights = checked_weights(weight, y_true.index)
    if weights is not None:
        known = known & (weights > 0)
        weights = weights[known]
    if not known.any():
        raise UndefinedMetricError("no row has both an observed and a predicted class")
    hit = y_true.to_numpy()[known] == y_pred.to_numpy()[known]
    return float(np.average(hit, weights=weights))


def _counts(
    is_target: pd.Series, is_predicted: pd.Series, weight: Weight
) -> tuple[float, float, float]:
    hits, predicted, weights = paired_scores(is_target, is_predicted, weight)
    chosen = predicted != 0
    of_each = np.ones(len(hits)) if weights is None else weights
    return (
        float(of_each[hits & chosen].sum()),
        float(of_each[hits].sum()),
        float(of_each[chosen].sum()),
    )


def _share(part: float, whole: float, reason: str) -> float:
    if not whole:
        raise UndefinedMetricError(reason)
    return part / whole


def _check_probabilities(chances: Array) -> None:
    if chances.min() < 0 or chances.max() > 1:
        raise UndefinedMetricError("a probability is outside [0, 1]")
