"""Protocol of the Model for hooks of DataProviders and for Estimators.

It is a Protocol so that `xingu.provider` does not import `xingu.model`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

import pandas as pd


class ModelView(Protocol):
    """Interface of a Model for hooks and Estimators; `xingu.Model` implements it."""

    @property
    def id(self) -> str:
        """Id of the DataProvider."""
        ...

    @property
    def train_id(self) -> str:
        """Id of the train."""
        ...

    @property
    def train_session_id(self) -> str:
        """Id of the train session."""
        ...

    @property
    def trained(self) -> datetime | Literal[False]:
        """Time of the fit in UTC; False before the fit."""
        ...

    @property
    def dp(self) -> Any:
        """The DataProvider."""
        ...

    @property
    def estimator(self) -> Any:
        """The Estimator; None for a hollow DataProvider."""
        ...

    @property
    def sets(self) -> Mapping[str, pd.DataFrame]:
        """Sets of the split by name, while they are in memory."""
        ...

    @property
    def sets_estimations(self) -> Mapping[str, pd.DataFrame]:
        """Estimations of `sets` by name, once computed."""
        ...

    @property
    def search(self) -> Callable[[], dict[str, Any]] | None:
        """Function that runs the declared search and returns the best hyperparameters."""
        ...

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with the column ``estimation``."""
        ...

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Return a frame with columns ``estimation_class_0 …``, or only that of `class_index`."""
        ...

    def get_full_train_id(self) -> str:
        """Return `train_session_id:train_id`."""
        ...
