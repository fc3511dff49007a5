"""Make clean arrays of the columns that a metric or a plot compares.

Its one idea: what cannot be measured is found here, once, with its reason. It knows no metric.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from xingu.errors import DataError, UndefinedMetricError

Array: TypeAlias = np.ndarray


class Pairs(NamedTuple):
    """What is compared, row by row; `weights` is None where all rows count alike."""

    true: Array
    pred: Array
    weights: Array | None


def paired_numbers(y_true: pd.Series, y_pred: pd.Series, weight: pd.Series | None = None) -> Pairs:
    """Return both columns and the weights as float64, without the rows where one is missing.

    Rows of weight 0 are left out as well.

    Raises:
        DataError: If the columns are not about the same rows, in the same order.
        UndefinedMetricError: If a column is not numeric or holds an infinite value, a weight is
            negative, or no row is left.
    """
    check_same_rows(y_true.index, y_pred.index)
    true, pred = as_floats(y_true, "y_true"), as_floats(y_pred, "y_pred")
    weights = checked_weights(weight, y_true.index)
    known = ~(np.isnan(true) | np.isnan(pred))
    if weights is not None:
        known = known & (weights > 0)
    if not known.all():
        true, pred = true[known], pred[known]
        weights = None if weights is None else weights[known]
    if not len(true):
        raise UndefinedMetricError("no row has both an observed and an estimated value")
    for name, column in (("y_true", true), ("y_pred", pred)):
        if not np.isfinite(column).all():
            raise UndefinedMetricError(f"{name} holds an infinite value")
    return Pairs(true, pred, weights)


def paired_scores(is_target: pd.Series, score: pd.Series, weight: pd.Series | None = None) -> Pairs:
    """Return `is_target` as booleans, `score` and the weights as float64, without missing rows.

    Raises:
        DataError: If the columns are not about the same rows, in the same order.
        UndefinedMetricError: If a column is not numeric or is infinite, a weight is negative, or
            no row is left.
    """
    pairs = paired_numbers(is_target, score, weight)
    return pairs._replace(true=pairs.true != 0)


def checked_weights(weight: pd.Series | None, index: pd.Index) -> Array | None:
    """Return weights as float64; None if all rows count alike.

    Raises:
        DataError: If they are not about the rows of `index`.
        UndefinedMetricError: If one is not a number, negative or infinite.
    """
    if weight is None:
        return None
    check_same_rows(index, weight.index)
    weights = as_floats(weight, "weight")
    if (weights < 0).any() or np.isinf(weights).any():
        raise UndefinedMetricError("a weight is negative or infinite")
    return weights


def as_floats(column: pd.Series, name: str) -> Array:
    """Return `column` as float64 with NaN for what is missing.

    Raises:
        UndefinedMetricError: If a value is not a number.
    """
    try:
        return column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise UndefinedMetricError(f"{name} is not numeric, it is {column.dtype}") from error


def class_codes(y_true: pd.Series, classes: Sequence[Hashable]) -> Array:
    """Return the position in `classes` of every label; -1 for a missing or unknown one."""
    codes, labels = pd.factorize(y_true)
    positions = {label: position for position, label in enumerate(classes)}
    # The last entry answers the code -1, which factorize gives to what is missing.
    lookup = np.array([positions.get(label, -1) for label in labels] + [-1], dtype=np.intp)
    return lookup[codes]


def check_same_rows(left: pd.Index, right: pd.Index) -> None:
    """Refuse to compare columns of different rows.

    Raises:
        DataError: If the two indexes differ.
    """
    if not left.equals(right):
        raise DataError(
            f"y_true ({len(left)} rows) and the estimations ({len(right)} rows) do not have the "
            "same index; keep the index of the data in what the prediction hooks return."
        )
