"""Make clean arrays of the columns that a metric or a plot compares.

Its one idea: what cannot be measured is found here, once, with its reason. It knows no metric.
"""

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from xingu.errors import DataError, UndefinedMetricError

Array: TypeAlias = np.ndarray


def paired_numbers(y_true: pd.Series, y_pred: pd.Series) -> tuple[Array, Array]:
    """Return both columns as float64, without the rows where either is missing.

    Raises:
        DataError: If the two are not about the same rows, in the same order.
        UndefinedMetricError: If a column is not numeric or holds an infinite value, or if no row
            is left.
    """
    check_same_rows(y_true.index, y_pred.index)
    true, pred = as_floats(y_true, "y_true"), as_floats(y_pred, "y_pred")
    missing = np.isnan(true) | np.isnan(pred)
    if missing.any():
        true, pred = true[~missing], pred[~missing]
    if not len(true):
        raise UndefinedMetricError("no row has both an observed and an estimated value")
    for name, column in (("y_true", true), ("y_pred", pred)):
        if not np.isfinite(column).all():
            raise UndefinedMetricError(f"{name} holds an infinite value")
    return true, pred


def paired_scores(is_target: pd.Series, score: pd.Series) -> tuple[Array, Array]:
    """Return `is_target` as booleans and `score` as float64, without missing rows.

    Raises:
        DataError: If the two are not about the same rows, in the same order.
        UndefinedMetricError: If a column is not numeric or is infinite, or if no row is left.
    """
    hits, scores = paired_numbers(is_target, score)
    return hits != 0, scores


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
