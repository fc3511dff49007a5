"""Base classes of the Estimators of gradient boosting libraries.

The subclass of a library implements parameters, training, prediction and feature importance. These
base classes implement everything else: categories, labels, weights, prediction in slices, logging.
"""

import logging
import time
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError, did_you_mean
from xingu.estimators.columns import ColumnEncoder, declared_features
from xingu.estimators.frames import (
    column_of,
    estimation_frame,
    importance_series,
    not_fitted,
    proba_frame,
    row_weights,
    training_set,
)
from xingu.estimators.targets import ClassTarget, NumberTarget
from xingu.provider.estimator import Estimator
from xingu.provider.protocols import ModelView

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 65_536
"""Maximum number of rows per prediction call, which bounds the memory of the matrix."""
CLASS_WEIGHTS = ("class_weight", "is_unbalance", "scale_pos_weight")
"""Parameters without effect on a regressor; the last two have one with a binary objective."""
FEW_ROWS = 20_000
"""Fewer rows than this are fitted in one thread unless a parameter sets the number: two threads
save at most a third of the time, and cost more than that if several models are fitted at once."""


@dataclass(frozen=True)
class LabelledRows:
    """Rows of a set that have a target.

    Attributes:
        frame: The rows with all columns.
        codes: The target as numbers (of classes: their codes), shape (n,), no NaN.
        weights: Weight of each row, shape (n,); None: equal weights.
    """

    frame: pd.DataFrame
    codes: np.ndarray
    weights: np.ndarray | None


class BoostedTrees(Estimator):
    """Base class of the regressors and classifiers of all libraries.

    Args:
        params: The library's parameters.
        hyperparams: The same; they override `params`, also under another alias.
        **class_params: Those of `CLASS_PARAMS`. `log_every` (50) is the number of rounds between
            two log lines of progress; 0: none.
    """

    CLASS_PARAMS: ClassVar[Mapping[str, Any]] = {"log_every": 50}
    THREADS: ClassVar[str]
    """The library's main name of the parameter for the number of threads."""
    CATEGORIES: ClassVar[str] = ""
    """The library's main name of the parameter for features whose values are categories."""

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
        **class_params: Any,
    ) -> None:
        super().__init__(params, hyperparams, **class_params)
        self._owner = type(self).__name__
        known = self.CLASS_PARAMS
        for name in class_params:
            if name not in known:
                raise DeclarationError(
                    f"{self._owner}: estimator_class_params has no {name!r}; known: "
                    f"{', '.join(known)}.{did_you_mean(name, known)}"
                )
        self._options = {**known, **class_params}
        self._booster: Any = None
        self._threads: int | None = None  # of fit and prediction; None: all cores
        self._encoder = ColumnEncoder((), self._owner)
        self._target = ClassTarget() if self.is_classifier() else NumberTarget()

    def fit(
        self,
        datasets: Mapping[str, pd.DataFrame],
        features: Sequence[str],
        target: str,
        model: ModelView | None = None,
    ) -> Self:
        """Fit to the set ``train``; the optional set ``val`` is for early stopping.

        Args:
            datasets: Frames by set name.
            features: Names of the feature columns.
            target: Name of the target column.
            model: The Model that is trained: its DataProvider declares the sample weights.

        Raises:
            DataError: If the target or a feature cannot be used; the column is named.
            DeclarationError: If a parameter is unknown to the library.
        """
        started = time.perf_counter()
        self._owner = f"{model.id}: {type(self).__name__}" if model is not None else self._owner
        params = self._checked_params()
        train = training_set(datasets, target, self._owner)
        if len(train) < FEW_ROWS:
            params.setdefault(self.THREADS, 1)
        self._threads = params.get(self.THREADS)
        self._target.learn(column_of(train, target, self._owner), self._owner)
        categorical = declared_features(
            params.pop(self.CATEGORIES, None), features, f"{self._owner}: {self.CATEGORIES}"
        )
        self._encoder = ColumnEncoder(features, self._owner).learn(train, categorical)
        self._check_learned()
        codes = self._target.codes(column_of(train, target, self._owner), self._owner)
        class_weights = self._target.weights(codes, params.pop("class_weight", None), self._owner)
        weights = row_weights(train, model, self._owner, class_weights)
        val_rows = None
        if "val" in datasets and self._stops_early(params):
            val_rows = self._labelled_val(datasets["val"], target, model)
        self._booster = self._train(LabelledRows(train, codes, weights), val_rows, params)
        logger.info(
            "%s: fitted %d rows × %d features, %d rounds%s, in %.1f s",
            self._owner,
            len(train),
            len(self._encoder.features),
            self._rounds(),
            " (best round for val)" if val_rows is not None else "",
            time.perf_counter() - started,
        )
        return self

    def check_params(self) -> None:
        """Raise DeclarationError if a parameter is unknown to the library, or has no effect."""
        self._checked_params()

    def prepare_for_trial(self, threads: int) -> None:
        """Switch off logging of progress, and use `threads` threads unless a parameter sets them.

        Args:
            threads: Number of threads; 0: no limit.
        """
        self._options["log_every"] = 0
        if threads and self.THREADS not in self._merged_params():
            self.params[self.THREADS] = threads

    def feature_importance(self) -> pd.Series | None:
        """Return each feature's share of the gain of all splits, descending, with a sum of 1."""
        if self._booster is None:
            return None
        return importance_series(self._gain(), self._encoder.features)

    def _check_learned(self) -> None:
        """Raise DataError if learned categories or labels cannot be stored."""

    def _checked_params(self) -> dict[str, Any]:
        """Return `_merged_params`; raise DeclarationError if a regressor has class weights."""
        params = self._merged_params()
        binary = str(params.get("objective")).startswith("binary")
        wrong = [name for name in CLASS_WEIGHTS[: 1 if binary else 3] if name in params]
        if wrong and not self.is_classifier():
            raise DeclarationError(
                f"{self._owner}: {', '.join(map(repr, wrong))} has no effect on a regressor; "
                "declare sample_weight of the DataProvider instead.",
                parameters=wrong,
            )
        return params

    @abstractmethod
    def _merged_params(self) -> dict[str, Any]:
        """Return `params` and `hyperparams` under the library's main names.

        Raises:
            DeclarationError: If a parameter is unknown to the library.
        """

    @abstractmethod
    def _stops_early(self, params: Mapping[str, Any]) -> bool:
        """Return whether `params` ask for early stopping."""

    @abstractmethod
    def _train(self, train: LabelledRows, val: LabelledRows | None, params: dict[str, Any]) -> Any:
        """Return the library's trained object.

        Raises:
            DataError: If the library rejects the data or the value of a parameter.
        """

    @abstractmethod
    def _rounds(self) -> int:
        """Return the number of boosting rounds of the trained object."""

    @abstractmethod
    def _gain(self) -> Sequence[float] | np.ndarray:
        """Return the gain of each feature, in the order of fitting."""

    @abstractmethod
    def _predict_rows(self, rows: pd.DataFrame) -> np.ndarray:
        """Return predictions for at least one row, shape (n,) or (n, classes)."""

    def _raw_predict(self, data: pd.DataFrame) -> np.ndarray:
        """Predict in slices of `ROWS_AT_ONCE` rows, which bounds the memory of the matrix."""
        if self._booster is None:
            raise not_fitted(self._owner)
        slices = (
            data if len(data) <= ROWS_AT_ONCE else data.iloc[start : start + ROWS_AT_ONCE]
            for start in range(0, len(data), ROWS_AT_ONCE)
        )
        parts = [self._predict_rows(rows) for rows in slices]
        if not parts:
            self._encoder.matrix(data)  # raises an error if a column is missing
            classes = len(self._target.classes)
            return np.empty((0, classes) if classes else 0)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _labelled_val(
        self, val: pd.DataFrame, target: str, model: ModelView | None
    ) -> LabelledRows | None:
        codes = self._target.codes(column_of(val, target, self._owner), self._owner)
        usable = ~np.isnan(codes)
        if not usable.all():
            logger.warning(
                "%s: %d of %d rows of 'val' are ignored: their target is missing or not in 'train'",
                self._owner,
                np.count_nonzero(~usable),
                len(codes),
            )
        if not usable.any():
            return None
        weights = row_weights(val, model, self._owner)
        if usable.all():
            return LabelledRows(val, codes, weights)
        return LabelledRows(
            val.loc[usable], codes[usable], None if weights is None else weights[usable]
        )

    def _log_progress(self, done: int, rounds: int, scores: Iterable[tuple[str, float]]) -> None:
        """Log the progress of training after every `log_every` rounds.

        Args:
            done: Number of trained rounds.
            rounds: Maximum number of rounds.
            scores: Names and values of metrics of `val`.
        """
        every = int(self._options["log_every"])
        if every and done % every == 0:
            formatted = "".join(f", val {name} {value:.6g}" for name, value in scores)
            logger.info("%s: round %d of %d%s", self._owner, done, rounds, formatted)


class BoostedRegressor(BoostedTrees):
    """Gradient boosted trees that estimate a number."""

    def is_classifier(self) -> bool:
        """Return False."""
        return False

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return one column ``estimation`` of floats, indexed as `data`.

        Raises:
            MissingColumnError: If features are missing.
            UntrainedModelError: If it is not fitted.
        """
        values = self._raw_predict(data)
        if values.ndim > 1:
            raise DataError(
                f"{self._owner}: the objective returns {values.shape[1]} estimations per row; "
                "choose one that returns a single number."
            )
        return estimation_frame(values, data.index)


class BoostedClassifier(BoostedTrees):
    """Gradient boosted trees that estimate the probability of each class."""

    def is_classifier(self) -> bool:
        """Return True."""
        return True

    def classes(self) -> list[Any]:
        """Return the labels seen in training, sorted."""
        return self._target.classes.tolist()

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return one column ``estimation`` with the most probable label, indexed as `data`.

        Raises:
            MissingColumnError: If features are missing.
            UntrainedModelError: If it is not fitted.
        """
        most_probable = self._probabilities(data).argmax(axis=1)
        return estimation_frame(self._target.classes.take(most_probable), data.index)

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Return columns ``estimation_class_0 …`` in the order of `classes`, indexed as `data`.

        Raises:
            DataError: If `class_index` is out of range.
            MissingColumnError: If features are missing.
            UntrainedModelError: If it is not fitted.
        """
        return proba_frame(self._probabilities(data), data.index, class_index, self._owner)

    def _probabilities(self, data: pd.DataFrame) -> np.ndarray:
        raw = self._raw_predict(data)
        return raw if raw.ndim > 1 else np.column_stack([1.0 - raw, raw])
