"""DPSimple: a DataProvider made from values, without code.

Values have the names of the settings. They become the attributes of a class of its own, so that
the graph, the model package and the command treat it as any other DataProvider.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from xingu.errors import DeclarationError
from xingu.provider.base import DataProvider
from xingu.provider.importing import import_object

REQUIRED = ("SIMPLEDP_ID", "TRAIN_DATASOURCE", "TARGET_FEATURE", "ESTIMATOR_CLASS")
MODULE = "simpledp"
"""Module of the classes. There is none of this name, so that packages hold the class itself."""


class DPSimple(DataProvider):
    """A DataProvider that is trained on files.

    Args:
        **values: `SIMPLEDP_ID`, `TRAIN_DATASOURCE` (files or URLs), `TARGET_FEATURE` and
            `ESTIMATOR_CLASS` are required. `ESTIMATOR_FEATURES` is a list, or names separated by
            commas; `PROBA_CLASS_INDEX` an integer; `BASE_CLASS` a class, or its dotted name, that
            declares everything else. `ESTIMATOR_CLASS_PARAMS`, `ESTIMATOR_PARAMS`,
            `ESTIMATOR_HYPERPARAMS` and `ESTIMATOR_HYPERPARAMS_SEARCH_SPACE` are dicts, or JSON.
            Others are ignored, because Xingu 2.0 passed all its settings.

    Raises:
        DeclarationError: If a value is missing or cannot be used; all are named.
    """

    def __new__(cls, **values: Any) -> "DPSimple":
        """Return an instance of a class with these values."""
        made: Any = simple_class(values, cls) if values else cls
        return super().__new__(made)

    def __init__(self, **values: Any) -> None:  # noqa: ARG002 - they are in the class
        super().__init__()

    def add_base_class(self, cls: type[DataProvider] | str, dp_folder: str | None = None) -> None:
        """Put a base class below this DataProvider.

        Args:
            cls: The class, or its dotted name.
            dp_folder: Folder to import it from, besides the import path.

        Raises:
            DeclarationError: If it cannot be imported, or is no DataProvider.
        """
        if dp_folder and dp_folder not in sys.path:
            sys.path.append(dp_folder)
        own = {name: one for name, one in vars(type(self)).items() if not name.startswith("__")}
        base = _base_class(cls)
        self.__class__ = _new_class(own, (DPSimple, base))  # type: ignore[assignment]


def simple_class(
    values: Mapping[str, Any], base: type[DataProvider] = DPSimple
) -> type[DataProvider]:
    """Return the class of a DataProvider that is made from values; see `DPSimple`.

    Raises:
        DeclarationError: If a value is missing or cannot be used; all are named.
    """
    given = {name: one for name, one in values.items() if one not in (None, "", (), [])}
    problems = [f"{name} is missing" for name in REQUIRED if name not in given]
    attributes: dict[str, Any] = {}
    bases: tuple[type, ...] = (base,)
    for name, (attribute, read) in READERS.items():
        if name in given:
            try:
                attributes[attribute] = read(given[name])
            except (ValueError, TypeError) as error:
                problems.append(f"{name}: {error}")
    try:
        if "BASE_CLASS" in given:
            bases = (base, _base_class(given["BASE_CLASS"]))
    except DeclarationError as error:
        problems.append(str(error).removesuffix("."))
    if problems:
        raise DeclarationError(
            f"The model {given.get('SIMPLEDP_ID', 'SIMPLEDP_ID')}: {'; '.join(problems)}.",
            problems=problems,
        )
    return _new_class(attributes, bases)


def _new_class(attributes: Mapping[str, Any], bases: tuple[type, ...]) -> type[DataProvider]:
    made: Any = type(str(attributes["id"]), bases, {**attributes, "__module__": MODULE})
    return made


def _base_class(declared: type[DataProvider] | str) -> type[DataProvider]:
    found: Any = declared
    if isinstance(declared, str):
        found = import_object(declared, f"BASE_CLASS: {declared!r} cannot be imported")
    if not (isinstance(found, type) and issubclass(found, DataProvider)):
        raise DeclarationError(f"BASE_CLASS: {declared!r} is no subclass of xingu.DataProvider.")
    return found


def _sources(value: Any) -> dict[str, dict[str, str]]:
    """Return declarations of files: a text with ``|``, a list, or a list of lists."""
    urls = list(_flat(value.split("|") if isinstance(value, str) else value))
    return {f"df{number:04d}": {"url": url} for number, url in enumerate(urls)}


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    else:
        for one in value:
            yield from _flat(one)


def _names(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value
    return [part.strip() for part in parts if part.strip()]


def _object(value: Any) -> dict[str, Any]:
    """Return a dict that may be given as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError(f"it is no JSON ({error})") from None
    if not isinstance(value, Mapping):
        raise TypeError('it must be a JSON object, as in {"name": 1}')
    return dict(value)


def _space(value: Any) -> dict[str, Any]:
    """Return a search space; JSON has lists for the tuples ``("int", {…})``."""
    return {name: _dimension(one) for name, one in _object(value).items()}


def _dimension(declared: Any) -> Any:
    tuple_in_json = (
        isinstance(declared, Sequence)
        and len(declared) == 2
        and isinstance(declared[0], str)
        and isinstance(declared[1], Mapping)
    )
    return tuple(declared) if tuple_in_json else declared


READERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "SIMPLEDP_ID": ("id", str),
    "TRAIN_DATASOURCE": ("train_dataset_sources", _sources),
    "TARGET_FEATURE": ("y", str),
    "ESTIMATOR_FEATURES": ("x_estimator_features", _names),
    "PROBA_CLASS_INDEX": ("proba_class_index", int),
    "ESTIMATOR_CLASS": ("estimator_class", lambda value: value),
    "ESTIMATOR_CLASS_PARAMS": ("estimator_class_params", _object),
    "ESTIMATOR_PARAMS": ("estimator_params", _object),
    "ESTIMATOR_HYPERPARAMS": ("estimator_hyperparams", _object),
    "ESTIMATOR_HYPERPARAMS_SEARCH_SPACE": ("estimator_hyperparams_search_space", _space),
}
"""Attribute of each value, and how it is read."""
