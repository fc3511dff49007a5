"""Model: a DataProvider with its state, a fitted Estimator, ids and provenance.

A Model does no I/O and reads no settings; `xingu.api.Model` adds both. Models of prerequisites are
loaded when a hook first accesses them, by a function that is passed in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from xingu.errors import DataError, UntrainedModelError, did_you_mean, text_of
from xingu.model.provenance import Provenance
from xingu.model.reference import Reference
from xingu.provider.base import DataProvider
from xingu.provider.classes import EstimatedClass, estimated_class, labels_of
from xingu.provider.columns import require_columns
from xingu.provider.estimator import ESTIMATION, Estimator
from xingu.provider.hooks import call_hook
from xingu.provider.lending import call_lent
from xingu.records import TrainRun

PredictKind = Literal["predict", "predict_proba"]
BUILT_IN_ESTIMATORS = "xingu.estimators."
"""Modules of Estimators that change no frames, so that nothing has to be lent to them."""


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

    @cached_property
    def features_index(self) -> pd.Index:
        """Features of the estimator, as column index of a frame."""
        return pd.Index(self.estimator_features)


class PreReqModels(Mapping[str, "Model"]):
    """Models of prerequisites by id, each loaded on first access.

    Args:
        trains: Pinned `train_id` of each prerequisite.
        load: Returns the Model of an id and a `train_id`.
    """

    def __init__(self, trains: Mapping[str, str], load: "Callable[[str, str], Model]") -> None:
        self.trains = dict(trains)
        self._load = load
        self._loaded: dict[str, Model] = {}

    def __getitem__(self, provider_id: str) -> "Model":
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


class Model:
    """A DataProvider with a fitted Estimator, ids and provenance.

    Attributes:
        dp: The DataProvider, with the attributes that its hooks have set.
        estimator: The Estimator; None for a hollow DataProvider.
        run: Ids of the train.
        trained: Time of the fit (UTC); False before.
        provenance: Commit, branch, machine, user and library versions of the train.
        sets: Sets of the split by name; empty if they are not in memory.
        sets_estimations: Estimations of `sets` by name, after `trainsets_predict`.
        search: Runs a search and returns all hyperparameters; None if there is none to run.
        hyperparams_origin: ``dp``, ``defaults``, ``self``, or the train that they were taken from.
        fitted_signature: The result of `signature()`.
        scores: Built-in metrics of the evaluation set by set and name, the main one first.
        reference: Distributions of features and estimations in training; None if not recorded.
    """

    def __init__(
        self,
        dp: DataProvider,
        estimator: Estimator | None,
        run: TrainRun,
        provenance: Provenance | None = None,
    ) -> None:
        self.dp = dp
        self.estimator = estimator
        self.run = run
        self.provenance = provenance or Provenance()
        self.trained: datetime | Literal[False] = False
        self.sets: Mapping[str, pd.DataFrame] = {}
        self.sets_estimations: Mapping[str, pd.DataFrame] = {}
        self.search: Callable[[], dict[str, Any]] | None = None
        self.hyperparams_origin = "dp"
        self.fitted_signature = Signature()
        self.scores: Mapping[str, Mapping[str, float]] = {}
        self.reference: Reference | None = None

    # -- identity -----------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Id of the DataProvider."""
        return self.run.dataprovider_id

    @property
    def train_id(self) -> str:
        """Id of the train."""
        return self.run.train_id

    @property
    def train_session_id(self) -> str:
        """Id of the session that the train belongs to."""
        return self.run.train_session_id

    @property
    def git_commit(self) -> str | None:
        """Git commit that the train ran on; None if unknown."""
        return self.provenance.git_commit

    @property
    def git_branch(self) -> str | None:
        """Git branch that the train ran on; None if unknown."""
        return self.provenance.git_branch

    @property
    def user_name(self) -> str | None:
        """User who trained it; None if unknown."""
        return self.provenance.user_name

    @property
    def host_name(self) -> str | None:
        """Machine that trained it; None if unknown."""
        return self.provenance.host_name

    @property
    def algo_params(self) -> dict[str, dict[str, Any]]:
        """The `params` and `hyperparams` of the estimator; empty without one."""
        return self.estimator.hyperparam_exchange() if self.estimator else {}

    @property
    def pre_req_trains(self) -> dict[str, str]:
        """The `train_id` of each prerequisite that it was trained with, by DataProvider."""
        return dict(getattr(self.dp.pre_req_model, "trains", {}))

    def get_full_train_id(self) -> str:
        """Return `train_session_id:train_id`."""
        return self.run.full_train_id

    def signature(self) -> Signature:
        """Return inputs and output as they were in training."""
        return self.fitted_signature

    def __repr__(self) -> str:
        return f"<Model {self.id} {self.run.full_train_id} trained={self.trained}>"

    # -- train --------------------------------------------------------------------------------

    def hyperparam_optimize(self) -> dict[str, Any]:
        """Let the Estimator search on `sets`, set the hyperparameters that it found, return them.

        Without a `search`, the Estimator keeps its hyperparameters.
        """
        if self.estimator is None:
            return {}
        found = call_lent(self.estimator.hyperparam_optimize, model=self)
        return self.estimator.hyperparam_exchange(hyperparams=found)["hyperparams"]

    def fit(self, sets: Mapping[str, pd.DataFrame]) -> Self:
        """Fit the estimator.

        Args:
            sets: Frames by name: it is fitted on `train`; `val` may stop it early.

        Returns:
            This Model.

        Raises:
            DeclarationError: If there is no class `proba_class_index`; the classes are listed.
        """
        features = tuple(self.dp.get_estimator_features_list())
        target, train = self.dp.get_target(), sets["train"]
        self.sets = sets
        classes, one = [], None
        if self.estimator is not None:
            call_lent(self.estimator.fit, sets, features, str(target), model=self)
            if self.estimator.is_classifier():
                classes = labels_of(self.estimator.classes(), train[target])
                one = estimated_class(self.dp, classes, train[target])
        self.fitted_signature = Signature(
            features={
                name: str(train.dtypes[name])
                for name in self.dp.get_features_list()
                if name in train
            },
            estimator_features=features,
            target=target,
            set_rows={name: len(frame) for name, frame in sets.items()},
            classes=tuple(classes),
            estimated_class=None if one is None else one.index,
        )
        self.trained = datetime.now(UTC)
        return self

    # -- predict ------------------------------------------------------------------------------

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Estimate rows; see `generic_predict`.

        Returns:
            A frame with the column ``estimation``, indexed as the predict hooks leave `data`.
        """
        return self.generic_predict(data)

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Estimate class probabilities; see `generic_predict`.

        Returns:
            A frame with the columns ``estimation_class_0 …`` in [0, 1], or only that of
            `class_index`, indexed as the predict hooks leave `data`.
        """
        return self.generic_predict(data, "predict_proba", class_index)

    def generic_predict(
        self,
        data: pd.DataFrame,
        kind: PredictKind = "predict",
        class_index: int | None = None,
    ) -> pd.DataFrame:
        """Call the hook before, the estimator, and the hook after a prediction.

        Args:
            data: Rows with the features of the outside world; it is not changed.
            kind: Selects the pair of hooks and the method of the estimator.
            class_index: Return only the column of this class; used by `predict_proba` only.

        Raises:
            HookError: If a hook raises or returns no frame.
            MissingColumnError: If the frame of the first hook lacks a feature of the estimator.
            DataError: If `data` is no DataFrame, or the second hook returns another number of rows.
        """
        if not isinstance(data, pd.DataFrame):
            raise DataError(
                f"{self.id}.{kind} takes a pandas DataFrame with one row per estimation, not "
                f"{type(data).__name__}; for example pd.DataFrame([{{'column': value}}]).",
                dataprovider_id=self.id,
                got=type(data).__name__,
            )
        X = call_hook(self.dp, f"pre_process_for_{kind}", data, self)
        Y_pred = self._estimate(X, kind, class_index)
        owned = X is not data and not self.sets
        Y_pred = call_hook(self.dp, f"post_process_after_{kind}", X, Y_pred, self, owned=owned)
        if len(Y_pred) != len(X):
            raise DataError(
                f"{self.id}.post_process_after_{kind} returned {len(Y_pred)} estimations for "
                f"{len(X)} rows; it must keep the rows of Y_pred.",
                dataprovider_id=self.id,
            )
        return Y_pred

    def _estimate(self, X: pd.DataFrame, kind: PredictKind, class_index: int | None):
        if self.estimator is None:
            return pd.DataFrame(index=X.index)
        data = self._features_of(X)
        predict = getattr(self.estimator, kind)
        options = () if kind == "predict" else (class_index,)
        if type(self.estimator).__module__.startswith(BUILT_IN_ESTIMATORS):
            return predict(data, *options)
        return call_lent(predict, data, *options)

    def _features_of(self, X: pd.DataFrame) -> pd.DataFrame:
        features = self.fitted_signature.features_index
        if X.columns.equals(features):
            return X
        try:
            return X[list(features)]
        except KeyError as error:
            require_columns(X, features, f"{self.id}.x_estimator_features", "the data to estimate")
            raise DataError(
                f"{self.id}: the features cannot be selected ({text_of(error)})"
            ) from error

    def is_classifier(self) -> bool:
        """Return whether the target is a class; False without an estimator."""
        return self.estimator is not None and self.estimator.is_classifier()

    def estimate(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `predict_proba` of a classifier, `predict` of all others."""
        return self.predict_proba(data) if self.is_classifier() else self.predict(data)

    def estimated_class(self) -> EstimatedClass | None:
        """Return the class that estimations, metrics and plots are of.

        Returns:
            The class `proba_class_index` that the DataProvider had in training; without one, the
            larger of two labels. None for more than two classes, and for a Model that estimates
            numbers.
        """
        index = self.fitted_signature.estimated_class
        return (
            None if index is None else EstimatedClass(index, self.fitted_signature.classes[index])
        )

    def estimation_of(self, Y_pred: pd.DataFrame) -> pd.Series:
        """Return the estimation of each row.

        It is a number or, of a classifier, the probability of `estimated_class`; if that is None,
        the most probable label.

        Args:
            Y_pred: Result of `estimate`.

        Raises:
            DataError: If `Y_pred` lacks a class.
        """
        if not self.is_classifier():
            return Y_pred[ESTIMATION]
        if one := self.estimated_class():
            return self._probabilities(Y_pred, [one.index]).iloc[:, 0].rename(ESTIMATION)
        classes = self.fitted_signature.classes
        probabilities = self._probabilities(Y_pred, range(len(classes)))
        likeliest = probabilities.to_numpy(dtype="float64", na_value=np.nan).argmax(axis=1)
        labels = pd.Series(pd.Index(classes).take(likeliest), Y_pred.index, name=ESTIMATION)
        known = probabilities.notna().all(axis=1)
        return labels if known.all() else labels.where(known)

    def _probabilities(self, Y_pred: pd.DataFrame, indexes: Iterable[int]) -> pd.DataFrame:
        names = [f"{ESTIMATION}_class_{index}" for index in indexes]
        if missing := [name for name in names if name not in Y_pred]:
            raise DataError(
                f"{self.id}.post_process_after_predict_proba returned the columns "
                f"{', '.join(map(str, Y_pred.columns[:20]))}; the estimation needs {missing[0]}.",
                dataprovider_id=self.id,
            )
        return Y_pred[names]

    def trainsets_predict(self) -> Mapping[str, pd.DataFrame]:
        """Estimate every set of `sets`, and return the new `sets_estimations`."""
        self.sets_estimations = {name: self.estimate(frame) for name, frame in self.sets.items()}
        return self.sets_estimations
