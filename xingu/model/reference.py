"""Distributions of columns in training, small enough to be packaged with the Model.

Bins, categories and extremes are enough to compare a batch with the training data, so no training
row has to be stored. The records are JSON in the manifest: fields need defaults for old packages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

EVALUATION_SETS = ("test", "val", "train")
"""Evaluation sets in order of preference: the first that exists is closest to unseen rows."""
BINS = 10
"""Number of bins of a numeric column: deciles, fewer if values repeat."""
MAX_CATEGORIES = 100
"""Number of categories with a share of their own; rarer ones are pooled."""
SAMPLE_ROWS = 20_000
"""Number of rows for bins and shares; extremes and missing values are of all rows."""

Kind = Literal["numeric", "categorical"]


@dataclass(frozen=True, slots=True)
class FeatureReference:
    """Distribution of one column of the training data; all values are JSON types.

    Attributes:
        kind: ``numeric``, or ``categorical`` (strings and `category`).
        rows: Number of rows that `shares` were measured on.
        missing: Share of missing values, in [0, 1].
        edges: Numeric: ascending edges; bin i holds edges[i-1] < value <= edges[i], the last bin
            the values above the last edge.
        categories: Categorical: categories as strings, most frequent first.
        shares: Shares of the bins or categories among the values that are not missing, with sum 1;
            after the categories follows the share of all others.
        minimum: Smallest finite number.
        maximum: Largest finite number.
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
        """Whether `categories` are all categories of the training data."""
        return self.kind == "categorical" and not (self.shares and self.shares[-1])

    @property
    def labels(self) -> list[str]:
        """Labels of `shares`, for tables and plots."""
        if self.kind == "categorical":
            return [*self.categories, "(others)"]
        edges = [f"{edge:.4g}" for edge in self.edges]
        if not edges:
            return ["all"]
        between = [f"{low} – {high}" for low, high in pairwise(edges)]
        return [f"≤ {edges[0]}", *between, f"> {edges[-1]}"]


@dataclass(frozen=True, slots=True)
class Reference:
    """Distributions of the features and of the estimations of a Model in training.

    Attributes:
        features: Features of the estimator and of the outside world in the set `train`, by name.
        estimations: Estimations of the first of the sets `test`, `val` and `train` that exists.
    """

    features: Mapping[str, FeatureReference] = field(default_factory=dict)
    estimations: FeatureReference | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types, as stored in a manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """Return the Reference whose `as_dict` is `saved`."""
        estimations = saved.get("estimations")
        return cls(
            {name: _from_json(one) for name, one in saved.get("features", {}).items()},
            _from_json(estimations) if estimations else None,
        )


def feature_reference(frame: pd.DataFrame, features: Iterable[str]) -> dict[str, FeatureReference]:
    """Return the distributions of columns of `frame`, by name.

    Columns are left out that do not exist, are duplicated, or contain neither numbers nor strings
    (dates, lists).
    """
    sampled = sample(frame, SAMPLE_ROWS)
    references: dict[str, FeatureReference] = {}
    for name in dict.fromkeys(features):
        if name in frame and isinstance(frame[name], pd.Series):
            reference = column_reference(frame[name], sampled[name])
            if reference is not None:
                references[name] = reference
    return references


def column_reference(
    column: pd.Series, sampled: pd.Series | None = None
) -> FeatureReference | None:
    """Return the distribution of a column; None if it contains neither numbers nor strings.

    Args:
        column: All rows.
        sampled: Rows for bins and shares; None for a sample of `column`.
    """
    if is_numeric(column):
        return _numeric(column, sample(column, SAMPLE_ROWS) if sampled is None else sampled)
    texts = texts_of(column)
    return None if texts is None else _categorical(texts)


def _numeric(column: pd.Series, sampled: pd.Series) -> FeatureReference:
    numbers, some = numbers_of(column), numbers_of(sampled)
    missing = float(np.isnan(numbers).mean()) if len(numbers) else 0.0
    numbers, some = numbers[np.isfinite(numbers)], some[np.isfinite(some)]
    if not len(some):
        return FeatureReference("numeric", len(sampled), missing)
    edges = np.unique(np.quantile(some, np.arange(1, BINS) / BINS, method="lower"))
    shares = np.bincount(np.searchsorted(edges, some), minlength=len(edges) + 1) / len(some)
    return FeatureReference(
        "numeric",
        len(sampled),
        missing,
        edges=tuple(edges.tolist()),
        shares=tuple(shares.tolist()),
        minimum=float(numbers.min()),
        maximum=float(numbers.max()),
    )


def _categorical(texts: pd.Series) -> FeatureReference:
    # Counted on all rows, because a sample may miss a rare category.
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
    """Return the shares of a column in the bins or categories of a reference.

    Args:
        reference: Bins or categories.
        column: Rows to count; missing values do not count.

    Returns:
        An array shaped as `reference.shares`, all 0 if every value is missing; None if `column` is
        of another kind.
    """
    if reference.kind == "numeric":
        if not is_numeric(column):
            return None
        numbers = numbers_of(column)
        numbers = numbers[~np.isnan(numbers)]
        bins = np.searchsorted(np.asarray(reference.edges), numbers)
        counts = np.bincount(bins, minlength=len(reference.edges) + 1)
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
    """Return at most `rows` random rows of a frame or column, in their order.

    The same rows are drawn for the same number of rows and `seed`.
    """
    if len(frame) <= rows:
        return frame
    chosen = np.random.default_rng(seed).choice(len(frame), rows, replace=False, shuffle=False)
    return frame.iloc[np.sort(chosen)]


def is_numeric(column: pd.Series) -> bool:
    """Return whether a column contains numbers or booleans."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return False
    if column.dtype != object:
        return pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind != "c"
    kinds = {"boolean", "floating", "integer", "decimal", "mixed-integer-float"}
    return pd.api.types.infer_dtype(column, skipna=True) in kinds


def numbers_of(column: pd.Series) -> np.ndarray:
    """Return a numeric column as float64, NaN where missing."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def texts_of(column: pd.Series) -> pd.Series | None:
    """Return `column` if it contains strings or categories, else None."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype | pd.StringDtype):
        return column
    kinds = {"string", "empty"}
    return column if pd.api.types.infer_dtype(column, skipna=True) in kinds else None


def _from_json(saved: Mapping[str, Any]) -> FeatureReference:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()
    }
    return FeatureReference(**values)
