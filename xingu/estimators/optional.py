"""Storage, parameters and imports of the Estimators of optional libraries."""

import json
from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

from xingu.errors import DataError, DeclarationError, did_you_mean
from xingu.estimators.boosting import BoostedTrees
from xingu.estimators.columns import ColumnEncoder
from xingu.estimators.stored import from_json, index_from_json, index_to_json, to_json


class StoredTrees(BoostedTrees):
    """Boosted trees that are stored without pickle: the library's own format, and a JSON file."""

    FILE: ClassVar[str]
    """Name of the file of the trained object."""

    def check_params(self) -> None:
        """Raise DeclarationError if a parameter is unknown, or its value is no JSON value."""
        super().check_params()
        self._params_json()

    def save(self, folder: Path) -> None:
        """Write the trained object in the library's own format, and ``estimator.json``."""
        stored = {
            "owner": self._owner,
            "threads": self._threads,
            "params": self._params_json(),
            **self._learned_json(),
        }
        (folder / "estimator.json").write_text(json.dumps(stored, indent=1))
        if self._booster is not None:
            self._write(folder / self.FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an Estimator that `save` has written.

        Raises:
            DeclarationError: If the library is not installed.
        """
        stored = json.loads((folder / "estimator.json").read_text())
        params, hyperparams, class_params = from_json(stored["params"])
        estimator = cls(params, hyperparams, **class_params)
        estimator._owner, estimator._threads = stored["owner"], stored["threads"]
        estimator._encoder = ColumnEncoder.from_json(stored["columns"], estimator._owner)
        estimator._target.classes = index_from_json(stored["classes"])
        if (folder / cls.FILE).exists():
            estimator._booster = estimator._read(folder / cls.FILE)
        return estimator

    def _params_json(self) -> Any:
        given = [self.params, self.hyperparams, self.class_params]
        try:
            return to_json(given, f"{self._owner}: a parameter")
        except DataError as error:
            raise DeclarationError(str(error), **error.facts) from error

    def _learned_json(self) -> dict[str, Any]:
        return {
            "columns": self._encoder.as_json(),
            "classes": index_to_json(self._target.classes, f"{self._owner}: a class label"),
        }

    def _check_learned(self) -> None:
        self._learned_json()

    @abstractmethod
    def _write(self, file: Path) -> None:
        """Write the trained object.

        Raises:
            OSError: If writing fails; `errno` has the reason.
        """

    @abstractmethod
    def _read(self, file: Path) -> Any:
        """Return the trained object from a file of `_write`."""


def require_library(name: str, owner: str) -> Any:
    """Import and return the optional library `name`, whose extra has the same name.

    Raises:
        DeclarationError: If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise DeclarationError(
            f"{owner}: cannot import {name} ({error}); run pip install 'xingu[{name}]'.",
            library=name,
        ) from error


def merge_params(
    given: Iterable[Mapping[str, Any]],
    known: Collection[str],
    aliases: Mapping[str, str],
    owner: str,
    ignored: Collection[str] = (),
) -> dict[str, Any]:
    """Return parameters under their main names; later ones override earlier ones.

    Args:
        given: Parameters by main name or alias; None means the library's default.
        known: Main names.
        aliases: Main name of each alias.
        owner: Name of the Estimator and the library, for errors.
        ignored: Names without effect.

    Raises:
        DeclarationError: If a parameter is unknown, or is set by the Estimator.
    """
    merged = {}
    for name, value in (item for params in given for item in params.items()):
        main = aliases.get(name, name)
        if name in ignored:
            continue
        if main not in known:
            raise DeclarationError(
                f"{owner} has no parameter {name!r} that can be declared."
                f"{did_you_mean(name, [*known, *aliases])}",
                parameter=name,
            )
        merged[main] = value
    return {name: value for name, value in merged.items() if value is not None}
