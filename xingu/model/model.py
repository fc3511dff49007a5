"""Model: a DataProvider with its state, a fitted Estimator, ids and provenance.

A Model does no I/O and reads no settings; `xingu.api.Model` adds both. Models of prerequisites are
loaded when a hook first accesses them, by a function that is passed in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from xingu.errors import DataError, text_of
from xingu.model.card import ShownModel
from xingu.model.parts import MadeInFit, Signature
from xingu.model.provenance import Provenance
from xingu.model.reference import Reference
from xingu.provider.base import DataProvider
from xingu.provider.classes import EstimatedClass, estimated_class, labels_of
from xingu.provider.columns import require_columns
from xingu.provider.estimator import ESTIMATION, Estimator, call_estimator
from xingu.provider.hooks import call_hook
from xingu.provider.lending import call_lent, lend, reclaim
from xingu.records import TrainRun

PredictKind = Literal["predict", "predict_proba"]
BUILT_IN_ESTIMATORS = "xingu.estimators."
"""Modules of Estimators that change no frames, so that nothing has to be lent to them."""


class Model(ShownModel):
    """A DataProvider with a fitted Estimator, ids and provenance.

    Attributes:
        dp: The DataProvider, with the attributes that its hooks have set.
        estimator: The Estimator; None for a hollow DataProvider.
        run: Ids of the train.
        trained: Time of the fit (UTC); False before.
        provenance: Commit, branch, machine, user and library versions of the train.
        sets: Sets of the split by name; empty if they are not in memory.
        sets_estimations: Estimations of `sets` by name; there is no such attribute before the first
            one is made, by `trainsets_predict` or by the Estimator in its fit.
        made_in_fit: Sets and estimations that the Estimator added in its fit.
        context: What is being done: ``train_dataprep``, ``train_hyperopt``, ``train_fit`` or
            ``batch_predict``; None: none of these.
        search: Runs a search and returns all hyperparameters; None if there is none to run.
        hyperparams_origin: ``dp``, ``defaults``, ``self``, or the train that they were taken from.
        fitted_signature: The result of `signature()`.
        scores: Built-in metrics of the evaluation set by set and name, the main one first.
        reference: Distributions of features and estimations in training; None if not recorded.
        package_sha256: SHA-256 of the manifest of its package; None if it was not loaded.
        signer: The trusted key that has signed the package; None: it was not verified.
    """

    sets_estimations: Mapping[str, pd.DataFrame]
    package_sha256: str | None = None
    signer: str | None = None

    def __init__(
        self,
        dp: DataProvider,
        estimator: Estimator | None,
        run: TrainRun,
        provenance: Provenance | None = None,
    ) -> None:
        self.dp, self.estimator = dp, estimator
        self.run = run
        self.provenance = provenance or Provenance()
        self.trained: datetime | Literal[False] = False
        self.context: str | None = None
        self.sets: Mapping[str, pd.DataFrame] = {}
        self.made_in_fit = MadeInFit()
        self.search: Callable[[], dict[str, Any]] | None = None
        self.hyperparams_origin = "dp"
        self.fitted_signature = Signature()
        self.scores: Mapping[str, Mapping[str, float]] = {}
        self.reference: Reference | None = None

    @classmethod
    def of(
        cls,
        dp: DataProvider,
        estimator: Estimator | None,
        run: TrainRun,
        provenance: Provenance | None = None,
    ) -> Self:
        """Return a Model of these parts, whatever the constructor of a subclass takes."""
        model = cls.__new__(cls)
        Model.__init__(model, dp, estimator, run, provenance)
        return model

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
    def algo_params(self) -> dict[str, Any]:
        """The `params` and `hyperparams` of the estimator, and their `source_train_id`.

        It is empty without an estimator. The source is `hyperparams_origin`.
        """
        if self.estimator is None:
            return {}
        return {
            "source_train_id": self.hyperparams_origin,
            "params": dict(self.estimator.params),
            "hyperparams": dict(self.estimator.hyperparams),
        }

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

    # -- train --------------------------------------------------------------------------------

    def hyperparam_optimize(self) -> dict[str, Any]:
        """Let the Estimator search on `sets`, set the hyperparameters that it found, return them.

        Without a `search`, the Estimator keeps its hyperparameters.
        """
        if self.estimator is None:
            return {}
        with self.in_context("train_hyperopt"):
            found = call_estimator(
                self.estimator.hyperparam_optimize,
                datasets=self.sets,
                features=list(self.dp.get_estimator_features_list()),
                target=self.dp.get_target(),
                search_space=self.dp.get_estimator_optimization_search_space(),
                model=self,
            )
        self.exchange(hyperparams={**self.estimator.hyperparams, **(found or {})})
        return dict(self.estimator.hyperparams)

    def exchange(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
    ) -> None:
        """Apply parameters to the Estimator; None: no change.

        An override of `hyperparam_exchange` may ignore `params`, as that of Xingu 2.0 did.
        """
        if self.estimator is not None:
            if params is not None:
                self.estimator.params = dict(params)
            self.estimator.hyperparam_exchange(params=params, hyperparams=hyperparams)

    def fit(self, sets: Mapping[str, pd.DataFrame]) -> Self:
        """Fit the estimator.

        Args:
            sets: Frames by name: it is fitted on `train`; `val` may stop it early.

        Returns:
            This Model.

        Raises:
            DeclarationError: If there is no class `proba_class_index`; the classes are listed.
        """
        features = list(self.dp.get_estimator_features_list())
        target, train = self.dp.get_target(), sets["train"]
        self.sets = sets
        classes, one = [], None
        if self.estimator is not None:
            self._fit_estimator(features, str(target))
            if self.estimator.is_classifier():
                classes = labels_of(self.estimator.classes(), train[target])
                one = estimated_class(self.dp, classes, train[target])
        self.fitted_signature = Signature(
            features={
                name: str(train.dtypes[name])
                for name in self.dp.get_features_list()
                if name in train
            },
            estimator_features=tuple(features),
            target=target,
            set_rows={name: len(frame) for name, frame in sets.items()},
            classes=tuple(classes),
            estimated_class=None if one is None else one.index,
        )
        self.trained = datetime.now(UTC)
        return self

    def _fit_estimator(self, features: list[str], target: str) -> None:
        """Fit, and keep the sets and estimations that the Estimator added meanwhile.

        An Estimator of Xingu 2.0 may add the rows that its members held out as a set of its own,
        with their estimations in `model.sets_estimations`.
        """
        vars(self).pop("sets_estimations", None)
        datasets = {name: lend(frame) for name, frame in self.sets.items()}
        fit = partial(self.estimator.fit, datasets=datasets)  # type: ignore[union-attr]
        with self.in_context("train_fit"):
            call_estimator(fit, features=features, target=target, model=self)
        added = {name: reclaim(datasets[name]) for name in datasets if name not in self.sets}
        estimated = getattr(self, "sets_estimations", {})
        made = {name: frame for name, frame in estimated.items() if frame is not None}
        self.made_in_fit = MadeInFit(added, made)
        if added:
            self.sets = {**self.sets, **added}

    @contextmanager
    def in_context(self, context: str) -> Iterator[None]:
        """Set `context` for a block."""
        before, self.context = self.context, context
        try:
            yield
        finally:
            self.context = before

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
        method: PredictKind = "predict",
        class_index: int | None = None,
    ) -> pd.DataFrame:
        """Call the hook before, the estimator, and the hook after a prediction.

        Args:
            data: Rows with the features of the outside world; it is not changed.
            method: Selects the pair of hooks and the method of the estimator.
            class_index: Return only the column of this class; used by `predict_proba` only.

        Raises:
            HookError: If a hook raises or returns no frame.
            MissingColumnError: If the frame of the first hook lacks a feature of the estimator.
            DataError: If `data` is no DataFrame, or the second hook returns another number of rows.
        """
        if not isinstance(data, pd.DataFrame):
            raise DataError(
                f"{self.id}.{method} takes a pandas DataFrame with one row per estimation, not "
                f"{type(data).__name__}; for example pd.DataFrame([{{'column': value}}]).",
                dataprovider_id=self.id,
                got=type(data).__name__,
            )
        X = call_hook(self.dp, f"pre_process_for_{method}", data, self)
        Y_pred = self._estimate(X, method, class_index)
        owned = X is not data and not self.sets
        Y_pred = call_hook(self.dp, f"post_process_after_{method}", X, Y_pred, self, owned=owned)
        if len(Y_pred) != len(X):
            raise DataError(
                f"{self.id}.post_process_after_{method} returned {len(Y_pred)} estimations for "
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
        features = list(self.dp.get_estimator_features_list())
        if X.columns.tolist() == features:
            return X
        try:
            return X[features]
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
        """Estimate every set of `sets`, one after the other, and return `sets_estimations`.

        Those that the Estimator made in its fit are kept.
        """
        kept = self.made_in_fit.estimations
        made = {name: kept[name] for name in self.sets if name in kept}
        self.sets_estimations = made
        for name, frame in self.sets.items():
            if name not in made:
                made[name] = self.estimate(frame)
        return made
