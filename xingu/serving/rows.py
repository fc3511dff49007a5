"""Turn rows of a request into the frame that a Model expects, and its estimations into JSON.

A row is checked against the signature of the train: names and dtypes of the features, and whether
a feature had missing values. All mismatches are reported at once. Nothing is guessed: a text is no
number, and a number is no truth value.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from pandas.api.types import pandas_dtype

from xingu.errors import DataError, InvalidRowsError, did_you_mean
from xingu.model import Model

Missing = Literal["as trained", "allow", "refuse"]
"""Where a value may be null: in features that had missing values in training; in all that can hold
them; nowhere."""

SHOWN = 3
"""Number of rows that a problem names."""


def frame_of(
    model: Model, rows: Sequence[Mapping[str, Any]], missing: Missing = "as trained"
) -> pd.DataFrame:
    """Return rows of JSON as a frame with the features and dtypes of the training.

    Args:
        model: A Model that was loaded.
        rows: A value for each feature of `model.signature().features`, by name; null and NaN are
            missing values, dates are texts in the format of ISO 8601.
        missing: Where values may be missing. Whole numbers and truth values never may.

    Returns:
        A frame with a row for each of `rows`, numbered from 0.

    Raises:
        InvalidRowsError: If any row does not fit; `facts["problems"]` lists everything.
    """
    features = model.signature().features
    problems = [*_wrong_names(features, rows)]
    columns: dict[str, pd.Series] = {}
    for name in (name for name in features if all(name in row for row in rows)):
        values = [_known(row[name]) for row in rows]
        try:
            columns[name] = _column(values, features[name], _may_miss(model, name, missing))
        except _WrongValuesError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise InvalidRowsError(
            f"{model.id}: {len(problems)} problems in {len(rows)} rows: {'; '.join(problems)}.",
            problems=problems,
        )
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))


def estimations_of(model: Model, frame: pd.DataFrame) -> list[Any]:
    """Estimate the rows of a frame; return JSON types.

    Returns:
        The estimation of each row, in order: a number, a label, or the probability of the class
        that metrics are of; see `Model.estimation_of`. None where it is NaN or infinite, and for
        rows that hooks of the DataProvider have dropped.

    Raises:
        HookError: If a hook raises.
        DataError: If hooks have changed the index, so that rows cannot be told apart.
    """
    estimated = model.estimation_of(model.estimate(frame))
    if not estimated.index.is_unique or len(estimated.index.difference(frame.index)):
        raise DataError(
            f"{model.id}: the predict hooks change the index, so estimations cannot be assigned "
            "to rows; keep the index of the data."
        )
    return [_json(value) for value in estimated.reindex(frame.index).tolist()]


class _WrongValuesError(ValueError):
    """Values of a column that do not fit."""


def _wrong_names(features: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for name in features:
        absent = [number for number, row in enumerate(rows) if name not in row]
        if absent:
            where = "" if len(absent) == len(rows) else f" in {_rows(absent)}"
            yield f"{name}: missing{where}"
    unknown = dict.fromkeys(name for row in rows for name in row if name not in features)
    for name in unknown:
        yield f"{name}: no feature of this model.{did_you_mean(name, features)}"


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _may_miss(model: Model, name: str, missing: Missing) -> bool:
    if missing != "as trained":
        return missing == "allow"
    known = model.reference.features.get(name) if model.reference else None
    return known is None or known.missing > 0


def _column(values: list[Any], dtype: str, may_miss: bool) -> pd.Series:
    """Return values as a column of a dtype.

    Raises:
        _WrongValuesError: If any does not fit.
    """
    kind, target = _kind(dtype), cast(Any, dtype)
    holds_missing = kind not in "iub" or dtype[0].isupper() or dtype == "boolean"
    absent = [number for number, value in enumerate(values) if value is None]
    if absent and not (may_miss and holds_missing):
        raise _WrongValuesError(f"null in {_rows(absent)}, which had no missing values in training")
    fits, expected = _FITS.get(kind, (lambda _: True, ""))
    wrong = [number for number, value in enumerate(values) if value is not None and not fits(value)]
    if wrong:
        found = ", ".join(repr(values[number])[:40] for number in wrong[:SHOWN])
        raise _WrongValuesError(f"{_rows(wrong)} should have {expected}, not {found}")
    try:
        if kind == "M":
            return pd.Series([pd.Timestamp(value) for value in values]).astype(target)
        with np.errstate(over="ignore"):
            column = pd.Series(values, dtype=object).astype(target)
    except (TypeError, ValueError, OverflowError) as error:
        raise _WrongValuesError(f"cannot be read as {dtype} ({error})") from error
    if kind == "f" and np.isinf(column.to_numpy(float, na_value=np.nan)).any():
        raise _WrongValuesError(f"cannot be read as {dtype} (a number is too large)")
    return column


def _kind(dtype: str) -> str:
    """Return the kind of a dtype as numpy has it; ``S`` for texts, empty if it is not known."""
    try:
        found: Any = pandas_dtype(cast(Any, dtype))
    except TypeError:
        return ""
    return "S" if isinstance(found, pd.StringDtype) else found.kind


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and value == int(value)


def _is_date(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return not pd.isna(pd.Timestamp(value))
    except ValueError:
        return False


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


_FITS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "f": (_is_number, "a finite number"),
    "i": (_is_whole, "a whole number"),
    "u": (lambda value: _is_whole(value) and value >= 0, "a whole number from 0"),
    "b": (lambda value: isinstance(value, bool), "true or false"),
    "M": (_is_date, "a date (ISO 8601)"),
    "S": (lambda value: isinstance(value, str), "a text"),
    "O": (_is_scalar, "a text, a number, or true or false"),
}
"""The type of JSON for each kind of dtype."""


def _rows(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:SHOWN]))
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return f"row{'s' if len(numbers) > 1 else ''} {shown}{more}"


def _json(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) else str(value)
