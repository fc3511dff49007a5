"""Refuse data that a Model cannot be trained on or estimate, before time is spent on it.

Conditions that users may relax are checks with `refuses` (`xingu.checks`), which are computed here
as well; all other conditions are errors in any case.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from xingu.checks.catalog import planned_checks
from xingu.checks.check import AssetPath, Checks
from xingu.errors import CheckFailedError, DataError, EmptySourceError, HookError
from xingu.provider.base import DataProvider
from xingu.provider.classes import estimated_class, labels_of


def refuse_failed(
    provider: DataProvider, asset: AssetPath, subject: Any, checks: Checks | None = None
) -> None:
    """Refuse a value that fails a check of severity ``error`` which refuses values.

    Args:
        provider: The DataProvider.
        asset: The asset that the value is of.
        subject: The subject of its checks; see `xingu.checks.subjects`.
        checks: Checks by name; None: as the DataProvider configures them.

    Raises:
        CheckFailedError: If one failed; `facts["outcomes"]` has the failed outcomes by check.
    """
    planned = planned_checks(str(provider.id), provider.checks) if checks is None else checks
    outcomes = {
        name: check.run(lambda: subject)
        for name, check in planned.items()
        if check.refuses and check.severity == "error" and asset in check.assets
    }
    failed = {name: one for name, one in outcomes.items() if not one.passed and one.conclusive}
    if failed:
        texts = " ".join(f"{name}: {one.text}" for name, one in failed.items())
        raise CheckFailedError(
            f"{provider.id}/{'/'.join(asset)}: {texts}",
            dataprovider_id=provider.id,
            outcomes=failed,
        )


def require_rows(frame: pd.DataFrame, where: str) -> None:
    """Refuse a frame without rows.

    Raises:
        EmptySourceError: If the frame has no rows.
    """
    if frame.empty:
        raise EmptySourceError(
            f"{where} has no rows ({len(frame.columns)} columns); look at its sources, and at what "
            "the hook drops.",
            where=where,
        )


def require_sets(provider: DataProvider, sets: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a split without the set `train`, or with an empty set.

    Raises:
        HookError: If there is no set `train`.
        DataError: If a set is empty.
    """
    where = f"{provider.id}.data_split_for_train"
    if "train" not in sets:
        raise HookError(f"{where} returned the sets {list(sets)}; one must be called 'train'.")
    for name, frame in sets.items():
        if frame.empty:
            raise DataError(f"{where}: the set {name!r} is empty; leave it out, or give it rows.")


def require_learnable(provider: DataProvider, train: pd.DataFrame) -> None:
    """Refuse declarations and a target that no estimator can learn from.

    Raises:
        DataError: If target or features are not declared, features repeat or hold the target, or
            the target of the set `train` is missing or constant.
        DeclarationError: If a classifier has no class `proba_class_index`.
    """
    _check_features(provider)
    target = provider.get_target()
    if not target:
        raise DataError(
            f"{provider.id}.y: no target column is declared.", dataprovider_id=provider.id
        )
    if target not in train:  # the check `declared_columns` was switched off
        return
    values = train[target]
    if len(values) == 1:
        raise DataError(f"{provider.id}: the set 'train' has one row; two or more are needed.")
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
    if provider.proba_class_index is not None and provider.is_classifier():
        estimated_class(provider, labels_of((), values), values)


def _check_features(provider: DataProvider) -> None:
    features = list(provider.get_estimator_features_list())
    declared = "x_estimator_features" if provider.x_estimator_features else "x_features"
    where = f"{provider.id}.{declared}"
    if not features:
        raise DataError(f"{where}: no features are declared.", dataprovider_id=provider.id)
    doubled = sorted({name for name in features if features.count(name) > 1})
    if doubled:
        names = ", ".join(map(repr, doubled[:3]))
        raise DataError(f"{where} names {names} twice.", dataprovider_id=provider.id)
    if provider.get_target() in features:
        raise DataError(f"{where} holds the target {provider.get_target()!r}; take it out.")
