"""`xingu.Model`: a Model with save, load, batch prediction and metrics, for scripts and notebooks.

The methods run the same stages as the Dagster phases, with the stores and databases of the settings
of the current folder. Methods import settings, databases and metrics on first use: a process that
only loads and predicts imports none of them.
"""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import pandas as pd
from upath import UPath

from xingu.errors import DataError, UntrainedModelError
from xingu.model import Model as BareModel
from xingu.provider.estimator import ESTIMATION
from xingu.provider.hooks import call_hook
from xingu.records import Channel
from xingu.registry.pins import pinned_trains
from xingu.registry.store import ModelStore

if TYPE_CHECKING:
    from xingu.records import MetricRow
    from xingu.workspace import Workspace


class Model(BareModel):
    """A fitted model that can be saved, loaded, measured and applied to a batch.

    Attributes:
        batch: Rows and features of the last `batch_predict`; None before.
        batch_estimations: Result of the last `batch_predict`; None before.
    """

    batch: pd.DataFrame | None = None
    batch_estimations: pd.DataFrame | None = None

    # -- storage ------------------------------------------------------------------------------

    def save(self, path: str | UPath) -> UPath:
        """Save a package in the model storage and make it current, unless a train is pinned.

        No check is computed: whoever calls this decides. Trains of the graph become current after
        their blocking checks.

        Args:
            path: The model storage: a folder or a URL.

        Returns:
            Folder or URL of the package.

        Raises:
            PortabilityError: If the package would not load without the project.
            StorageFullError: If the storage is full.
        """
        store = ModelStore(path, verify=self.get_config("XINGU_VERIFY_PACKAGES"))
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
        path: str | UPath = "models",
        project: str | Path = ".",
    ) -> Self:
        """Load a saved Model, by default the current one; only the model storage is read.

        Args:
            dp_id: Id of the DataProvider.
            train_id: Id of the train; the arguments below do not count then.
            train_session_id: Load the train of this session; `as_of` does not count then.
            as_of: Load the train that was current at this time (with a time zone).
            path: The model storage: a folder or a URL.
            project: Folder whose `inventory.yaml`, if it has one, may pin the current train.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If a file of the package differs from what was saved.
            SettingsError: If `inventory.yaml` cannot be parsed.
        """
        store = ModelStore(path, pinned_trains(Path(project)), cls)
        found = store.find(dp_id, train_id=train_id, session_id=train_session_id, as_of=as_of)
        return cast(Self, store.load(dp_id, found))

    # -- train --------------------------------------------------------------------------------

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
        from xingu.sources import parse_sources, read_sources
        from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch

        attribute = "batch_predict_dataset_sources"
        declared = call_hook(self.dp, "get_dataset_sources_for_batch_predict", self)
        specs = parse_sources(self.id, attribute, declared)
        if not specs:
            raise UntrainedModelError(
                f"{self.id} declares no {attribute}, so there is nothing to estimate; call "
                "model.predict(data).",
                dataprovider_id=self.id,
            )
        workspace = self._workspace
        databases, workers = workspace.databases, workspace.source_workers
        databases.check(self.id, attribute, specs)
        results = read_sources(self.id, specs, databases, workspace.cache(), max_workers=workers)
        cleaned = clean_batch(self, {result.name: result.frame for result in results})
        self.batch = engineer_batch(self, cleaned)
        self.batch_estimations = estimate_batch(self, self.batch)
        return self.batch_estimations

    def compute_and_save_metrics(self, channel: Channel) -> "list[MetricRow]":
        """Compute the metrics of a channel and replace those in the control DB.

        Args:
            channel: ``trainsets`` measures `sets`, ``batch_predict`` measures `batch`, ``global``
                measures the Model as a whole.

        Returns:
            The saved metrics.

        Raises:
            DataError: If `sets` or `batch` is not in memory.
            HookError: If a metric method raised; the other metrics are saved.
        """
        from xingu.stages.batch import predicted
        from xingu.stages.evaluate import (
            measure_batch,
            measure_estimations,
            measure_global,
            measure_sets,
        )
        from xingu.tracking.record import record_estimation_metrics, record_metrics

        control = self._workspace.control
        if channel == "global":
            table = measure_global(self)
        elif channel == "trainsets":
            if not self.sets:
                raise DataError(
                    f"{self.id}: its sets are not in memory; assign model.sets, a dict of frames."
                )
            if not self.sets_estimations:
                self.trainsets_predict()
            table = measure_sets(self)
        else:
            batch, estimations = self._estimated_batch()
            Y_pred = predicted(self, estimations)
            table = measure_batch(self, batch, Y_pred)
            estimation_metrics = measure_estimations(self, batch, Y_pred, table.failures)
            record_estimation_metrics(control, self.run, estimation_metrics)
        rows = [row for row in table.rows if row.set or channel == "global"]
        record_metrics(control, self.run, rows, {channel}, table.noise)
        table.failures.raise_collected()
        return rows

    def save_batch_predict_estimations(self) -> None:
        """Replace the estimations of this train in the control DB by `batch_estimations`.

        Raises:
            DataError: If `batch_predict` was not called before.
        """
        from xingu.tracking.record import record_estimations

        estimations = self._estimated_batch()[1][ESTIMATION]
        record_estimations(self._workspace.control, self.run, estimations, self.signature().classes)

    @staticmethod
    def get_config(name: str, default: Any = None) -> Any:
        """Return a setting or environment variable.

        Args:
            name: Name of the variable, for example ``PLOTS_PATH``.
            default: Returned if there is no such setting and no such variable.

        Raises:
            SettingsError: If a setting is malformed.
        """
        from xingu.config import Settings

        return Settings.load().get(name, default)

    def _estimated_batch(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        if self.batch is None or self.batch_estimations is None:
            raise DataError(f"{self.id}: no batch was estimated; call model.batch_predict() first.")
        return self.batch, self.batch_estimations

    @property
    def _workspace(self) -> "Workspace":
        from xingu.config import Settings
        from xingu.workspace import Workspace

        return Workspace(Settings.load(), type(self))
