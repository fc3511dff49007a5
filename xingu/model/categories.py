"""Find the category of a value that has another type than in training.

A file of codes is read as text if one of them has a letter, and as numbers if none has, so that the
category ``"101"`` of training arrives as 101 or 101.0. Values of another type belong to the
category of the same number or truth value. Values of the same type are compared as they are:
``"0101"`` is not ``"101"``.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

UNSEEN, NO_EQUIVALENT = -1, -2
"""Codes of a value of the type of training that is no category, and of one of another type."""
_KINDS = {
    "string": "text",
    "boolean": "bool",
    **dict.fromkeys(("integer", "floating", "mixed-integer-float", "decimal"), "number"),
}
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


def kind_of(values: pd.Index | pd.Series) -> str:
    """Return ``text``, ``number``, ``bool``, or another name for the type of the values.

    Missing values do not count; of a column of the dtype `category`, the categories do.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.dtype.categories
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    return _KINDS.get(inferred, inferred)


def equivalents(values: pd.Index, categories: pd.Index) -> np.ndarray:
    """Return the code of the category that each value stands for.

    Args:
        values: Values that are no category themselves, and not missing.
        categories: Categories in the order of their codes.

    Returns:
        A code, `UNSEEN`, or `NO_EQUIVALENT`: no category of another type stands for the same, or
        several do.
    """
    kind = kind_of(categories)
    if not len(categories) or (kind == kind_of(values) and not kind.startswith("mixed")):
        return np.full(len(values), UNSEEN)
    known_kinds = {_kind(category) for category in categories}
    codes: dict[object, list[tuple[int, str]]] = {}
    for code, category in enumerate(categories):
        for form in _forms(category):
            codes.setdefault(form, []).append((code, _kind(category)))
    return np.array([_code(value, codes, known_kinds) for value in values], dtype=np.intp)


def _code(value: Any, codes: dict[object, list[tuple[int, str]]], known_kinds: set[str]) -> int:
    kind = _kind(value)
    found = {code for form in _forms(value) for code, other in codes.get(form, ()) if other != kind}
    if len(found) == 1:
        return found.pop()
    return UNSEEN if kind in known_kinds and not found else NO_EQUIVALENT


def _kind(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, Real | Decimal):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__


def _forms(value: Any) -> Iterator[object]:
    """Yield what a value may stand for: a number, a truth value as text."""
    match _kind(value):
        case "bool":
            yield str(value).lower()
            yield Decimal(int(value))
        case "number":
            yield Decimal(str(value))
        case "text":
            text = value.strip().lower()
            if text in ("true", "false"):
                yield text
            elif _NUMBER.fullmatch(text):
                yield Decimal(text)
