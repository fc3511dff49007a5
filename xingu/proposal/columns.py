"""Measure the columns of a table: kind, missing values, distinct values, text to be converted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["number", "yes/no", "text", "date", "empty", "other"]

PLACEHOLDERS = 0.05
"""Largest share of texts that are no number or date where the others are."""
MAX_EXACT = 2**53
"""Integers from here on are not exact as float64, which estimators calculate with."""
_NUMBER = re.compile(r"\s*[+-]?(\d{1,3}(,\d{3})+|\d+|(?=\.\d))(\.\d*)?([eE][+-]?\d+)?\s*")
_CODE = re.compile(r"\s*0\d+\s*")
_ZONE = re.compile(r":\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$")
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y")
_FORMATS = ("ISO8601", *(f"{day}{time}" for day in _DAYS for time in ("", " %H:%M", " %H:%M:%S")))
_INFERRED: Mapping[str, Kind] = {
    "string": "text", "empty": "empty", "boolean": "yes/no", "date": "date", "datetime": "date",
    "integer": "number", "floating": "number", "decimal": "number",
    "mixed-integer-float": "number",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conversion:
    """Conversion of a column to numbers, dates or texts.

    Attributes:
        kind: ``number``, ``date`` or ``text``.
        commas: Of numbers: whether commas separate thousands.
        finite: Of numbers: whether infinite ones become missing.
        format: Of dates: their format; empty where they are dates already, but not of pandas.
        utc: Of dates: whether they have time zones.
    """

    kind: Literal["number", "date", "text"]
    commas: bool = False
    finite: bool = False
    format: str = ""
    utc: bool = False

    def apply(self, values: pd.Series) -> pd.Series:
        """Return the converted values, missing where they cannot be."""
        if self.kind == "text":
            return values.astype("string")
        if self.kind == "number":
            if self.commas:
                values = values.astype("string").str.replace(",", "")
            numbers = pd.to_numeric(values, errors="coerce")
            return numbers.where(numbers.abs() < np.inf) if self.finite else numbers
        return pd.to_datetime(values, errors="coerce", utc=self.utc, format=self.format or None)


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its measures.

    Attributes:
        name: Its name.
        kind: Kind of its values, after the conversion.
        type_name: Its type, for people.
        rows: Number of rows.
        missing: Number of missing values.
        distinct: Number of distinct values.
        values: The values, converted.
        whole: Whether all numbers are whole.
        conversion: How it was converted; None: it was not.
    """

    name: str
    kind: Kind
    type_name: str
    rows: int
    missing: int
    distinct: int
    values: pd.Series = field(repr=False)
    whole: bool = False
    conversion: Conversion | None = None

    @property
    def known(self) -> int:
        """Number of values that are not missing."""
        return self.rows - self.missing

    @property
    def unique(self) -> bool:
        """Whether every row has another value."""
        return self.missing == 0 and self.distinct == self.rows

    @property
    def wide(self) -> bool:
        """Whether there are integers that float64 cannot hold exactly."""
        if not (self.whole and self.known):
            return False
        known = self.values.dropna()
        return max(abs(int(known.max())), abs(int(known.min()))) > MAX_EXACT

    @property
    def times_of_day(self) -> bool:
        """Whether dates have a time other than midnight."""
        known = self.values.dropna()
        return bool((known != known.dt.normalize()).any())


def describe(frame: pd.DataFrame) -> list[Column]:
    """Measure each column whose name is a text and occurs once."""
    names = [name for name in frame.columns if isinstance(name, str) and name]
    return [_describe(name, frame[name]) for name in names if names.count(name) == 1]


def unusable_names(frame: pd.DataFrame) -> list[Any]:
    """Return the names of columns that are empty, no text, or occur more than once."""
    columns = list(frame.columns)
    return [name for name in dict.fromkeys(columns)
            if not isinstance(name, str) or not name or columns.count(name) > 1]  # fmt: skip


def _describe(name: str, values: pd.Series) -> Column:
    kind, conversion, shown = _kind(values)
    if kind == "number":
        numbers = (conversion or Conversion("number")).apply(values)
        if np.isinf(numbers.to_numpy(dtype=np.float64, na_value=np.nan)).any():
            conversion = replace(conversion or Conversion("number"), finite=True)
    if conversion is not None:
        values = conversion.apply(values)
    missing, distinct = int(values.isna().sum()), 0 if kind == "other" else int(values.nunique())
    if kind != "other" and not distinct:
        kind = "empty"
    whole = kind == "number" and _whole(values)
    shown = shown or ("integer" if whole else kind)
    return Column(name, kind, shown, len(values), missing, distinct, values, whole, conversion)


def _kind(values: pd.Series) -> tuple[Kind, Conversion | None, str]:
    """Return the kind of a column, its conversion, and its type for people if it is special."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        kind, _, _ = _kind(pd.Series(dtype.categories))
        usable = kind in ("text", "number", "yes/no")
        return ("text", None, "category") if usable else ("other", None, "category")
    if pd.api.types.is_bool_dtype(dtype):
        return "yes/no", None, ""
    if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind == "M":
        return "date", None, ""
    if pd.api.types.is_numeric_dtype(dtype) and dtype.kind != "c":
        return ("number" if values.notna().any() else "empty"), None, ""
    if not pd.api.types.is_object_dtype(dtype) and not isinstance(dtype, pd.StringDtype):
        return "other", None, str(dtype)
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    kind = _INFERRED.get(inferred, "other")
    if kind == "text":
        return _kind_of_texts(values)
    if kind == "date":
        return "date", Conversion("date"), ""
    if inferred == "decimal":
        return "number", Conversion("number"), ""
    return kind, None, "" if kind != "other" else _held(values, inferred)


def _held(values: pd.Series, inferred: str) -> str:
    types = sorted({type(value).__name__ for value in values.dropna().head(1000)})
    return f"mixed {', '.join(types[:3])}" if len(types) > 1 else (*types, inferred)[0]


def _kind_of_texts(values: pd.Series) -> tuple[Kind, Conversion | None, str]:
    counts = values.value_counts()
    texts: Sequence[str] = list(counts.index)
    if not texts:
        return "empty", None, ""
    needed = (1 - PLACEHOLDERS) * counts.sum()
    numbers = [text for text in texts if _NUMBER.fullmatch(text)]
    if counts[numbers].sum() >= needed and not _are_codes(numbers):
        commas = any("," in text for text in numbers)
        return "number", Conversion("number", commas=commas), "number as text"
    dated = [text for text in texts if re.search(r"\d[-/.]\d", text)]
    if counts[dated].sum() >= needed:
        for format_ in _FORMATS:
            utc = format_ == "ISO8601" and any(map(_ZONE.search, dated))
            conversion = Conversion("date", format=format_, utc=utc)
            parsed = conversion.apply(pd.Series(texts, index=texts, dtype="object"))
            if counts[parsed.notna().to_numpy()].sum() >= needed:
                return "date", conversion, "date as text"
    return "text", None, ""


def _are_codes(numbers: Sequence[str]) -> bool:
    """Return whether numbers are codes: with a leading zero, or all of the same many digits."""
    if any(_CODE.fullmatch(text) for text in numbers):
        return True
    lengths = {len(text) for text in numbers}
    return len(lengths) == 1 and lengths.pop() >= 4 and all(map(str.isdigit, numbers))


def _whole(values: pd.Series) -> bool:
    if pd.api.types.is_integer_dtype(values.dtype):
        return True
    known = values.dropna()
    if known.dtype == object:
        return all(isinstance(value, int) for value in known)
    known = known.astype(float)
    return bool(len(known)) and bool(((known % 1) == 0).all())
