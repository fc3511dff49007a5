"""Read what a DataProvider declares about its hyperparameters, and compare it with earlier trains.

Each hook is called once. A train records its declaration (`Declaration.record`), so that a later
train finds out whether it has been changed since.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from xingu.provider.base import DataProvider
from xingu.provider.estimator import searches_itself
from xingu.provider.hooks import call_hook
from xingu.tuning.space import Space, parse_space
from xingu.tuning.trials import plain


@dataclass(frozen=True, slots=True)
class Declaration:
    """Declared parameters and search space of a DataProvider.

    Attributes:
        params: Fixed parameters.
        hyperparams: Declared values of hyperparameters.
        space: Dimensions of the search space by hyperparameter; empty if nothing is searched.
        estimator: The Estimator class and its own parameters, as text.
    """

    params: Mapping[str, Any]
    hyperparams: Mapping[str, Any]
    space: Space
    estimator: str = ""

    @classmethod
    def of(cls, provider: DataProvider) -> Self:
        """Read the declarations of `provider`.

        Raises:
            DeclarationError: If a dimension is malformed or empty.
        """
        space = call_hook(provider, "get_estimator_optimization_search_space")
        return cls(
            params=dict(provider.get_estimator_params() or {}),
            hyperparams=dict(call_hook(provider, "get_estimator_hyperparameters")),
            space=parse_space(
                space,
                f"{provider.id}.estimator_hyperparams_search_space",
                foreign=searches_itself(provider.get_estimator_class(), str(provider.id)),
            ),
            estimator=_estimator_of(provider),
        )

    @property
    def fixed(self) -> dict[str, Any]:
        """Declared hyperparameters that are not searched."""
        return {name: one for name, one in self.hyperparams.items() if name not in self.space}

    def record(self) -> dict[str, Any]:
        """Return what `changes_since` compares, in the types of JSON."""
        return {
            "estimator": self.estimator,
            "hyperparams": plain(self.hyperparams),
            "searched": sorted(self.space),
        }

    def changes_since(self, before: Mapping[str, Any], taken: Iterable[str]) -> list[str]:
        """Return what was changed since an earlier train, if its values may not be used any more.

        Changes of hyperparameters that are not searched do not count: they are always used as
        declared. Neither does a wider or an additional dimension of the search space.

        Args:
            before: The `record` of the earlier train.
            taken: Names of the values that would be taken from it.
        """
        if before.get("estimator", self.estimator) != self.estimator:
            return [f"the estimator is {self.estimator} (was {before['estimator']})"]
        then, now = before.get("hyperparams") or {}, plain(self.hyperparams)
        searched = set(before.get("searched") or ())
        changes = [
            f"{name} is {_value(now, name)} (was {_value(then, name)})"
            for name in sorted({*self.space, *searched, *taken})
            if _value(then, name) != _value(now, name)
        ]
        return changes + [
            f"{name} is not searched any more" for name in sorted(searched - set(self.space))
        ]

    def differences(self, used: Mapping[str, Any]) -> list[str]:
        """Return how hyperparameters in use differ from the declared ones, as texts."""
        declared, found = plain(self.hyperparams), plain(used)
        foreign = [name for name in found if name not in declared and name not in self.space]
        return [
            f"{name} is {_value(found, name)} (declared: {_value(declared, name)})"
            for name in sorted({*declared, *foreign})
            if _value(found, name) != _value(declared, name)
        ]


def _value(values: Mapping[str, Any], name: str) -> str:
    return without_address(repr(values[name])) if name in values else "not set"


def without_address(text: str) -> str:
    """Return `text` without the addresses of objects, which differ between processes."""
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _estimator_of(provider: DataProvider) -> str:
    declared = provider.get_estimator_class()
    name = (
        f"{declared.__module__}.{declared.__qualname__}"
        if isinstance(declared, type)
        else str(declared)
    )
    parameters = plain(provider.get_estimator_class_params())
    return without_address(f"{name}({parameters})" if parameters else name)
