"""How far estimated numbers are from observed ones: one pure function per metric.

All take the observed and the estimated column and return one finite number, or say why there is
none. Formulas are those of scikit-learn's user guide, section "Regression metrics"; numpy computes
them, because validation in scikit-learn costs more than the mathematics.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from xingu.errors import UndefinedMetricError
from xingu.metrics.cleaning import Array, paired_numbers


def rmse(y_true: pd.Series, y_pred: pd.Series) -> float:
    """Root of the mean squared error, in the unit of the target, at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    return _measure(y_true, y_pred, lambda true, pred: np.sqrt(np.mean((pred - true) ** 2)))


def mae(y_true: pd.Series, y_pred: pd.Series) -> float:
    """Mean of |pred - true|, in the unit of the target, at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    return _measure(y_true, y_pred, lambda true, pred: np.mean(np.abs(pred - true)))


def median_ae(y_true: pd.Series, y_pred: pd.Series) -> float:
    """Median of |pred - true|, in the unit of the target, at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    return _measure(y_true, y_pred, lambda true, pred: np.median(np.abs(pred - true)))


def mape(y_true: pd.Series, y_pred: pd.Series) -> float:
    """Mean of |pred - true| / |true|, as a fraction (0.15 means 15 %), at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit, never zero.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, `y_true` holds a zero, or a value is infinite or
            not numeric.
    """
    return _measure(y_true, y_pred, lambda true, pred: np.mean(_relative_errors(true, pred)))


def median_ape(y_true: pd.Series, y_pred: pd.Series) -> float:
    """Median of |pred - true| / |true|, as a fraction (0.15 means 15 %), at least 0.

    Args:
        y_true: Observed target, shape (n,), any unit, never zero.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, `y_true` holds a zero, or a value is infinite or
            not numeric.
    """
    return _measure(y_true, y_pred, lambda true, pred: np.median(_relative_errors(true, pred)))


def r2(y_true: pd.Series, y_pred: pd.Series) -> float:
    """Coefficient of determination: 1 is perfect, 0 as good as the mean, and below 0 worse.

    Args:
        y_true: Observed target, shape (n,), any unit, not constant.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, `y_true` is constant, or a value is infinite or
            not numeric.
    """
    return _measure(y_true, y_pred, _explained_share)


def bias(y_true: pd.Series, y_pred: pd.Series) -> float:
    """Mean of pred - true, in the unit of the target: above 0 where estimations are too high.

    Args:
        y_true: Observed target, shape (n,), any unit.
        y_pred: Estimated target, same unit and index. Rows with a NaN on either side are dropped.

    Raises:
        UndefinedMetricError: If no row is left, or a value is infinite or not numeric.
    """
    return _measure(y_true, y_pred, lambda true, pred: np.mean(pred - true))


def _measure(
    y_true: pd.Series, y_pred: pd.Series, formula: Callable[[Array, Array], np.floating]
) -> float:
    true, pred = paired_numbers(y_true, y_pred)
    with np.errstate(all="ignore"):
        value = float(formula(true, pred))
    if not np.isfinite(value):
        raise UndefinedMetricError("the values are too large for a finite result")
    return value


def _relative_errors(true: Array, pred: Array) -> Array:
    if zeros := np.count_nonzero(true == 0):
        raise UndefinedMetricError(f"y_true is zero in {zeros} of {len(true)} rows")
    return np.abs(pred - true) / np.abs(true)


def _explained_share(true: Array, pred: Array) -> np.floating:
    if np.ptp(true) == 0:
        raise UndefinedMetricError("y_true is constant")
    return 1 - np.sum((true - pred) ** 2) / np.sum((true - np.mean(true)) ** 2)
