"""Values that a Model consists of: its signature, what its fit added, Models of prerequisites."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from xingu.errors import UntrainedModelError, did_you_mean


@dataclass(frozen=True)
class Signature:
    """Inputs and output of a Model, as they were in training.

    Attributes:
        features: Dtypes of the features of the outside world that the training data has, by name.
        estimator_features: Features of the estimator, in order.
        target: Column of the target.
        set_rows: Number of rows of each set.
        classes: Labels of a classifier, in the order of ``estimation_class_0 …``.
        estimated_class: Position in `classes` of the class that estimations and metrics are of;
            None: of none, or of no single one.
    """

    features: Mapping[str, str] = field(default_factory=dict)
    estimator_features: tuple[str, ...] = ()
    target: str | None = None
    set_rows: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[Any, ...] = ()
    estimated_class: int | None = None


@dataclass(frozen=True)
class MadeInFit:
    """Frames and estimations that an Estimator added to its sets while it was fitted.

    Attributes:
        sets: Frames by name, for example rows that members of an ensemble held out.
        estimations: Estimations by name of the set.
    """

    sets: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    estimations: Mapping[str, pd.DataFrame] = field(default_factory=dict)


class PreReqModels(Mapping[str, Any]):
    """Models of prerequisites by id, each loaded on first access.

    Args:
        trains: Pinned `train_id` of each prerequisite.
        load: Returns the Model of an id and a `train_id`.
    """

    def __init__(self, trains: Mapping[str, str], load: Callable[[str, str], Any]) -> None:
        self.trains = dict(trains)
        self._load = load
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, provider_id: str) -> Any:
        if provider_id not in self.trains:
            raise UntrainedModelError(
                f"pre_req_model[{provider_id!r}]: no such prerequisite; pre_req names "
                f"{', '.join(sorted(self.trains)) or 'none'}."
                f"{did_you_mean(provider_id, self.trains)}",
                dataprovider_id=provider_id,
            )
        if provider_id not in self._loaded:
            self._loaded[provider_id] = self._load(provider_id, self.trains[provider_id])
        return self._loaded[provider_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.trains)

    def __len__(self) -> int:
        return len(self.trains)
