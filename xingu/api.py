"""What users call: `xingu.Model`, a Model that can also be saved, loaded, measured and applied.

Its methods run the stages that the Dagster phases run, on the workspace of the current folder's
settings. A process that only loads and predicts imports neither databases nor metrics.
"""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import pandas as pd
from upath import UPath

from xingu.config import Settings
from xingu.errors import DataError
from xingu.model import Model as BareModel
from xingu.provider.estimator import ESTIMATION
from xingu.provider.hooks import call_hook
from xingu.records import Channel
from xingu.registry.pins import pinned_trains
from xingu.registry.store import ModelStore
from xingu.workspace import Workspace

if TYPE_CHECKING:
    from xingu.records import MetricRow


class Model(BareModel):
    """What is trained, saved, loaded and predicts.

    Attributes:
        batch: Rows and features of the last `batch_predict`.
        batch_estimations: Result of the last `batch_predict`.
    """

    batch: pd.DataFrame | None = None
    batch_estimations: pd.DataFrame | None = None

    # -- storage ------------------------------------------------------------------------------

    def save(self, path: str | UPath) -> UPath:
        """Save as the current package below the storage `path`; return the package's folder."""
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
        path: str | UPath = "models",
        project: str | Path = ".",
    ) -> Self:
        """Load a saved Model; needs the storage alone.

        Args:
            dp_id: Id of the DataProvider.
            train_id: This train; otherwise the one of the session, of the time, or the current one.
            train_session_id: The train of this session.
            as_of: The train that was current at this time (with a time zone).
            path: The model storage: a folder or a URL.
            project: A folder whose `inventory.yaml`, if it has one, may pin the current train.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If a file of the package is not what was saved.
        """
        store = ModelStore(path, pinned_trains(Path(project)), cls)
        found = store.find(dp_id, train_id=train_id, session_id=train_session_id, as_of=as_of)
        return cast(Self, store.load(dp_id, found))

    # -- train --------------------------------------------------------------------------------

    def hyperparam_optimize(self) -> dict[str, Any]:
        """Let the Estimator search on `sets`; set the hyperparameters it found and return them.

        Without a `search`, the declared one is run, and its trials are kept in memory.
        """
        if self.search is None and self.estimator is not None:
            from xingu.tuning.search import declared_search

            self.search = partial(declared_search, self)
        return super().hyperparam_optimize()

    # -- batch and metrics --------------------------------------------------------------------

    def batch_predict(self) -> pd.DataFrame:
        """Read the batch that the DataProvider declares, and return an ``estimation`` of each row.

        Databases, cache and folders are those of the settings of the current folder. Rows and
        estimations are kept in `batch` and `batch_estimations`.
        """
        from xingu.sources import parse_sources, read_sources
        from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch

        attribute = "batch_predict_dataset_sources"
        declared = call_hook(self.dp, "get_dataset_sources_for_batch_predict", self)
        specs = parse_sources(self.id, attribute, declared)
        place = self._workspace
        place.databases.check(self.id, attribute, specs)
        workers = place.options.source_workers
        results = read_sources(self.id, specs, place.databases, place.cache(), max_workers=workers)
        cleaned = clean_batch(self, {result.name: result.frame for result in results})
        self.batch = engineer_batch(self, cleaned)
        self.batch_estimations = estimate_batch(self, self.batch)
        return self.batch_estimations

    def compute_and_save_metrics(self, channel: Channel) -> "list[MetricRow]":
        """Measure what is in memory, and replace the metrics that the control DB has of it.

        Args:
            channel: ``trainsets``: `sets`; ``batch_predict``: `batch`; ``global``: the whole Model.

        Raises:
            DataError: If there is nothing in memory to measure.
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
                    f"{self.id}: its sets are not in memory; set model.sets, a dict of frames by "
                    "name."
                )
            if not self.sets_estimations:
                self.trainsets_predict()
            table = measure_sets(self)
        else:
            batch, estimations = self._estimated_batch()
            Y_pred = predicted(self, estimations)
            table = measure_batch(self, batch, Y_pred)
            of_estimations = measure_estimations(self, batch, Y_pred, table.failures)
            record_estimation_metrics(control, self.run, of_estimations)
        rows = [row for row in table.rows if row.set or channel == "global"]
        record_metrics(control, self.run, rows, {channel})
        table.failures.raise_collected()
        return rows

    def save_batch_predict_estimations(self) -> None:
        """Replace the estimations that the control DB has of this train by `batch_estimations`.

        Raises:
            DataError: If nothing was estimated yet.
        """
        from xingu.tracking.record import record_estimations

        estimations = self._estimated_batch()[1][ESTIMATION]
        record_estimations(self._workspace.control, self.run, estimations)

    @staticmethod
    def get_config(name: str, default: Any = None) -> Any:
        """Return the setting `name` (a variable, for example ``PLOTS_PATH``), or `default`.

        Raises:
            SettingsError: If the settings cannot be read.
        """
        return Settings.load().get(name, default)

    def _estimated_batch(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        if self.batch is None or self.batch_estimations is None:
            raise DataError(
                f"{self.id}: nothing was estimated yet; call model.batch_predict() first."
            )
        return self.batch, self.batch_estimations

    @property
    def _workspace(self) -> Workspace:
        return Workspace(Settings.load(), type(self))
