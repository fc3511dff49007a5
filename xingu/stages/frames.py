"""Refuse frames whose columns or index cannot be trained on, estimated or stored.

These conditions hold in any case; checks of data that users may relax are in `xingu.checks.data`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError
from xingu.provider.base import DataProvider


def require_usable(
    provider: DataProvider, frames: Mapping[str, pd.DataFrame], columns: Iterable[str]
) -> None:
    """Refuse frames with a declared column twice, or with a missing index value.

    Args:
        provider: The DataProvider.
        frames: Frames by asset or set, for errors.
        columns: Columns that training or estimating takes from the frames.

    Raises:
        DataError: If a frame has one of `columns` more than once, or no value in its index.
    """
    used = set(columns)
    for name, frame in frames.items():
        doubled = [one for one in frame.columns[frame.columns.duplicated()].unique() if one in used]
        if doubled:
            raise DataError(
                f"{provider.id}/{name}: the data has two columns called "
                f"{', '.join(map(repr, doubled))}; rename or drop one, in the query of its source "
                "(SELECT a.*, b.x AS b_x) or in clean_data_for_train.",
                dataprovider_id=provider.id,
                columns=doubled,
            )
        unknown = (
            0 if isinstance(frame.index, pd.MultiIndex) else np.count_nonzero(frame.index.isna())
        )
        if unknown:
            index = "the index" if frame.index.name is None else f"the index {frame.index.name!r}"
            raise DataError(
                f"{provider.id}/{name}: {index} is missing in {unknown} of {len(frame)} rows; rows "
                "are identified by it. Drop those rows in clean_data_for_train, or set another "
                "index.",
                dataprovider_id=provider.id,
            )


def declared_columns(provider: DataProvider, *, split: bool) -> list[str]:
    """Return the names of features, target and weight.

    Args:
        provider: The DataProvider.
        split: Whether rows were split: hooks that return features may need what that has learned.

    Raises:
        DeclarationError: If a name is not a text.
    """
    declared = {
        "x_features": provider.get_features_list() if split else provider.x_features,
        "x_estimator_features": (
            provider.get_estimator_features_list() if split else provider.x_estimator_features
        ),
        "y": [provider.get_target() if split else provider.y],
        "sample_weight": [provider.sample_weight],
    }
    names = {
        key: [one for one in names or () if one is not None] for key, names in declared.items()
    }
    wrong = {
        key: [repr(one) for one in found if not isinstance(one, str)]
        for key, found in names.items()
    }
    texts = [
        f"{provider.id}.{key} names {', '.join(found)}" for key, found in wrong.items() if found
    ]
    if texts:
        raise DeclarationError(
            f"{'; '.join(texts)}: names of columns are texts. {_numbered(provider)}",
            dataprovider_id=provider.id,
        )
    return [name for found in names.values() for name in found]


def _numbered(provider: DataProvider) -> str:
    """Return what to do about columns that are called 0, 1, 2."""
    sources: Mapping[str, Any] = provider.train_dataset_sources
    params = {name: entry.get("params") or {} for name, entry in sources.items()}
    headless = [
        repr(name)
        for name, one in params.items()
        if one.get("header", 0) is None and "names" not in one
    ]
    which = f"of {', '.join(headless)} " if headless else ""
    return (
        f"The columns {which}are numbers if the file has no header: give the source `params` "
        "names=[…], or rename them in clean_data_for_train."
    )
