"""Checks of input frames and construction of output frames, common to all Estimators."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError, MissingColumnError, UntrainedModelError, did_you_mean
from xingu.provider.estimator import ESTIMATION
from xingu.provider.protocols import ModelView

_ESTIMATION = pd.Index([ESTIMATION])


def select_features(data: pd.DataFrame, features: pd.Index, owner: str) -> pd.DataFrame:
    """Return the columns `features` of `data` in that order; `data` itself if it has no others.

    Raises:
        MissingColumnError: If columns are missing; all of them are named.
        DataError: If the name of one of `features` is not unique.
    """
    if data.columns.equals(features):
        return data
    if not data.columns.is_unique:
        names = data.columns[data.columns.duplicated()].unique()
        doubled = [name for name in names if name in features]
        if doubled:
            raise DataError(
                f"{owner}: the data has two columns called {', '.join(map(repr, doubled[:3]))}; "
                "rename or drop one.",
                columns=doubled,
            )
    missing = [name for name in features if name not in data.columns]
    if missing:
        unused = [str(name) for name in data.columns.difference(features, sort=False)]
        hints = "".join(did_you_mean(str(name), unused) for name in missing[:3])
        raise MissingColumnError(
            f"{owner}: the data lacks the features {', '.join(map(repr, missing))}; "
            f"it has {len(data.columns)} columns.{hints}",
            missing=missing,
        )
    return data.loc[:, list(features)]


def column_of(frame: pd.DataFrame, name: str, owner: str) -> pd.Series:
    """Return the target column.

    Raises:
        MissingColumnError: If it is missing.
        DataError: If its name is not unique.
    """
    if name not in frame.columns:
        raise MissingColumnError(f"{owner}: the data lacks the target {name!r}.", missing=[name])
    values = frame[name]
    if not isinstance(values, pd.Series):
        raise DataError(f"{owner}: the data has two columns called {name!r}; drop one.")
    return values


def training_set(datasets: Mapping[str, pd.DataFrame], target: str, owner: str) -> pd.DataFrame:
    """Return the set ``train`` if it has rows and no missing target.

    Raises:
        DataError: If it is missing or empty, or a target is missing.
        MissingColumnError: If it has no column `target`.
    """
    if "train" not in datasets or datasets["train"].empty:
        raise DataError(f"{owner}: the set 'train' is missing or empty; "
                        f"sets: {', '.join(datasets) or 'none'}.")  # fmt: skip
    train = datasets["train"]
    unknown = np.count_nonzero(column_of(train, target, owner).isna())
    if unknown:
        raise DataError(
            f"{owner}: the target {target!r} is missing in {unknown} of {len(train)} rows of "
            "'train'; drop them in clean_data_for_train.",
            target=target,
        )
    return train


def row_weights(
    frame: pd.DataFrame, model: ModelView | None, owner: str, times: np.ndarray | None = None
) -> np.ndarray | None:
    """Return the sample weights of a set, from the column that the DataProvider declares.

    Args:
        frame: The set.
        model: The Model that is trained; None: no column is declared.
        owner: Name of the Estimator, for errors.
        times: Other weights of the same rows, to multiply with.

    Returns:
        Weights of shape (n,); None: equal weights.

    Raises:
        MissingColumnError: If the column is missing.
        DataError: If a weight is missing, negative or infinite, or none is above 0.
    """
    name = model.dp.sample_weight if model is not None else None
    if not name:
        return times
    if name not in frame.columns:
        raise MissingColumnError(f"{owner}: the data lacks sample_weight {name!r}.", missing=[name])
    weights = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    if not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
        raise DataError(
            f"{owner}: sample_weight {name!r} must be a number of at least 0 in every row, and "
            "above 0 in some; fill it in clean_data_for_train.",
            column=name,
        )
    return weights if times is None else weights * times


def estimation_frame(values: Any, index: pd.Index) -> pd.DataFrame:
    """Return `values`, shape (n,), as a frame with the one column ``estimation``."""
    if isinstance(values, np.ndarray):  # 5 × faster than from a dict, which matters for one row
        return pd.DataFrame(values[:, np.newaxis], index=index, columns=_ESTIMATION)
    return pd.DataFrame({ESTIMATION: values}, index=index)


@cache
def _class_columns(count: int) -> pd.Index:
    return pd.Index([f"{ESTIMATION}_class_{number}" for number in range(count)])


def proba_frame(
    values: np.ndarray, index: pd.Index, class_index: int | None, owner: str
) -> pd.DataFrame:
    """Return columns ``estimation_class_0 …`` of `values`, shape (rows, classes).

    Raises:
        DataError: If `class_index` is out of range.
    """
    count = values.shape[1]
    names = _class_columns(count)
    if class_index is None:
        return pd.DataFrame(values, index=index, columns=names)
    if not 0 <= class_index < count:
        raise DataError(
            f"{owner}: there is no class_index {class_index}; use 0 to {count - 1} for the {count} "
            "learned classes.",
            class_index=class_index,
        )
    return pd.DataFrame({names[class_index]: values[:, class_index]}, index=index)


def importance_series(weights: Sequence[float] | np.ndarray, names: Iterable[Any]) -> pd.Series:
    """Return importances by feature, descending, scaled to a sum of 1 (unless all are 0)."""
    values = np.asarray(weights, dtype=float)
    total = values.sum()
    series = pd.Series(values / total if total else values, index=list(names), name="importance")
    return series.sort_values(ascending=False, kind="stable")


def not_fitted(owner: str) -> UntrainedModelError:
    """Return the error of an Estimator that predicts before it is fitted."""
    return UntrainedModelError(f"{owner}: not fitted yet; call fit first, or load a saved Model.")
