"""Refuse data that cannot be trained on, before minutes are spent on it."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from xingu.errors import DataError, EmptySourceError, HookError
from xingu.provider.base import DataProvider
from xingu.provider.columns import require_columns


def check_rows(frame: pd.DataFrame, where: str) -> None:
    """Refuse a frame without rows.

    Raises:
        EmptySourceError: If there are none.
    """
    if frame.empty:
        raise EmptySourceError(
            f"{where} has no rows ({len(frame.columns)} columns); look at its sources, and at what "
            "the hook drops.",
            where=where,
        )


def check_index(frame: pd.DataFrame, where: str) -> None:
    """Refuse an index that names a row twice.

    Raises:
        DataError: If an index value is repeated; the message shows examples.
    """
    if not frame.index.is_unique:
        doubled = frame.index[frame.index.duplicated()].unique()
        raise DataError(
            f"{where} has a duplicate index: {_examples(doubled)} more than once "
            f"({len(doubled)} such values); estimations and sets are identified by it. "
            "Set a unique index in clean_data_for_train.",
            where=where,
        )


def check_sets(provider: DataProvider, sets: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a split that cannot be trained on or would flatter its metrics.

    Raises:
        DataError: If `train` is missing, a set is empty, or sets share rows.
        MissingColumnError: If a declared column is missing.
    """
    where = f"{provider.id}.data_split_for_train"
    if "train" not in sets:
        raise HookError(f"{where} returned the sets {list(sets)}; one must be called 'train'.")
    for name, frame in sets.items():
        if frame.empty:
            raise DataError(f"{where}: the set {name!r} is empty; leave it out, or give it rows.")
        check_index(frame, f"{where}: the set {name!r}")
    for (one, left), (other, right) in combinations(sets.items(), 2):
        shared = left.index.intersection(right.index)
        if len(shared):
            raise DataError(
                f"{where}: the sets {one!r} and {other!r} share {len(shared)} rows, for example "
                f"{_examples(shared)}; metrics would be too good. Give each row to one set.",
                sets=(one, other),
            )
    if not provider.hollow:
        _check_target(provider, sets)
        _check_features(provider, sets)


def _check_target(provider: DataProvider, sets: Mapping[str, pd.DataFrame]) -> None:
    target = provider.get_target()
    if not target:
        raise DataError(
            f"{provider.id}.y: no target column is declared.", dataprovider_id=provider.id
        )
    for name, frame in sets.items():
        require_columns(frame, [target], f"{provider.id}.y", f"the set {name!r}")
    values = sets["train"][target]
    known = values.dropna()
    if known.empty:
        raise DataError(f"{provider.id}.y: every {target!r} of the set 'train' is missing.")
    if known.iloc[0] == known.iloc[-1] and known.nunique() == 1:
        raise DataError(
            f"{provider.id}.y: {target!r} is {known.iloc[0]} in every row of the set 'train'; "
            "there is nothing to learn from a constant target."
        )
    if len(known) < len(values):
        raise DataError(
            f"{provider.id}.y: {target!r} is missing in {len(values) - len(known)} of "
            f"{len(values)} rows of the set 'train'; drop them in clean_data_for_train."
        )
    for name, frame in sets.items():
        _check_finite(frame, [target], f"{provider.id}.y", name)


def _check_features(provider: DataProvider, sets: Mapping[str, pd.DataFrame]) -> None:
    features = list(provider.get_estimator_features_list())
    declared = "x_estimator_features" if provider.x_estimator_features else "x_features"
    where = f"{provider.id}.{declared}"
    if not features:
        raise DataError(f"{where}: no features are declared.", dataprovider_id=provider.id)
    doubled = sorted({name for name in features if features.count(name) > 1})
    if doubled:
        raise DataError(f"{where} names {_examples(doubled)} twice.", dataprovider_id=provider.id)
    if provider.get_target() in features:
        raise DataError(f"{where} holds the target {provider.get_target()!r}; take it out.")
    for name, frame in sets.items():
        require_columns(frame, features, where, f"the set {name!r}")
        _check_finite(frame, features, where, name)


def _check_finite(frame: pd.DataFrame, columns: Sequence[str], where: str, name: str) -> None:
    for column in columns:
        values = frame[column]
        if values.dtype.kind != "f" or not isinstance(values.dtype, np.dtype):
            continue
        # One pass without a temporary of the frame's size: inf shows in the extremes.
        if np.isinf(values.max(skipna=True)) or np.isinf(values.min(skipna=True)):
            rows = frame.index[np.isinf(values.to_numpy())]
            raise DataError(
                f"{where}: {column!r} is infinite in {len(rows)} rows of the set {name!r}, for "
                f"example {_examples(rows)}; a division by zero? Make it NaN or a number.",
                column=column,
            )


def _examples(values: Sequence[object] | pd.Index) -> str:
    return ", ".join(repr(value) for value in list(values[:3]))
