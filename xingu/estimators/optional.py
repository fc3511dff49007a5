"""What the Estimators of optional libraries share: how they are stored, parameters and imports."""

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
    """Boosted trees that are saved in the library's own format, with JSON beside it."""

    FILE: ClassVar[str]
    """The file of the trained object, in the library's own format."""

    def check_params(self) -> None:
        """Raise DeclarationError if a parameter is not known, or is not a plain value."""
        super().check_params()
        self._params_json()

    def save(self, folder: Path) -> None:
        """Write the library's own format into `folder`, and ``estimator.json``."""
        kept = {
            "owner": self._owner,
            "threads": self._threads,
            "params": self._params_json(),
            **self._learned_json(),
        }
        (folder / "estimator.json").write_text(json.dumps(kept, indent=1))
        if self._booster is not None:
            self._write(folder / self.FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            DeclarationError: If the library is not installed.
        """
        kept = json.loads((folder / "estimator.json").read_text())
        params, hyperparams, class_params = from_json(kept["params"])
        estimator = cls(params, hyperparams, **class_params)
        estimator._owner, estimator._threads = kept["owner"], kept["threads"]
        estimator._encoder = ColumnEncoder.from_json(kept["columns"], estimator._owner)
        estimator._target.classes = index_from_json(kept["classes"])
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
            OSError: If that cannot be done; the reason is its `errno`.
        """

    @abstractmethod
    def _read(self, file: Path) -> Any:
        """Return the trained object that `_write` wrote."""


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
    """Return parameters under their main names; later ones win, and None means the default.

    Args:
        given: Parameters by main name or alias.
        known: The main names.
        aliases: The main name of each alias.
        owner: The Estimator and the library, for errors.
        ignored: Names that are left out.

    Raises:
        DeclarationError: If the library has no such parameter, or it is set by the Estimator.
    """
    merged = {}
    for name, value in (item for params in given for item in params.items()):
        main = aliases.get(name, name)
        if name in ignored:
            continue
        if main not in known:
            raise DeclarationError(
                f"{owner} has no parameter {name!r} that could be set here."
                f"{did_you_mean(name, [*known, *aliases])}",
                parameter=name,
            )
        merged[main] = value
    return {name: value for name, value in merged.items() if value is not None}
