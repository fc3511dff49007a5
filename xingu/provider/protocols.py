"""What hooks of a DataProvider and Estimators may use of a Model.

A Protocol, so that `xingu.provider` does not depend on `xingu.model`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

import pandas as pd


class ModelView(Protocol):
    """The Model as hooks and Estimators see it; `xingu.Model` implements it."""

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
        """Time of the fit (UTC); False before it."""
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
        """The sets of the split by name, while they are in memory."""
        ...

    @property
    def sets_estimations(self) -> Mapping[str, pd.DataFrame]:
        """Estimations of `sets`, once they were computed."""
        ...

    @property
    def search(self) -> Callable[[], dict[str, Any]] | None:
        """Runs the declared search for hyperparameters and returns the best ones."""
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
