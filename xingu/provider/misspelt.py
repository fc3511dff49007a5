"""Find attributes and methods of a DataProvider class that are nearly named as ours.

Such a name is ignored by all code, so it is an error. To spare helpers, a name counts as misspelt
only if no method of the class uses it, its value is of the same kind (a list for a list), and it is
no extension of one of our names (`x_features_extra`). A leading underscore exempts a name.
"""

import inspect
import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from difflib import SequenceMatcher
from types import CodeType
from typing import Any

from xingu.provider.base import DataProvider

SIMILARITY = 0.9
"""Minimum similarity of a misspelt name, in [0, 1]; `features` has 0.89 to `x_features`."""
SHORTEST = 4
"""Shorter names, as `y` and `tags`, resemble too many others."""
WORDS = {
    "parameters": "params",
    "parameter": "params",
    "hyperparameters": "hyperparams",
    "training": "train",
    "predicting": "predict",
    "prediction": "predict",
    "validation": "val",
    "preprocess": "pre_process",
    "postprocess": "post_process",
    "prereq": "pre_req",
}
"""Words that people write for words of our names."""

OUR_NAMES = frozenset(name for name in dir(DataProvider) if not name.startswith("_"))


def misspelt_names(cls: type[DataProvider]) -> Iterator[tuple[str, str]]:
    """Yield names of `cls` and its bases that resemble one of `OUR_NAMES`, each with that one."""
    for name in sorted({*dir(cls)} - {*dir(DataProvider)}):
        if name.startswith("_") or len(name) < SHORTEST:
            continue
        value = inspect.getattr_static(cls, name)
        ours = [one for one in OUR_NAMES if _similar(name, one) and _same_kind(value, one)]
        if ours and name not in used_names(cls, besides=name):
            yield name, max(ours, key=lambda one: _similarity(name, one))


def _similar(name: str, ours: str) -> bool:
    if len(ours) < SHORTEST or re.match(rf"{re.escape(ours)}(_|\d)", name):
        return False
    return _similarity(name, ours) >= SIMILARITY or _one_letter_off(name, ours)


def _one_letter_off(name: str, ours: str) -> bool:
    """Return whether one letter is wrong, or two are swapped; in short names that counts more."""
    wrong = sum(one != other for one, other in zip(name, ours, strict=False))
    swapped = wrong == 2 and sorted(name) == sorted(ours)
    return len(name) == len(ours) and (wrong == 1 or swapped)


def _similarity(name: str, ours: str) -> float:
    words = (WORDS.get(word, word) for word in name.lower().split("_"))
    return SequenceMatcher(None, "_".join(words), ours).ratio()


def _same_kind(value: Any, ours: str) -> bool:
    kind, our_kind = _kind(value), _kind(inspect.getattr_static(DataProvider, ours))
    return None in (kind, our_kind) or kind == our_kind


def _kind(value: Any) -> str | None:
    """Return the kind of a value of a class; None if it is not known before the class is used."""
    if inspect.isroutine(value) or isinstance(value, staticmethod | classmethod):
        return "method"
    kinds = {bool: "flag", int | float: "number", str: "text", Mapping: "mapping",
             Sequence | Set: "collection"}  # fmt: skip
    return next((kind for types, kind in kinds.items() if isinstance(value, types)), None)


def used_names(cls: type[DataProvider], besides: str) -> Collection[str]:
    """Return the names that the methods of `cls` use, but for the method called `besides`."""
    used: set[str] = set()
    for base in cls.__mro__:
        if base in DataProvider.__mro__:
            continue
        for name, value in vars(base).items():
            function = value.fget if isinstance(value, property) else value
            function = getattr(function, "__func__", function)
            if name != besides and inspect.isfunction(function):
                used |= _names_in(inspect.unwrap(function).__code__)
    return used


def _names_in(code: CodeType) -> set[str]:
    found = {*code.co_names}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _names_in(constant)
        elif isinstance(constant, str):  # getattr(self, "name")
            found.add(constant)
    return found
