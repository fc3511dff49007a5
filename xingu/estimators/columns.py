"""Encode the columns of a frame as numbers, identically in training and in prediction.

The training set decides whether a column is numeric or categorical, and which categories it has. A
category keeps its code, also if it arrives as another type; a category that is not in the training
set is encoded as missing.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError, did_you_mean
from xingu.estimators.frames import select_features
from xingu.estimators.stored import index_from_json, index_to_json
from xingu.model.categories import NO_EQUIVALENT, equivalents, kind_of

NUMBERS = {"boolean", "floating", "integer", "decimal", "mixed-integer-float", "empty"}


class ColumnEncoder:
    """Encoder of feature columns.

    Attributes:
        features: The features in the order of fitting.
        categories: Categories of each categorical feature, in the order of their codes.
        ordered: Features with ordered categories, whose codes are quantities.
    """

    def __init__(self, features: Sequence[str], owner: str) -> None:
        self.features = pd.Index(features)
        self.owner = owner
        self.categories: dict[str, pd.Index] = {}
        self.ordered: set[str] = set()

    def learn(self, frame: pd.DataFrame, categorical: Collection[Any] = ()) -> "ColumnEncoder":
        """Learn types and categories of the columns of the training set, and return `self`.

        Args:
            frame: The training set.
            categorical: Features whose values are categories without an order, also numbers.

        Raises:
            DataError: If a column is neither numeric nor categorical; it is named.
        """
        for name, column in select_features(frame, self.features, self.owner).items():
            if isinstance(column.dtype, pd.CategoricalDtype):
                self.categories[str(name)] = column.dtype.categories
                if column.dtype.ordered and name not in categorical:
                    self.ordered.add(str(name))
            elif not self._is_numeric(column) or name in categorical:
                known = pd.Index(column.dropna().unique())
                self.categories[str(name)] = known.sort_values()
        return self

    def as_json(self) -> dict[str, Any]:
        """Return the state as JSON values, for `from_json`."""
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
        """Return an encoder with the state that `as_json` returned."""
        encoder = cls((), owner)
        encoder.features = index_from_json(stored["features"])
        encoder.categories = {
            name: index_from_json(known) for name, known in stored["categories"].items()
        }
        encoder.ordered = {*stored["ordered"]}
        return encoder

    @property
    def unordered(self) -> list[str]:
        """Categorical features without an order, which algorithms must not treat as quantities."""
        return [name for name in self.categories if name not in self.ordered]

    def arrays(self, frame: pd.DataFrame) -> Iterator[np.ndarray]:
        """Yield each feature as numbers, NaN where missing; plain numbers are not copied.

        Raises:
            MissingColumnError: If features are missing.
            DataError: If a column has another type than in training; it is named.
        """
        for name, column in select_features(frame, self.features, self.owner).items():
            yield self._codes(column) if str(name) in self.categories else self._numbers(column)

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Return all features as float64, shape (rows, features); a view if possible."""
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
            codes, categories = column.cat.codes.to_numpy(), column.dtype.categories
            if not categories.equals(known):
                # One look-up per category instead of per row; code -1 (missing) is the last entry.
                used = np.zeros(len(categories) + 1, dtype=bool)
                used[codes] = True
                translated = self._translated(column, categories, known, used[:-1])
                codes = np.append(translated, -1)[codes]
        else:
            codes = self._translated(column, pd.Index(column), known)
        # float32, because missing is NaN; exact up to 16 million categories.
        numbers = codes.astype(np.float32)
        numbers[codes < 0] = np.nan
        return numbers

    def _translated(
        self,
        column: pd.Series,
        values: pd.Index,
        known: pd.Index,
        used: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the codes of values of `column`, -1 where missing or unseen.

        Raises:
            DataError: If a value has another type than all categories, and none of them stands for
                the same; where `used` is False, it does not matter.
        """
        try:
            codes = known.get_indexer(values)
        except TypeError as error:
            raise self._unusable(column, "its values cannot be categories") from error
        other = codes < 0 if used is None else (codes < 0) & used
        if not other.any():
            return codes
        other &= values.notna()
        places, distinct = pd.factorize(values[other])
        found = equivalents(distinct, known)
        if (found == NO_EQUIVALENT).any():
            value = distinct[found == NO_EQUIVALENT][0]
            raise self._unusable(
                column,
                f"its categories were of type {kind_of(known)} in training, and {value!r} stands "
                f"for none of them; read it as {kind_of(known)}, as in training",
            )
        codes[other] = found[places]
        return codes

    def _numbers(self, column: pd.Series) -> np.ndarray:
        dtype = column.dtype
        if _is_plain(dtype):
            return column.to_numpy()
        kind = kind_of(column)
        if kind not in {"number", "bool", "empty"}:
            raise self._unusable(
                column, f"it was numeric in training and holds {kind} now; convert it"
            )
        if isinstance(dtype, pd.CategoricalDtype):
            return column.astype(np.float64).to_numpy()
        if dtype == np.float16:
            return column.to_numpy(dtype=np.float32)
        return column.to_numpy(dtype=np.float64, na_value=np.nan)

    def _is_numeric(self, column: pd.Series) -> bool:
        """Return whether `column` is numeric; otherwise it is categorical.

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


def declared_features(declared: Any, features: Sequence[Any], where: str) -> list[Any]:
    """Return the features that a parameter such as LightGBM's `categorical_feature` names.

    Args:
        declared: A list of names or positions, one of them, ``"name:a,b"``, ``"a,b"`` or
            ``"0,1"``; None or ``"auto"``: none. A feature of that name comes before a position.
        features: All features, in the order of positions.
        where: Estimator and parameter, for errors.

    Raises:
        DeclarationError: If a name or position does not exist; all are named.
    """
    if declared is None or (isinstance(declared, str) and declared == "auto"):
        return []
    features, by_name = list(features), False
    if isinstance(declared, str) and declared not in features:
        by_name = declared.startswith("name:")
        declared = [one.strip() for one in declared.removeprefix("name:").split(",") if one.strip()]
    entries = [declared] if isinstance(declared, str | int | np.integer) else list(declared)
    found, wrong = [], []
    for entry in entries:
        if entry in features:
            found.append(entry)
        elif not by_name and str(entry).isdecimal() and int(entry) < len(features):
            found.append(features[int(entry)])
        else:
            wrong.append(entry)
    if wrong:
        others = [str(name) for name in features if name not in found]
        hints = "".join(did_you_mean(str(entry), others) for entry in wrong[:3])
        raise DeclarationError(
            f"{where} names {', '.join(map(repr, wrong))}, no feature of the estimator; the "
            f"features are {', '.join(map(str, features[:30]))}"
            f"{' …' if len(features) > 30 else ''}.{hints}",
            unknown=wrong,
        )
    return found


def booster_names(features: Iterable[Any]) -> list[str]:
    """Return unique names for `features`, without characters that a library rejects."""
    names: dict[str, None] = {}
    for feature in features:
        name = re.sub(r'[\s",:\[\]{}<]', "_", str(feature))
        while name in names:
            name = f"{name}_{len(names)}"
        names[name] = None
    return list(names)


def _is_plain(dtype: object) -> bool:
    """Return whether `dtype` is a numpy type that every library accepts without conversion."""
    return isinstance(dtype, np.dtype) and (
        dtype.kind in "biu" or dtype in (np.dtype(np.float32), np.dtype(np.float64))
    )
