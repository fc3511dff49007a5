"""Model: a DataProvider with what it has learned, a fitted Estimator, ids and provenance.

Its one idea: a Model predicts with nothing but itself. It knows no database, no Dagster and no
settings; the Models of its prerequisites come along and are loaded when a hook touches them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import pandas as pd

from xingu.dataprovider import DataProvider
from xingu.errors import DataError, MissingColumnError, UntrainedModelError, did_you_mean
from xingu.estimator import ESTIMATION, Estimator
from xingu.hooks import call_hook
from xingu.provenance import Provenance

if TYPE_CHECKING:
    from upath import UPath

    from xingu.checks.reference import Reference
    from xingu.metrics.collect import MetricRow
    from xingu.tuning.search import SearchRoom

PredictKind = Literal["predict", "predict_proba"]


@dataclass(frozen=True, slots=True)
class TrainRun:
    """The ids of one train."""

    dataprovider_id: str
    train_id: str
    train_session_id: str
    run_id: str

    @property
    def full_train_id(self) -> str:
        """`train_session_id:train_id`."""
        return f"{self.train_session_id}:{self.train_id}"


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
        judged: The set of `sets` that judges it best, and what it estimates for that one.
        search: Where the trials of a search go; None: nowhere.
        batch: The rows of `batch_predict` as they were estimated, with their features.
        batch_estimations: What `batch_predict` has returned.
        reference: What features and estimations looked like in training; None: not known.
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
        self.judged: tuple[str, pd.DataFrame] | None = None
        self.batch: pd.DataFrame | None = None
        self.batch_estimations: pd.DataFrame | None = None
        self.search: SearchRoom | None = None
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
        """Let the estimator search on `sets`, keep what it found, and return that."""
        from xingu.tuning.search import optimize

        return optimize(self)

    def fit(self, sets: Mapping[str, pd.DataFrame]) -> Self:
        """Fit the estimator on `sets`: on `train`, and `val` may stop it early."""
        features = tuple(self.dp.get_estimator_features_list())
        target = self.dp.get_target()
        self.sets, self.judged = sets, None
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

    # -- the outside world --------------------------------------------------------------------

    def batch_predict(self) -> pd.DataFrame:
        """Read the batch that the DataProvider declares, and return an ``estimation`` of each row.

        Databases, cache and folders are those of the settings of the current folder. Rows and
        estimations are kept in `batch` and `batch_estimations`.
        """
        from xingu.barebones import batch_predict

        return batch_predict(self)

    def compute_and_save_metrics(
        self, channel: Literal["trainsets", "batch_predict", "global"]
    ) -> "list[MetricRow]":
        """Measure what is in memory, and replace the metrics that the control DB has of it.

        Args:
            channel: ``trainsets``: `sets`; ``batch_predict``: `batch`; ``global``: the whole Model.

        Raises:
            DataError: If there is nothing in memory to measure.
        """
        from xingu.barebones import compute_and_save_metrics

        return compute_and_save_metrics(self, channel)

    def save_batch_predict_estimations(self) -> None:
        """Replace the estimations that the control DB has of this train by `batch_estimations`.

        Raises:
            DataError: If nothing was estimated yet.
        """
        from xingu.barebones import save_batch_predict_estimations

        save_batch_predict_estimations(self)

    @staticmethod
    def get_config(name: str, default: Any = None) -> Any:
        """Return the setting `name` (a variable, for example ``PLOTS_PATH``), or `default`.

        Raises:
            SettingsError: If the settings cannot be read.
        """
        from xingu.config import Settings

        return Settings.load().get(name, default)

    # -- storage ------------------------------------------------------------------------------

    def save(self, path: "str | UPath") -> "UPath":
        """Save as the current package below the storage `path`; return the package's folder."""
        from xingu.storage.packages import ModelStore

        store = ModelStore(path)
        package = store.save(self)
        store.make_current(self.run)
        return package

    @classmethod
    def load(
        cls,
        dp_id: str,
        *,
        train_id: str | None = None,
        train_session_id: str | None = None,
        as_of: datetime | None = None,
        path: "str | UPath" = "models",
        project: str | Path = ".",
    ) -> "Model":
        """Load a saved Model; needs the storage alone.

        Args:
            dp_id: Id of the DataProvider.
            train_id: This train; otherwise the one of the session, of the time, or the current one.
            train_session_id: The train of this session.
            as_of: The train that was the current one at this time (with a time zone).
            path: The model storage: a folder or a URL.
            project: A folder whose `inventory.yaml`, if it has one, may pin the current train.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If a file of the package is not what was saved.
        """
        from xingu.inventory.file import pinned_trains
        from xingu.storage.packages import ModelStore

        store = ModelStore(path, pinned_trains(Path(project)))
        found = store.find(dp_id, train_id=train_id, session_id=train_session_id, as_of=as_of)
        return store.load(dp_id, found)


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], declared_as: str, frame_name: str
) -> None:
    """Raise MissingColumnError that names the `columns` that `frame` does not have."""
    known = set(frame.columns)
    missing = [name for name in columns if name not in known]
    if missing:
        names = [str(name) for name in frame.columns]
        hints = "".join(did_you_mean(name, names) for name in missing[:3])
        raise MissingColumnError(
            f"{declared_as} names {', '.join(map(repr, missing))}: not in {frame_name}, which has "
            f"{', '.join(names[:30]) or 'no columns'}{' …' if len(names) > 30 else ''}.{hints}",
            missing=missing,
        )
