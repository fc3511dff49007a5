"""What columns looked like in training, small enough to be packaged with the Model.

Its one idea: a batch is compared with bins, categories and extremes that the Model brings along, so
that no training row has to be kept or read again. Knows pandas only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

BINS = 10
"""Bins of a number: deciles of the training rows, fewer where values repeat."""
MAX_CATEGORIES = 100
"""Categories that are kept with their shares; rarer ones are pooled."""
SAMPLE_ROWS = 20_000
"""Rows that bins and shares are measured on; extremes and missing values are of all rows."""

Kind = Literal["numeric", "categorical"]


@dataclass(frozen=True, slots=True)
class FeatureReference:
    """One column of the training data. Values are JSON.

    Attributes:
        kind: Numbers, or categories (texts and `category`).
        rows: Rows that `shares` were measured on.
        missing: Share of missing values, in [0, 1].
        edges: Of numbers: ascending; bin i holds edges[i-1] < value <= edges[i], the last one what
            is above the last edge.
        categories: Of categories: the commonest first, as texts.
        shares: Share of each bin or category among the known values; the last one of categories is
            that of all others. They add up to 1.
        minimum: Smallest known number.
        maximum: Largest known number.
    """

    kind: Kind
    rows: int
    missing: float
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def complete(self) -> bool:
        """Whether `categories` are all that training has seen."""
        return self.kind == "categorical" and not (self.shares and self.shares[-1])

    @property
    def labels(self) -> list[str]:
        """A name for each of `shares`, for tables and plots."""
        if self.kind == "categorical":
            return [*self.categories, "(others)"]
        edges = [f"{edge:.4g}" for edge in self.edges]
        if not edges:
            return ["all"]
        between = [f"{low} – {high}" for low, high in pairwise(edges)]
        return [f"≤ {edges[0]}", *between, f"> {edges[-1]}"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a Model was trained on: its features by name, and what it estimated then.

    Attributes:
        features: Features of the estimator and of the outside world, in the set `train`.
        estimations: *The* estimation of each row of the best set to judge by (test, val, train).
    """

    features: Mapping[str, FeatureReference] = field(default_factory=dict)
    estimations: FeatureReference | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """Return what `as_dict` returned."""
        estimations = saved.get("estimations")
        return cls(
            {name: _revived(one) for name, one in saved.get("features", {}).items()},
            _revived(estimations) if estimations else None,
        )


def feature_reference(frame: pd.DataFrame, features: Iterable[str]) -> dict[str, FeatureReference]:
    """Return what the columns `features` of `frame` look like.

    Columns that are not there, repeat, or hold neither numbers nor texts (dates, lists) are left
    out.
    """
    chosen = sample(frame, SAMPLE_ROWS)
    described: dict[str, FeatureReference] = {}
    for name in dict.fromkeys(features):
        if name in frame and isinstance(frame[name], pd.Series):
            reference = column_reference(frame[name], chosen[name])
            if reference is not None:
                described[name] = reference
    return described


def column_reference(column: pd.Series, chosen: pd.Series | None = None) -> FeatureReference | None:
    """Return what `column` looks like; None: it holds neither numbers nor texts.

    Args:
        column: All rows.
        chosen: Those that bins and shares are measured on; None: a sample of `column`.
    """
    if is_numeric(column):
        return _of_numbers(column, sample(column, SAMPLE_ROWS) if chosen is None else chosen)
    texts = texts_of(column)
    return None if texts is None else _of_categories(texts)


def _of_numbers(column: pd.Series, chosen: pd.Series) -> FeatureReference:
    numbers, some = numbers_of(column), numbers_of(chosen)
    missing = float(np.isnan(numbers).mean()) if len(numbers) else 0.0
    numbers, some = numbers[np.isfinite(numbers)], some[np.isfinite(some)]
    if not len(some):
        return FeatureReference("numeric", len(chosen), missing)
    edges = np.unique(np.quantile(some, np.arange(1, BINS) / BINS, method="lower"))
    shares = np.bincount(np.searchsorted(edges, some), minlength=len(edges) + 1) / len(some)
    return FeatureReference(
        "numeric",
        len(chosen),
        missing,
        edges=tuple(edges.tolist()),
        shares=tuple(shares.tolist()),
        minimum=float(numbers.min()),
        maximum=float(numbers.max()),
    )


def _of_categories(texts: pd.Series) -> FeatureReference:
    # All rows: a rare category that the sample misses was seen in training all the same.
    counts = texts.value_counts()
    counts = counts[counts > 0]
    known = max(1, int(counts.sum()))
    kept, pooled = counts.iloc[:MAX_CATEGORIES], counts.iloc[MAX_CATEGORIES:]
    return FeatureReference(
        "categorical",
        len(texts),
        float(texts.isna().mean()) if len(texts) else 0.0,
        categories=tuple(map(str, kept.index)),
        shares=tuple(float(count) / known for count in (*kept, pooled.sum())),
    )


def shares_of(reference: FeatureReference, column: pd.Series) -> np.ndarray | None:
    """Return the shares of `column` in the bins or categories of `reference`.

    Returns:
        As `reference.shares`; all 0 if nothing is known. None: `column` is of another kind.
    """
    if reference.kind == "numeric":
        if not is_numeric(column):
            return None
        numbers = numbers_of(column)
        numbers = numbers[~np.isnan(numbers)]
        places = np.searchsorted(np.asarray(reference.edges), numbers)
        counts = np.bincount(places, minlength=len(reference.edges) + 1)
    else:
        texts = texts_of(column)
        if texts is None:
            return None
        by_name = texts.value_counts()
        by_name.index = by_name.index.astype(str)
        kept = by_name.reindex(list(reference.categories), fill_value=0).to_numpy()
        counts = np.append(kept, by_name.sum() - kept.sum())
    return counts / max(1, counts.sum())


def sample(frame: Any, rows: int, seed: int = 0) -> Any:
    """Return at most `rows` rows of a frame or column, the same ones each time, in their order."""
    if len(frame) <= rows:
        return frame
    chosen = np.random.default_rng(seed).choice(len(frame), rows, replace=False, shuffle=False)
    return frame.iloc[np.sort(chosen)]


def is_numeric(column: pd.Series) -> bool:
    """Return whether `column` holds numbers or booleans."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return False
    if column.dtype != object:
        return pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind != "c"
    kinds = {"boolean", "floating", "integer", "decimal", "mixed-integer-float"}
    return pd.api.types.infer_dtype(column, skipna=True) in kinds


def numbers_of(column: pd.Series) -> np.ndarray:
    """Return a numeric column as floats, NaN where missing."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def texts_of(column: pd.Series) -> pd.Series | None:
    """Return a column of categories; None: it holds neither texts nor categories."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype | pd.StringDtype):
        return column
    kinds = {"string", "empty"}
    return column if pd.api.types.infer_dtype(column, skipna=True) in kinds else None


def _revived(saved: Mapping[str, Any]) -> FeatureReference:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()
    }
    return FeatureReference(**values)
