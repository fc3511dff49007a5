"""`xingu.Model`: a Model with save, load, batch prediction and metrics, for scripts and notebooks.

The methods run the same stages as the Dagster phases, with the stores and databases of the settings
of the current folder. Methods import settings, databases and metrics on first use: a process that
only loads and predicts imports none of them.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, cast
from uuid import uuid4

import pandas as pd
from upath import UPath

from xingu.compat.training import Training
from xingu.errors import UntrainedModelError, did_you_mean
from xingu.names import session_id_of, train_id_of
from xingu.options import split_names
from xingu.provider.base import DataProvider
from xingu.provider.estimator import ESTIMATION
from xingu.provider.hooks import call_hook
from xingu.provider.project_code import remember_sources
from xingu.records import TrainRun
from xingu.registry.pins import pinned_trains
from xingu.registry.store import ModelStore

PRE_TRAINED = {
    "estimator_only": False,
    "pre_trained_path": None,
    "pre_trained_train_session_id": None,
    "pre_trained_train_id": None,
    "pre_trained_as_of": None,
    "train_or_session_id_match_list": None,
    "hyperopt_strategy": "last",
    "delayed_prereq_binding": False,
}
"""Options of `Model` with their defaults, in the order that Xingu 2.0 has them."""


class Model(Training):
    """A Model that can be trained, saved, loaded, measured and applied to a batch.

    Args:
        dp: The DataProvider; with `trained`, its id will do.
        coach: A Coach, whose settings and Models of prerequisites are used; None: the settings of
            the current folder.
        trained: Load the current train, see `load`, in place of an untrained Model.
        *given: The options below without their names, in the order of `PRE_TRAINED`.
        **options: As in Xingu 2.0. `hyperopt_strategy` is that of `fit`. With
            `delayed_prereq_binding`, `load_pre_req_model` has to be called before hooks use Models
            of prerequisites. With `trained`: `pre_trained_path`, `pre_trained_train_session_id`,
            `pre_trained_train_id`, `pre_trained_as_of` and `train_or_session_id_match_list` are
            arguments of `load`; with `estimator_only`, `dp` is kept.
    """

    def __init__(
        self,
        dp: DataProvider | str,
        coach: Any = None,
        trained: bool = False,
        *given: Any,
        **options: Any,
    ) -> None:
        options |= dict(zip(PRE_TRAINED, given, strict=False))
        for name in options:
            if name not in PRE_TRAINED:
                raise TypeError(f"Model has no argument {name!r}.{did_you_mean(name, PRE_TRAINED)}")
        known = {**PRE_TRAINED, **options}
        if trained or isinstance(dp, str):
            self._take_over(dp, coach, known)
        else:
            remember_sources()
            run_id = str(uuid4())
            run = TrainRun(
                str(dp.id), train_id_of(run_id, str(dp.id)), session_id_of(run_id), run_id
            )
            super().__init__(dp, None, run)
        self.coach = coach
        self.hyperopt_strategy = known["hyperopt_strategy"]
        if not known["delayed_prereq_binding"] and not self.trained and self.dp.pre_req:
            self.load_pre_req_model()

    def _take_over(self, dp: DataProvider | str, coach: Any, given: Mapping[str, Any]) -> None:
        """Take the attributes of a saved Model."""
        dp_id = dp if isinstance(dp, str) else str(dp.id)
        saved = type(self).load(
            dp_id,
            given["pre_trained_train_session_id"],
            given["pre_trained_train_id"],
            given["train_or_session_id_match_list"],
            given["pre_trained_as_of"],
            given["pre_trained_path"] or (coach and coach.settings.place(coach.settings.models)),
        )
        vars(self).update(vars(saved))
        if given["estimator_only"] and not isinstance(dp, str):
            self.dp = dp

    # -- storage ------------------------------------------------------------------------------

    def save(
        self,
        path: str | UPath | None = None,
        dvc_path: str | None = None,
        compress: bool = True,  # noqa: ARG002 - packages are as small as they get
    ) -> UPath:
        """Save a package in the model storage and make it current, unless a train is pinned.

        No check is computed: whoever calls this decides. Trains of the graph become current after
        their blocking checks.

        Args:
            path: The model storage: a folder or a URL; None: that of the settings.
            dvc_path: Not used, with a warning.
            compress: Not used.

        Returns:
            Folder or URL of the package.

        Raises:
            PortabilityError: If the package would not load without the project.
            StorageFullError: If the storage is full.
        """
        if dvc_path:
            self.dvc_track(dvc_path, "", "")
        verify = self.get_config("XINGU_VERIFY_PACKAGES", cast=bool)
        store = self._workspace.models if path is None else ModelStore(path, verify=verify)
        package = store.save(self)
        store.make_current(self.run)
        return package

    @classmethod
    def load(
        cls,
        dp_id: str,
        train_session_id: str | None = None,
        train_id: str | None = None,
        train_or_session_id_match_list: Sequence[str] | None = None,
        as_of: datetime | str | None = None,
        path: str | UPath | None = None,
    ) -> Self:
        """Load a saved Model, by default the current one; only the model storage is read.

        Args:
            dp_id: Id of the DataProvider.
            train_session_id: Load the train of this session; `as_of` does not count then.
            train_id: Load this train; the other arguments do not count then.
            train_or_session_id_match_list: Trains or sessions; the first that exists wins over the
                current one.
            as_of: Load the train that was current at this time; UTC without a time zone.
            path: The model storage: a folder or a URL; None: that of the settings. The
                `inventory.yaml` of the project may pin the current train.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If a file of the package differs from what was saved.
            SignatureError: If XINGU_TRUSTED_KEYS is set, and none of these keys has signed it.
            SettingsError: If `inventory.yaml` or a setting cannot be parsed.
        """
        store = model_store(path, cls)
        found = store.find(
            dp_id,
            train_id=given_id(train_id),
            session_id=given_id(train_session_id),
            as_of=time_of(as_of),
            preferred=train_or_session_id_match_list or (),
        )
        return cast(Self, store.load(dp_id, found))

    # -- train --------------------------------------------------------------------------------

    def fit(self, sets: Mapping[str, pd.DataFrame] | None = None) -> Self:
        """Train: read the sources, prepare, decide hyperparameters, and fit.

        Args:
            sets: Fit the estimator on these frames only; None: do everything.

        Raises:
            XinguError: As the phases `prepare`, `tune` and `fit` do.
        """
        return self.train_from_sources() if sets is None else super().fit(sets)

    def hyperparam_optimize(self) -> dict[str, Any]:
        """Search hyperparameters on `sets`, set those found, and return them.

        If `search` is None, the search that the DataProvider declares is run, with its trials in
        memory.

        Raises:
            DeclarationError: If the search space or `hyperopt` cannot be used.
            DataError: If every trial failed.
        """
        if self.search is None and self.estimator is not None:
            from xingu.tuning.search import declared_search

            self.search = partial(declared_search, self)
        return super().hyperparam_optimize()

    # -- batch and metrics --------------------------------------------------------------------

    def batch_predict(self) -> pd.DataFrame:
        """Read the batch sources of the DataProvider and estimate every row.

        Databases and cache are those of the settings of the current folder. The result is kept in
        `batch` and `batch_estimations`.

        Returns:
            A frame indexed as `batch`, with the column ``estimation``, and ``estimation_class_0 …``
            of a classifier.

        Raises:
            UntrainedModelError: If the DataProvider declares no batch.
            UnknownDatabaseError: If a source names a database that the settings do not have.
            HookError: If a hook raises.
            DataError: If rows are not identified by the index, or an estimation is missing.
        """
        from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch

        with self.in_context("batch_predict"):
            declared = call_hook(self.dp, "get_dataset_sources_for_batch_predict", self)
            if not declared:
                raise no_batch(self.id)
            cleaned = clean_batch(self, self.data_sources_to_data(declared) or {})
            self.batch = engineer_batch(self, cleaned)
            self.batch_estimations = estimate_batch(self, self.batch)
        self.batch_predict_time = datetime.now(UTC)
        return self.batch_estimations

    def save_batch_predict_estimations(self) -> None:
        """Replace the estimations of this train in the control DB by `batch_estimations`.

        Raises:
            DataError: If `batch_predict` was not called before.
        """
        from xingu.tracking.record import record_estimations

        estimations = self._estimated_batch()[1][ESTIMATION]
        record_estimations(self._workspace.control, self.run, estimations, self.signature().classes)


def model_store(
    path: str | UPath | None = None,
    model_class: type[Model] = Model,
    trusted: Sequence[str | Path] | None = None,
) -> ModelStore:
    """Return the store that Models are loaded from.

    Args:
        path: Folder or URL of the model storage; None: that of the settings.
        model_class: Class of the Models.
        trusted: Files or texts of public keys, one of which must have signed what is loaded; None:
            those of XINGU_TRUSTED_KEYS, if it is set.

    Raises:
        SettingsError: If `inventory.yaml`, a setting or a key cannot be read.
    """
    home, keys = Path(os.environ.get("PROJECT_HOME") or "."), None
    if path is None:
        from xingu.config import Settings

        settings = Settings.load()
        home, path = settings.project_home, settings.place(settings.models)
    if trusted is None:
        from xingu.config import ConfigManager

        trusted = split_names(ConfigManager.get("XINGU_TRUSTED_KEYS", "")) or None
    if trusted is not None:
        from xingu.registry.signing import Keys, trusted_keys

        keys = Keys(trusted=trusted_keys(trusted, home))
    return ModelStore(path, pinned_trains(home), model_class, keys=keys)


def no_batch(dp_id: str) -> UntrainedModelError:
    """Return the error of a batch that a DataProvider does not declare."""
    return UntrainedModelError(
        f"{dp_id} declares no batch_predict_dataset_sources, so there is nothing to estimate; "
        "call model.predict(data).",
        dataprovider_id=dp_id,
    )


def given_id(value: str | None) -> str | None:
    """Return an id; None and ``*`` of 2.0 are none."""
    return None if value in (None, "*") else value


def time_of(value: Any) -> datetime | None:
    """Return a time with a time zone, UTC if it has none; None and ``*`` of 2.0 are no time."""
    if value is None or (isinstance(value, str) and value == "*"):
        return None
    time = pd.Timestamp(value)
    return (time if time.tzinfo else time.tz_localize("UTC")).to_pydatetime()
