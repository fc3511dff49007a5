"""How far estimated numbers are from observed ones: one pure function per metric.

All take the observed and the estimated column and return one finite number, or say why there is
none. Formulas are those of scikit-learn's user guide, section "Regression metrics"; numpy computes
them, because validation in scikit-learn costs more than the mathematics.
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
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _rmse)


def mae(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Mean of |pred - true|, in the unit of the target, at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _mae)


def median_ae(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Median of |pred - true|, in the unit of the target, at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _median_ae)


def mape(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Mean of |pred - true| / |true|, as a fraction (0.15 means 15 %), at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit, never zero.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, `y_true` holds a zero, or a value is infinite or
            not numeric.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _mape)


def median_ape(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Median of |pred - true| / |true|, as a fraction (0.15 means 15 %), at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit, never zero.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, `y_true` holds a zero, or a value is infinite or
            not numeric.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _median_ape)


def r2(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Coefficient of determination: 1 is perfect, 0 as good as the mean, and below 0 worse.

    Args:
        y_true: Observed target, shape (n,), any unit, not constant.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, `y_true` is constant, or a value is infinite or
            not numeric.
    """
    return _measure(paired_numbers(y_true, y_pred, weight), _explained_share)


def bias(y_true: pd.Series, y_pred: pd.Series, weight: Weight = None) -> float:
    """Mean of pred - true, in the unit of the target: above 0 where estimations are too high.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.
        weight: What each row counts, at least 0, same index; None: all alike.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
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
    """The value with half of the weight on either side; between two of them their middle."""
    if weights is None:
        return np.median(values)
    order = np.argsort(values)
    values, below = values[order], np.cumsum(weights[order])
    half = below[-1] / 2
    low = int(np.searchsorted(below, half))
    high = min(low + int(below[low] - half <= np.finfo(float).eps), len(values) - 1)
    return (values[low] + values[high]) / 2
