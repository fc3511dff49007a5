"""Decide the hyperparameters of a train, and say where they came from.

Today they are what the DataProvider declares. A search, and the reuse of an earlier train's, are
further origins of the same record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from xingu.dataprovider import DataProvider
from xingu.hooks import call_hook
from xingu.state import ProviderState

Origin = Literal["dp"]


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Parameters of an estimator, and where they came from.

    Attributes:
        params: Fixed parameters of the DataProvider.
        hyperparams: Tuned parameters; they win over `params` of the same name.
        origin: ``dp``: as declared.
        gain: What the hooks of this stage have set on the DataProvider.
    """

    params: Mapping[str, Any]
    hyperparams: Mapping[str, Any]
    origin: Origin = "dp"
    gain: ProviderState = field(default_factory=ProviderState)


def declared_hyperparameters(provider: DataProvider) -> Hyperparameters:
    """Return what `provider` declares."""
    return Hyperparameters(
        params=dict(provider.get_estimator_params()),
        hyperparams=dict(call_hook(provider, "get_estimator_hyperparameters")),
    )
