"""Turn the columns of a frame into numbers, the same way in training and in prediction.

Its one idea: what a column is, number or category, is learned once from the training set; the
categories seen there keep their codes for ever, and everything else is missing. It knows no
algorithm.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError
from xingu.estimators.frames import select_features
from xingu.estimators.stored import index_from_json, index_to_json

NUMBERS = {"boolean", "floating", "integer", "decimal", "mixed-integer-float", "empty"}


class ColumnEncoder:
    """Remembers which features are categories, and their codes.

    Attributes:
        features: The features in the order of fitting.
        categories: The categories of each feature that has some, in the order of their codes.
        ordered: The features whose categories have an order, so that their codes are quantities.
    """

    def __init__(self, features: Sequence[str], owner: str) -> None:
        self.features = pd.Index(features)
        self.owner = owner
        self.categories: dict[str, pd.Index] = {}
        self.ordered: set[str] = set()

    def learn(self, frame: pd.DataFrame) -> "ColumnEncoder":
        """Learn from the training set what its columns are.

        Raises:
            DataError: If a column is neither numbers nor categories; it is named.
        """
        for name, column in select_features(frame, self.features, self.owner).items():
            if isinstance(column.dtype, pd.CategoricalDtype):
                self.categories[str(name)] = column.dtype.categories
                if column.dtype.ordered:
                    self.ordered.add(str(name))
            elif not self._is_numeric(column):
                known = pd.Index(column.dropna().unique())
                self.categories[str(name)] = known.sort_values()
        return self

    def as_json(self) -> dict[str, Any]:
        """Return what was learned, for `from_json`."""
        return {
            "features": index_to_json(self.features, f"{self.owner}: the name of a feature"),
            "categories": {
                name: index_to_json(known, f"{self.owner}: a category of {name!r}")
                for name, known in self.categories.items()
            },
            "ordered": sorted(self.ordered),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], owner: str) -> "ColumnEncoder":
        """Return an encoder that has learned what `as_json` returned."""
        encoder = cls((), owner)
        encoder.features = index_from_json(stored["features"])
        encoder.categories = {
            name: index_from_json(known) for name, known in stored["categories"].items()
        }
        encoder.ordered = {*stored["ordered"]}
        return encoder

    @property
    def unordered(self) -> list[str]:
        """The features that an algorithm must take for categories."""
        return [name for name in self.categories if name not in self.ordered]

    def arrays(self, frame: pd.DataFrame) -> Iterator[np.ndarray]:
        """Yield the numbers of each feature, NaN where missing, without copying plain numbers.

        Raises:
            MissingColumnError: If features are not in `frame`.
            DataError: If a column is not what it was in training; it is named.
        """
        for name, column in select_features(frame, self.features, self.owner).items():
            yield self._codes(column) if name in self.categories else self._numbers(column)

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Return all features as float64, shape (rows, features); a view where that is possible."""
        frame = select_features(frame, self.features, self.owner)
        if not self.categories and all(_is_plain(dtype) for dtype in frame.dtypes):
            return frame.to_numpy(dtype=np.float64)
        numbers = np.empty(frame.shape, dtype=np.float64)
        for position, values in enumerate(self.arrays(frame)):
            numbers[:, position] = values
        return numbers

    def _codes(self, column: pd.Series) -> np.ndarray:
        known = self.categories[str(column.name)]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy()
            if not column.dtype.categories.equals(known):
                # One look-up for each category, not for each row; the last place is for missing.
                translated = known.get_indexer(column.dtype.categories)
                codes = np.append(translated, -1)[codes]
        else:
            try:
                codes = known.get_indexer(pd.Index(column))
            except TypeError as error:
                raise self._unusable(column, "its values cannot be categories") from error
        # Floats, because a missing category is NaN; they are exact up to 16 million categories.
        numbers = codes.astype(np.float32)
        numbers[codes < 0] = np.nan
        return numbers

    def _numbers(self, column: pd.Series) -> np.ndarray:
        dtype = column.dtype
        if _is_plain(dtype):
            return column.to_numpy()
        if not self._is_numeric(column):
            raise self._unusable(column, "it was numbers in training")
        if dtype == np.float16:
            return column.to_numpy(dtype=np.float32)
        return column.to_numpy(dtype=np.float64, na_value=np.nan)

    def _is_numeric(self, column: pd.Series) -> bool:
        """Whether `column` is numbers; otherwise its values are categories.

        Raises:
            DataError: If it is neither.
        """
        dtype = column.dtype
        if pd.api.types.is_complex_dtype(dtype):
            raise self._unusable(column, "an algorithm cannot use complex numbers")
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
            return True
        if isinstance(dtype, pd.StringDtype):
            return False
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if kind in NUMBERS:
            return True
        if kind == "string":
            return False
        advice = "make it numbers or text in feature_engineering_for_train"
        if kind in {"datetime64", "datetime", "date", "time", "timedelta64", "timedelta", "period"}:
            advice = "derive numbers from it in feature_engineering_for_train, for example the hour"
        raise self._unusable(column, f"it holds {kind} values; {advice}")

    def _unusable(self, column: pd.Series, reason: str) -> DataError:
        return DataError(
            f"{self.owner}: cannot use the feature {column.name!r} of type {column.dtype}: "
            f"{reason}.",
            column=column.name,
            dtype=str(column.dtype),
        )


def booster_names(features: Iterable[Any]) -> list[str]:
    """Return different names for `features` without characters that some library refuses."""
    names: list[str] = []
    for feature in features:
        name = re.sub(r'[\s",:\[\]{}<]', "_", str(feature))
        names.append(name if name not in names else f"{name}_{len(names)}")
    return names


def _is_plain(dtype: object) -> bool:
    """Whether values of `dtype` are numbers that any algorithm takes as they are."""
    return isinstance(dtype, np.dtype) and (
        dtype.kind in "biu" or dtype in (np.dtype(np.float32), np.dtype(np.float64))
    )
