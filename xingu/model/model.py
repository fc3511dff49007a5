"""Model: a DataProvider with its state, a fitted Estimator, ids and provenance.

A Model does no I/O and reads no settings; `xingu.api.Model` adds both. Models of prerequisites are
loaded when a hook first accesses them, by a function that is passed in.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal, Self

import pandas as pd

from xingu.errors import DataError, UntrainedModelError, did_you_mean
from xingu.model.provenance import Provenance
from xingu.model.reference import Reference
from xingu.provider.base import DataProvider
from xingu.provider.columns import require_columns
from xingu.provider.estimator import ESTIMATION, Estimator
from xingu.provider.hooks import call_hook
from xingu.records import TrainRun

PredictKind = Literal["predict", "predict_proba"]


@dataclass(frozen=True)
class Signature:
    """What a Model was trained on: names, order and dtypes of what goes in and comes out."""

    features: Mapping[str, str] = field(default_factory=dict)
    """Features of the outside world and their dtypes in the training data, where known."""
    estimator_features: tuple[str, ...] = ()
    target: str | None = None
    set_rows: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def features_index(self) -> pd.Index:
        """Features of the estimator, as columns of a frame."""
        return pd.Index(self.estimator_features)


class PreReqModels(Mapping[str, "Model"]):
    """The Models of prerequisites by id, each loaded when it is first asked for.

    Args:
        trains: The pinned `train_id` of each prerequisite.
        load: Gives the Model of an id and a `train_id`.
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
    """What is trained, saved, loaded and predicts.

    Attributes:
        dp: The DataProvider, with everything that its hooks have learned.
        estimator: The Estimator; None for a hollow DataProvider.
        run: The ids of the train.
        trained: When it was fitted (UTC), or False.
        provenance: Commit, branch, machine, person and library versions of the train.
        sets: The sets that it was trained on, while they are in memory.
        sets_estimations: What it estimates for `sets`, once that was computed.
        search: Runs the declared search for hyperparameters; None: there is none to run.
        hyperparams_origin: ``dp``, ``defaults``, ``self``, or the train that they were taken from.
        reference: Distributions of features and estimations in training; None: not known.
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
        self.reference: Reference | None = None

    # -- identity -----------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The id of the DataProvider."""
        return self.run.dataprovider_id

    @property
    def train_id(self) -> str:
        """The id of the train."""
        return self.run.train_id

    @property
    def train_session_id(self) -> str:
        """The id of the run that trained it."""
        return self.run.train_session_id

    @property
    def git_commit(self) -> str | None:
        """The commit that was checked out when it was trained."""
        return self.provenance.git_commit

    @property
    def git_branch(self) -> str | None:
        """The branch that was checked out when it was trained."""
        return self.provenance.git_branch

    @property
    def user_name(self) -> str | None:
        """Who trained it."""
        return self.provenance.user_name

    @property
    def host_name(self) -> str | None:
        """The machine that trained it."""
        return self.provenance.host_name

    @property
    def algo_params(self) -> dict[str, dict[str, Any]]:
        """The `params` and `hyperparams` of the estimator."""
        return self.estimator.hyperparam_exchange() if self.estimator else {}

    @property
    def pre_req_trains(self) -> dict[str, str]:
        """The `train_id` of each prerequisite that it was trained with and is packaged with."""
        return dict(getattr(self.dp.pre_req_model, "trains", {}))

    def get_full_train_id(self) -> str:
        """Return `train_session_id:train_id`."""
        return self.run.full_train_id

    def signature(self) -> Signature:
        """Return names and dtypes of what it was trained on."""
        return self.fitted_signature

    def __repr__(self) -> str:
        return f"<Model {self.id} {self.run.full_train_id} trained={self.trained}>"

    # -- train --------------------------------------------------------------------------------

    def hyperparam_optimize(self) -> dict[str, Any]:
        """Let the Estimator search on `sets`; set the hyperparameters it found and return them."""
        if self.estimator is None:
            return {}
        found = self.estimator.hyperparam_optimize(model=self)
        return self.estimator.hyperparam_exchange(hyperparams=found)["hyperparams"]

    def fit(self, sets: Mapping[str, pd.DataFrame]) -> Self:
        """Fit the estimator on `sets`: on `train`, and `val` may stop it early."""
        features = tuple(self.dp.get_estimator_features_list())
        target = self.dp.get_target()
        self.sets = sets
        if self.estimator is not None:
            self.estimator.fit(sets, features, str(target), model=self)
        dtypes = sets["train"].dtypes
        self.fitted_signature = Signature(
            features={
                name: str(dtypes[name]) for name in self.dp.get_features_list() if name in dtypes
            },
            estimator_features=features,
            target=target,
            set_rows={name: len(frame) for name, frame in sets.items()},
        )
        self.trained = datetime.now(UTC)
        return self

    # -- predict ------------------------------------------------------------------------------

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with the column ``estimation``, indexed as the hooks leave `data`."""
        return self.generic_predict(data)

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Return a frame with columns ``estimation_class_0 …``, or only that of `class_index`."""
        return self.generic_predict(data, "predict_proba", class_index)

    def generic_predict(
        self,
        data: pd.DataFrame,
        kind: PredictKind = "predict",
        class_index: int | None = None,
    ) -> pd.DataFrame:
        """Run the hooks and the estimator over `data`.

        Args:
            data: Rows with the features of the outside world.
            kind: Which pair of hooks and which method of the estimator.
            class_index: For `predict_proba`: only this class.

        Raises:
            MissingColumnError: If a feature of the estimator is not in what the hook returned.
            DataError: If estimations are not as many as the rows.
        """
        X = call_hook(self.dp, f"pre_process_for_{kind}", data, self)
        Y_pred = self._estimate(X, kind, class_index)
        Y_pred = call_hook(self.dp, f"post_process_after_{kind}", X, Y_pred, self)
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
        if kind == "predict":
            return self.estimator.predict(data)
        return self.estimator.predict_proba(data, class_index)

    def _features_of(self, X: pd.DataFrame) -> pd.DataFrame:
        features = self.fitted_signature.features_index
        if X.columns.equals(features):
            return X
        try:
            return X[list(features)]
        except KeyError as error:
            require_columns(X, features, f"{self.id}.x_estimator_features", "the data to estimate")
            raise DataError(f"{self.id}: the features cannot be selected ({error})") from error

    def is_classifier(self) -> bool:
        """Return whether it estimates classes."""
        return self.estimator is not None and self.estimator.is_classifier()

    def estimate(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return probabilities of all classes from a classifier, estimations from all others."""
        return self.predict_proba(data) if self.is_classifier() else self.predict(data)

    def estimation_of(self, Y_pred: pd.DataFrame) -> pd.Series:
        """Return *the* estimation of each row: a number, for a classifier a probability."""
        if self.is_classifier():
            return Y_pred[f"{ESTIMATION}_class_{self.dp.proba_class_index}"].rename(ESTIMATION)
        return Y_pred[ESTIMATION]

    def trainsets_predict(self) -> Mapping[str, pd.DataFrame]:
        """Estimate every set in `sets`, keep the result in `sets_estimations` and return it."""
        self.sets_estimations = {name: self.estimate(frame) for name, frame in self.sets.items()}
        return self.sets_estimations
