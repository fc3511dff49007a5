"""Convert the columns that a metric or a plot compares into clean arrays.

Columns must have equal indexes. Rows with a missing value or of weight 0 are dropped; anything else
that no metric can handle raises an error with its reason, here and in no other module.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from xingu.errors import DataError, UndefinedMetricError

Array: TypeAlias = np.ndarray


class Pairs(NamedTuple):
    """Observed values, estimated values and weights, row by row; no weights: None."""

    true: Array
    pred: Array
    weights: Array | None


def paired_numbers(y_true: pd.Series, y_pred: pd.Series, weight: pd.Series | None = None) -> Pairs:
    """Return both columns and the weights as float64, without the rows where one is missing.

    Rows of weight 0 are dropped as well.

    Raises:
        DataError: If the indexes differ.
        UndefinedMetricError: If a column is not numeric or contains an infinite value, a weight is
            negative or infinite, or no row is left.
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
            raise UndefinedMetricError(f"{name} contains an infinite value")
    return Pairs(true, pred, weights)


def paired_scores(is_target: pd.Series, score: pd.Series, weight: pd.Series | None = None) -> Pairs:
    """Return `is_target` as booleans, `score` and the weights as float64; see `paired_numbers`.

    Raises:
        DataError: If the indexes differ.
        UndefinedMetricError: If a column is not numeric or contains an infinite value, a weight is
            negative or infinite, or no row is left.
    """
    pairs = paired_numbers(is_target, score, weight)
    return pairs._replace(true=pairs.true != 0)


def checked_weights(weight: pd.Series | None, index: pd.Index) -> Array | None:
    """Return weights as float64, NaN where missing; None if there are no weights.

    Raises:
        DataError: If their index is not `index`.
        UndefinedMetricError: If a weight is not a number, negative or infinite.
    """
    if weight is None:
        return None
    check_same_rows(index, weight.index)
    weights = as_floats(weight, "weight")
    if (weights < 0).any() or np.isinf(weights).any():
        raise UndefinedMetricError("a weight is negative or infinite")
    return weights


def as_floats(column: pd.Series, name: str) -> Array:
    """Return `column` as float64, NaN where missing.

    Args:
        column: Numbers of any type.
        name: Name of the argument, for the error.

    Raises:
        UndefinedMetricError: If a value is not a number.
    """
    try:
        return column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise UndefinedMetricError(f"{name} is not numeric, it is {column.dtype}") from error


def class_codes(y_true: pd.Series, classes: Sequence[Hashable]) -> Array:
    """Return the position of each label in `classes`; -1 for a missing or unknown label."""
    codes, labels = pd.factorize(y_true)
    positions = {label: position for position, label in enumerate(classes)}
    # factorize gives missing labels the code -1, which indexes the last entry.
    lookup = np.array([positions.get(label, -1) for label in labels] + [-1], dtype=np.intp)
    return lookup[codes]


def check_same_rows(left: pd.Index, right: pd.Index) -> None:
    """Check that two columns describe the same rows, in the same order.

    Raises:
        DataError: If the indexes differ.
    """
    if not left.equals(right):
        raise DataError(
            f"y_true ({len(left)} rows) and the estimations ({len(right)} rows) do not have the "
            "same index; keep the index of the data in what the prediction hooks return."
        )
