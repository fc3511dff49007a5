"""Metrics of estimated numbers: one pure function per metric.

All functions take pandas columns with equal indexes, drop rows with a missing value or of weight 0,
and return a finite number. They raise `DataError` if the indexes differ, and `UndefinedMetricError`
if no row is left, a value is infinite or not numeric, or the result is not finite. Formulas are
those of scikit-learn's user guide, section "Regression metrics"; they are computed with numpy
because scikit-learn's input validation takes longer than the computation.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from xingu.errors import UndefinedMetricError
from xingu.metrics.cleaning import Array, Pairs, paired_numbers

Weight: TypeAlias = pd.Series | None


def rmse(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Root of the mean squared error, in the unit of the target, at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _rmse)


def mae(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Mean of |pred - true|, in the unit of the target, at least 0.

    Arguments and errors are those of `rmse`.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _mae)


def median_ae(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Median of |pred - true|, in the unit of the target, at least 0.

    Arguments and errors are those of `rmse`.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _median_ae)


def mape(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Mean of |pred - true| / |true|, as a fraction (0.15 means 15 %), at least 0.

    Arguments are those of `rmse`.

    Raises:
        UndefinedMetricError: Also if `y_true` contains a zero.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _mape)


def median_ape(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Median of |pred - true| / |true|, as a fraction (0.15 means 15 %), at least 0.

    Arguments are those of `rmse`.

    Raises:
        UndefinedMetricError: Also if `y_true` contains a zero.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _median_ape)


def r2(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Coefficient of determination: 1 is perfect, 0 is the mean of the target, below 0 is worse.

    Arguments are those of `rmse`.

    Raises:
        UndefinedMetricError: Also if `y_true` is constant.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _explained_share)


def bias(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Mean of pred - true, in the unit of the target; above 0 if estimations are too high.

    Arguments and errors are those of `rmse`.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _bias)


def _measure(pairs: Pairs, formula: Callable[..., Any]) -> float:
    with np.errstate(all="ignore"):
        value = float(formula(*pairs))
    if not np.isfinite(value):
        raise UndefinedMetricError("the values are too large for a finite result")
    return value


def _rmse(true: Array, pred: Array, weights: Array | None) -> Any:
    return np.sqrt(np.average((pred - true) ** 2, weights=weights))


def _mae(true: Array, pred: Array, weights: Array | None) -> Any:
    return np.average(np.abs(pred - true), weights=weights)


def _median_ae(true: Array, pred: Array, weights: Array | None) -> Any:
    return _median(np.abs(pred - true), weights)


def _mape(true: Array, pred: Array, weights: Array | None) -> Any:
    return np.average(_relative_errors(true, pred), weights=weights)


def _median_ape(true: Array, pred: Array, weights: Array | None) -> Any:
    return _median(_relative_errors(true, pred), weights)


def _bias(true: Array, pred: Array, weights: Array | None) -> Any:
    return np.average(pred - true, weights=weights)


def _explained_share(true: Array, pred: Array, weights: Array | None) -> Any:
    if np.ptp(true) == 0:
        raise UndefinedMetricError("y_true is constant")
    spread = np.average((true - np.average(true, weights=weights)) ** 2, weights=weights)
    return 1 - np.average((true - pred) ** 2, weights=weights) / spread


def _relative_errors(true: Array, pred: Array) -> Array:
    if zeros := np.count_nonzero(true == 0):
        raise UndefinedMetricError(f"y_true is zero in {zeros} of {len(true)} rows")
    return np.abs(pred - true) / np.abs(true)


def _median(values: Array, weights: Array | None) -> Any:
    """Return the weighted median: the mean of two values if both have half of the weight below."""
    if weights is None:
        return np.median(values)
    order = np.argsort(values)
    values, below = values[order], np.cumsum(weights[order])
    half = below[-1] / 2
    low = int(np.searchsorted(below, half))
    high = min(low + int(below[low] - half <= np.finfo(float).eps), len(values) - 1)
    return (values[low] + values[high]) / 2
