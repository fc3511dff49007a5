"""Ensembles of boosted classifiers, each fitted without one fold of the training data.

They are the Estimators that Xingu 2.0 brought along, and have the names of their parameters.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from xingu.errors import DeclarationError
from xingu.estimators.boosting import BoostedClassifier
from xingu.estimators.frames import estimation_frame, not_fitted, proba_frame
from xingu.provider.estimator import Estimator
from xingu.provider.protocols import ModelView

STRATIFY = "stratify"
"""Column by which folds are stratified, if the training data has it; else by the target."""


class BaggedClassifier(Estimator):
    """Base class: the mean of the probabilities of `bagging_size` members.

    Args:
        params: Fixed parameters of each member.
        hyperparams: Tuned parameters of each member.
        bagging_size: Number of members. Of several, each is fitted without one fold of the set
            `train`, by which it may stop early; a single one is fitted on all of it.
        random_state: Seed of the folds and of the members.
        **class_params: Those of the search, `optimization_trials` and `optimization_timeout`
            (seconds), are read by it; others are ignored.
    """

    MEMBER: ClassVar[type[BoostedClassifier]]
    """Class of the members."""

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
        bagging_size: int = 1,
        random_state: int = 42,
        **class_params: Any,
    ) -> None:
        super().__init__(params, hyperparams, **class_params)
        if bagging_size < 1:
            raise DeclarationError(
                f"{type(self).__name__}: bagging_size is {bagging_size!r}; write at least 1."
            )
        self.bagging_size = bagging_size
        self.random_state = random_state
        self.bagging_members: list[BoostedClassifier] = []
        self._threads = 0

    def fit(
        self,
        datasets: Mapping[str, pd.DataFrame],
        features: Sequence[str],
        target: str,
        model: ModelView | None = None,
    ) -> Self:
        """Fit the members to the set ``train``.

        Raises:
            DataError: If the target or a feature cannot be used; the column is named.
            DeclarationError: If a parameter is unknown to the library.
        """
        members = []
        for number, sets in enumerate(self._folds(datasets, target)):
            member = self._member(self.random_state + number)
            member.fit(sets, features, target, model)
            members.append(member)
            self.log(f"fitted member {number + 1} of {self.bagging_size}")
        self.bagging_members = members
        return self

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return one column ``estimation`` with the most probable label, indexed as `data`."""
        best = self._probabilities(data).argmax(axis=1)
        return estimation_frame(pd.Index(self.classes()).take(best), data.index)

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Return columns ``estimation_class_0 …`` in the order of `classes`, indexed as `data`."""
        return proba_frame(self._probabilities(data), data.index, class_index, type(self).__name__)

    def is_classifier(self) -> bool:
        """Return True."""
        return True

    def classes(self) -> list[Any]:
        """Return the labels seen in training, sorted."""
        return self.bagging_members[0].classes() if self.bagging_members else []

    def check_params(self) -> None:
        """Raise DeclarationError if a parameter is unknown to the library."""
        self._member(self.random_state).check_params()

    def prepare_for_trial(self, threads: int) -> None:
        """Use at most `threads` threads for each member; 0: no limit."""
        self._threads = threads

    def feature_importance(self) -> pd.Series | None:
        """Return the mean importance of each feature, descending; None before the fit."""
        found = [member.feature_importance() for member in self.bagging_members]
        weights = [one for one in found if one is not None]
        return (
            pd.concat(weights, axis=1).mean(axis=1).sort_values(ascending=False)
            if weights
            else None
        )

    def _member(self, seed: int) -> BoostedClassifier:
        member = self.MEMBER({"random_state": seed, **self.params}, self.hyperparams, log_every=0)
        if self._threads:
            member.prepare_for_trial(self._threads)
        return member

    def _folds(
        self, datasets: Mapping[str, pd.DataFrame], target: str
    ) -> Iterator[Mapping[str, pd.DataFrame]]:
        """Yield the sets that each member is fitted on."""
        if self.bagging_size == 1:
            yield datasets
            return
        from sklearn.model_selection import StratifiedKFold

        train = datasets["train"]
        labels = train[STRATIFY if STRATIFY in train else target]
        splitter = StratifiedKFold(self.bagging_size, shuffle=True, random_state=self.random_state)
        for fitted, held_out in splitter.split(np.zeros(len(train)), labels):
            yield {"train": train.iloc[fitted], "val": train.iloc[held_out]}

    def _probabilities(self, data: pd.DataFrame) -> np.ndarray:
        if not self.bagging_members:
            raise not_fitted(type(self).__name__)
        made = [member.predict_proba(data).to_numpy() for member in self.bagging_members]
        return np.mean(made, axis=0)
