"""Estimate only the new and changed rows of a batch, and keep the other estimations.

A row is recognized by its key, and is unchanged if the fingerprint of its features is the same. A
kept estimation is correct only if the estimation of a row does not depend on the other rows.
Therefore a sample of kept rows is estimated again, together with the changed rows, and compared.
"""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_object_dtype
from pandas.util import hash_pandas_object

from xingu.errors import DataError, DeclarationError
from xingu.model import Model
from xingu.provider.incremental import Incremental
from xingu.stages.batch import estimate_rows

FINGERPRINT = "xingu_fingerprint"
TOLERANCE = 1e-9
"""Largest relative difference of two estimations of one row."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Numbers of rows of a batch, compared with the one before.

    Attributes:
        new: Rows with a new key.
        changed: Rows whose features have changed.
        deleted: Rows of the batch before that are not there any more.
        kept: Rows whose estimation was kept.
        verified: Kept rows that were estimated again, and were equal.
    """

    new: int
    changed: int
    deleted: int
    kept: int
    verified: int


@dataclass(frozen=True, slots=True)
class Estimated:
    """Estimations of a batch.

    Attributes:
        estimations: As of `estimate_rows`, indexed as the features.
        memory: The estimations by key, with the fingerprints of their rows: `earlier` of the next
            batch.
        changes: Numbers of rows.
    """

    estimations: pd.DataFrame
    memory: pd.DataFrame
    changes: Changes


def basis_of(model: Model, code_version: str, features: pd.DataFrame, how: Incremental) -> str:
    """Return a digest of what has to be the same, so that estimations can be kept."""
    columns = [(str(name), str(kind)) for name, kind in features.dtypes.items()]
    parts = (model.train_id, code_version, columns, how.key, pd.__version__)
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def estimate_changes(
    model: Model,
    features: pd.DataFrame,
    earlier: pd.DataFrame | None,
    how: Incremental,
    seed: int,
) -> Estimated:
    """Estimate the rows that are new or have changed.

    Args:
        model: The Model.
        features: Features of all rows.
        earlier: `memory` of the batch before with the same basis; None: there is none.
        how: How rows are recognized, and how many are verified.
        seed: Seed of the sample; another one for each run, so that each run verifies other rows.

    Raises:
        DataError: If the key does not identify the rows.
        DeclarationError: If the estimation of a kept row is not what it was.
    """
    keys, prints = _keys(model, features, how), _fingerprints(features)
    at = np.full(len(features), -1) if earlier is None else earlier.index.get_indexer(keys)
    known = at >= 0
    kept = known.copy()
    if earlier is not None:
        kept[known] = earlier[FINGERPRINT].to_numpy()[at[known]] == prints[known]
    generator = np.random.default_rng(seed)
    size = min(how.sample, int(kept.sum()))
    sample = np.sort(generator.choice(np.flatnonzero(kept), size, replace=False))
    again = ~kept
    again[sample] = True
    old = None
    if earlier is not None and kept.any():
        old = earlier.drop(columns=FINGERPRINT).iloc[at[kept]].set_axis(features.index[kept])
    if old is None:
        merged = _fresh(model, features)
    elif not again.any():
        merged = old
    else:
        fresh = _fresh(model, features[again])
        if not fresh.dtypes.equals(old.dtypes):
            return estimate_changes(model, features, None, how, seed)
        in_sample = np.isin(np.flatnonzero(again), sample)
        places = np.flatnonzero(kept)
        _verify(model, old[np.isin(places, sample)], fresh[in_sample])
        order = np.argsort(np.concatenate([places, np.flatnonzero(~kept)]), kind="stable")
        merged = pd.concat([old, fresh[~in_sample]]).iloc[order].set_axis(features.index)
    memory = merged.set_axis(keys).assign(**{FINGERPRINT: prints})
    before = 0 if earlier is None else len(earlier)
    changed = int((known & ~kept).sum())
    counts = (int((~known).sum()), changed, before - int(known.sum()), int(kept.sum()), size)
    return Estimated(merged, memory, Changes(*counts))


def _fresh(model: Model, features: pd.DataFrame) -> pd.DataFrame:
    """Estimate rows; refuse a result that has other rows, which could not be kept by row."""
    estimations = estimate_rows(model, features)
    if not estimations.index.equals(features.index):
        raise DeclarationError(
            f"{model.id}.batch_incremental: the predict hooks return {len(estimations)} rows for "
            f"{len(features)}, or others; let them return one for each row, or set "
            "batch_incremental = False.",
            dataprovider_id=model.id,
        )
    return estimations


def _keys(model: Model, features: pd.DataFrame, how: Incremental) -> pd.Index:
    """Return the key of each row."""
    rows = features.reset_index() if how.key else features
    if missing := [name for name in how.key if name not in rows]:
        raise DataError(
            f"{model.id}.batch_incremental['key']: the features of the batch have no "
            f"{', '.join(missing)}; they have {', '.join(map(str, rows))}.",
            dataprovider_id=model.id,
        )
    keys = pd.MultiIndex.from_frame(rows[[*how.key]]) if how.key else features.index
    has_missing = rows[[*how.key]].isna().to_numpy().any() if how.key else features.index.hasnans
    if has_missing or not keys.is_unique:
        name = ", ".join(how.key) or "the index of batch/features"
        raise DataError(
            f"{model.id}.batch_incremental: {name} does not identify the rows: there are missing "
            "or repeated values; declare a `key` that does.",
            dataprovider_id=model.id,
        )
    return keys


def _fingerprints(features: pd.DataFrame) -> np.ndarray:
    """Return a hash of the features of each row, without the index."""
    plain = features.set_axis(range(features.shape[1]), axis=1)
    for name in plain:
        if is_object_dtype(plain[name]) and infer_dtype(plain[name], skipna=False) != "string":
            plain[name] = plain[name].map(repr)  # else 1 and "1" would have the same hash
    return hash_pandas_object(plain, index=False).to_numpy()


def _verify(model: Model, kept: pd.DataFrame, again: pd.DataFrame) -> None:
    """Raise a DeclarationError if rows have another estimation than the kept one."""
    same = np.ones(len(kept), dtype=bool)
    for name in kept:
        one, other = kept[name], again[name]
        if one.dtype.kind in "fiu":
            same &= np.isclose(one, other, rtol=TOLERANCE, atol=0, equal_nan=True)
        else:
            same &= ((one == other) | (one.isna() & other.isna())).to_numpy()
    if same.all():
        return
    first = int(np.flatnonzero(~same)[0])
    (row,) = kept.index[[first]].tolist()  # in Python's own types
    raise DeclarationError(
        f"{model.id}.batch_incremental: {int((~same).sum())} of {len(kept)} rows that have not "
        f"changed were estimated again, and differ: the row {row!r} had "
        f"{kept.iloc[first].to_dict()} and has {again.iloc[first].to_dict()}. So the estimation of "
        "a row depends on other rows, or on chance. Let the predict hooks and the Estimator work "
        "row by row (move what is computed over all rows into a hook of the train or into "
        "last_pre_process_for_batch_predict), or set batch_incremental = False.",
        dataprovider_id=model.id,
    )
