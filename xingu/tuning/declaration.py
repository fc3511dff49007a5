"""Read what a DataProvider declares about its hyperparameters; each hook is called once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from xingu.provider.base import DataProvider
from xingu.provider.hooks import call_hook
from xingu.tuning.space import Space, parse_space


@dataclass(frozen=True, slots=True)
class Declaration:
    """Declared parameters and search space of a DataProvider.

    Attributes:
        params: Fixed parameters.
        hyperparams: Declared values of hyperparameters.
        space: Dimensions of the search space by hyperparameter; empty if nothing is searched.
    """

    params: Mapping[str, Any]
    hyperparams: Mapping[str, Any]
    space: Space

    @classmethod
    def of(cls, provider: DataProvider) -> Self:
        """Read the declarations of `provider`.

        Raises:
            DeclarationError: If a dimension is malformed or empty.
        """
        space = call_hook(provider, "get_estimator_optimization_search_space")
        return cls(
            params=provider.get_estimator_params(),
            hyperparams=dict(call_hook(provider, "get_estimator_hyperparameters")),
            space=parse_space(space, f"{provider.id}.estimator_hyperparams_search_space"),
        )

    @property
    def fixed(self) -> dict[str, Any]:
        """Declared hyperparameters that are not searched."""
        return {name: one for name, one in self.hyperparams.items() if name not in self.space}
