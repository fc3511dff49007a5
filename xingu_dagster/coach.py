"""Coach: the asset graph for notebooks and scripts.

It materializes the same assets, in the same instance of Dagster, as the UI and the command line;
there is no second pipeline. It is an entry point: it reads the settings.
"""

import logging
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, nullcontext
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
import pandas as pd

from xingu.api import Model, no_batch, time_of
from xingu.compat.factory import factory_of
from xingu.config import Settings
from xingu.cores import all_cores
from xingu.errors import RunFailedError, SettingsError
from xingu.names import key_part
from xingu.provider.base import DataProvider
from xingu.provider.discovery import DataProviderFactory
from xingu.reports.report import Report, report_trains
from xingu.tracking.query import TrainFilter
from xingu.values import partition_key
from xingu_dagster.coach_card import ShownCoach
from xingu_dagster.coach_names import LOAD_OPTIONS, CoachNames, check_names, ids_of
from xingu_dagster.engine.executor import thread_executor
from xingu_dagster.engine.runs import RunRequest
from xingu_dagster.partitions import chosen_partitions, partition_tags
from xingu_dagster.progress import Progress, shown
from xingu_dagster.project import definitions_of
from xingu_dagster.running import (
    BATCH,
    EVALUATE,
    TRAIN,
    Graph,
    RunResult,
    batch_phases,
    open_instance,
    run,
    send_alerts,
)
from xingu_dagster.spec import ProviderSpec

if TYPE_CHECKING:
    from sqlalchemy import Connection

logger = logging.getLogger(__name__)

LEFT_OUT = (
    "The batch of %s has partitions and was left out; estimate it with team_batch_predict(…, "
    "partition=…)"
)


class Coach(CoachNames, ShownCoach):
    """Train, load, apply and compare the Models of a project.

    Args:
        dp_factory: The DataProviders; None: those that the settings name.
        instance: The instance of Dagster; None: that of DAGSTER_HOME, else of the project's
            `dagster.yaml`, else in its folder `.dagster`.
        progress: Show which DataProvider is in which phase.
        **settings: Settings by the names of `xingu.config.Settings`; they win over the environment.

    Attributes:
        trained: The Models that were trained or loaded, by id.
    """

    def __init__(
        self,
        dp_factory: DataProviderFactory | None = None,
        *,
        instance: dg.DagsterInstance | None = None,
        progress: bool = True,
        **settings: Any,
    ) -> None:
        self.settings = Settings.load(**{**settings, "executor": "in_process"})
        self.dp_factory = factory_of(self.settings) if dp_factory is None else dp_factory
        self.trained: dict[str, Model] = {}
        self.trained_in_session: list[str] = []
        self._progress = progress
        if instance is not None:
            self.instance = instance

    # -- train --------------------------------------------------------------------------------

    def team_train(self, dps: Iterable[str] | None = None) -> dict[str, Model]:
        """Train DataProviders, prerequisites first, and return their Models by id.

        Unless the settings say otherwise, each is evaluated, and estimates its batch. Without
        `post_process` only the assets are made whose checks decide whether a train becomes current.
        A train that fails them is in `trained`, but `team_load` loads the one before.

        Args:
            dps: Their ids; None: all of the factory.

        Raises:
            RunFailedError: If a phase failed; the others were trained, and are in `trained`.
            DeclarationError: If all were requested, and files of DataProviders are broken; the
                others were trained.
        """
        ids = self._ids(dps)
        if not ids:
            self._check_files(dps)
            return {}
        phases, needed = TRAIN, []
        if self.settings.post_process:
            phases += self._after_training
        else:
            needed = [key for dp_id in ids for key in self._graph.proving(key_part(dp_id))]
        result = self._materialize(ids, phases, needed=needed)
        self._take_trained(ids, result.run_id)
        self.trained_in_session = [dp_id for dp_id in ids if dp_id in self.trained]
        _raise_failures(result)
        self._check_files(dps)
        return {dp_id: self.trained[dp_id] for dp_id in ids}

    # -- load and apply -----------------------------------------------------------------------

    def evaluate_and_estimate(self, ids: Sequence[str]) -> None:
        """Evaluate the latest trains, and estimate the batches unless BATCH_PREDICT is false.

        Raises:
            UnknownProviderError: If the factory does not have one of them.
            RunFailedError: If a phase failed.
        """
        if known := self._ids(ids):
            _raise_failures(self._materialize(known, self._after_training))

    def team_load(
        self,
        explicit_list: Iterable[DataProvider | str] | None = None,
        post_process: bool = True,  # noqa: ARG002 - loaded Models were evaluated when they were trained
        estimator_only: bool = False,
        pre_trained_path: str | None = None,
        **options: Any,
    ) -> dict[str, Model]:
        """Load the current Models and those of their prerequisites, several at once.

        Args:
            explicit_list: DataProviders or their ids; None: all of the factory.
            post_process: Not used.
            estimator_only: Use new DataProviders of the factory, without the saved state.
            pre_trained_path: The model storage; None: that of the settings.
            **options: As in Xingu 2.0: `pre_trained_train_session_id` and `pre_trained_as_of`
                select other trains than the current ones, `pre_req_train_or_session_ids` are
                trains or sessions in order of preference.

        Returns:
            The Models by id; `trained` has those of their prerequisites, too.

        Raises:
            UntrainedModelError: If one was never trained.
        """
        check_names("team_load", options, LOAD_OPTIONS)
        models = self._store(pre_trained_path)

        def load(dp_id: str) -> Model:
            model = cast(Model, models.load(dp_id, self._train_of(models, dp_id, options)))
            for pre_req in model.pre_req_trains:
                model.dp.pre_req_model[pre_req]
            if estimator_only:
                model.dp = self.dp_factory.create(dp_id)
            model.coach = self
            return model

        ids = self._ids(ids_of(explicit_list))
        with ThreadPoolExecutor(self.settings.load_workers or os.cpu_count()) as pool:
            loaded = dict(zip(ids, pool.map(load, ids), strict=True))
        for model in loaded.values():
            for pre_req, one in model.dp.pre_req_model.items():
                self.trained.setdefault(pre_req, cast(Model, one))
        self.trained |= loaded
        return loaded

    def team_batch_predict(
        self, dps: Iterable[str] | None = None, partition: str = ""
    ) -> dict[str, pd.DataFrame]:
        """Estimate the batch of each DataProvider with its current Model; nothing is trained.

        Args:
            dps: Their ids; None: all of the factory.
            partition: Of batches with partitions: a key, ``FIRST..LAST`` or ``latest``. Without it
                such batches are left out, with a warning.

        Returns:
            Estimations by id, of the DataProviders that declare a batch; of several partitions, the
            rows of all.

        Raises:
            RunFailedError: If a phase failed.
            SettingsError: If there is no such partition.
        """
        ids = [dp_id for dp_id in self._ids(dps) if self._has_batch(dp_id)]
        if not partition:
            ids = self._without_partitions(ids)
        if not ids:
            return {}
        result = self._materialize(ids, self._batch, partition=partition)
        _raise_failures(result)
        return {dp_id: self._estimations(dp_id, result.partitions) for dp_id in ids}

    def single_batch_predict(self, model: Model) -> pd.DataFrame:
        """Estimate the batch of a saved Model, also of one that is not the current one.

        Sinks are not written.

        Returns:
            A frame with the column ``estimation``, indexed as the batch.

        Raises:
            RunFailedError: If a phase failed.
            UntrainedModelError: If its DataProvider declares no batch.
            SettingsError: If its batch has partitions.
        """
        if not self._has_batch(model.id):
            raise no_batch(model.id)
        if not self._without_partitions([model.id]):
            raise SettingsError(
                f"The batch of {model.id} has partitions; estimate them with team_batch_predict("
                f"[{model.id!r}], partition=…)."
            )
        provider = ProviderSpec(self.dp_factory.classes[model.id])
        phases = BATCH if provider.batch_sources_need_model else BATCH[-1:]
        config = {
            f"{provider.op_prefix}__{phase}": {"config": {"train_id": model.train_id}}
            for phase in phases
        }
        _raise_failures(self._materialize([model.id], BATCH, config))
        return self._estimations(model.id)

    # -- look back ----------------------------------------------------------------------------

    def report(
        self,
        train_ids: Sequence[str] | None = (),
        dataprovider_id: str | None = None,
        start: datetime | str | None = None,
        reference_train_id: str | None = None,
        **others: Any,
    ) -> Report:
        """Compare trains: frames that can be rendered as a page, a workbook, or text.

        Args:
            train_ids: Trains, sessions, or ``session:train``; none: all.
            dataprovider_id: Only trains of this DataProvider.
            start: Only trains that began at or after this time; UTC without a time zone.
            reference_train_id: The train to compare with; None: the one before the newest of each
                DataProvider.
            **others: `end`: only trains that began before this time. `branch`: only trains on this
                branch of git. `on`, of Xingu 2.0, is not used.

        Raises:
            UntrainedModelError: If there is no such train, or the reference is not among them.
        """
        check_names("report", others, ("end", "branch", "on"))
        providers = [dataprovider_id] if dataprovider_id else []
        branches = [others["branch"]] if others.get("branch") else []
        window = time_of(start), time_of(others.get("end"))
        selection = TrainFilter(list(train_ids or ()), providers, *window, branches)
        return report_trains(self._workspace.control, selection, reference_train_id)

    def get_db_connection(self, nickname: str = "xingu") -> "Connection":
        """Return an open SQLAlchemy connection to a database of the settings; close it yourself.

        Args:
            nickname: ``xingu`` is the control DB.
        """
        databases = self._workspace.databases
        engine = self.xingu_db if nickname == "xingu" else databases.engine(nickname)
        connection = engine.connect()
        vars(connection)["connect"] = engine.connect  # Xingu 2.0 returned the engine
        return connection

    # -- the graph ----------------------------------------------------------------------------

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        """The instance of Dagster that runs are recorded in."""
        return open_instance(self.settings.project_home.resolve())

    @cached_property
    def _definitions(self) -> dg.Definitions:
        return definitions_of(self.settings, self.dp_factory.classes)

    @cached_property
    def _graph(self) -> Graph:
        return Graph(self._definitions)

    def _ids(self, dps: Iterable[str] | None) -> list[str]:
        requested = set(self.dp_factory.classes if dps is None else ids_of(dps) or ())
        for dp_id in requested - set(self.dp_factory.classes):
            self.dp_factory.create(dp_id)  # an unknown id is an error that names it
        return [dp_id for dp_id in self.dp_factory.classes if dp_id in requested]

    def _check_files(self, dps: Iterable[str] | None) -> None:
        if dps is None:
            self.dp_factory.check()

    @property
    def _after_training(self) -> tuple[str, ...]:
        """Phases after a train that do not decide whether it becomes current."""
        return EVALUATE + (self._batch if self.settings.batch_predict else ())

    @property
    def _batch(self) -> tuple[str, ...]:
        return batch_phases(self.settings.sample_rows)

    def _has_batch(self, dp_id: str) -> bool:
        return bool(self._graph.select([key_part(dp_id)], BATCH))

    def _without_partitions(self, ids: Sequence[str]) -> list[str]:
        """Return those whose batch has no partitions; warn of the others."""
        steps = self._graph.select(map(key_part, ids), BATCH)
        divided = self._graph.partitions(steps)
        if divided:
            logger.warning(LEFT_OUT, ", ".join(divided))
        return [dp_id for dp_id in ids if key_part(dp_id) not in divided]

    def _materialize(
        self,
        ids: Sequence[str],
        phases: Sequence[str],
        ops: Mapping[str, Any] | None = None,
        needed: Sequence[dg.AssetKey] = (),
        partition: str = "",
    ) -> RunResult:
        """Materialize phases that exist, at least one: Dagster takes none for all assets."""
        steps = self._graph.select(map(key_part, ids), phases)
        keys: Sequence[str] = ()
        if partition:
            definitions = self._graph.partitions(steps)
            keys = chosen_partitions(partition, definitions, self.instance)
        elif divided := self._graph.partitions(steps):
            logger.warning(LEFT_OUT, ", ".join(divided))
            steps = self._graph.without_partitions(steps)
        workers = min(self.settings.train_workers or all_cores(), len(ids))
        progress = Progress(steps, workers=workers)
        job = self._definitions.resolve_implicit_global_asset_job_def()
        request = RunRequest(
            job.with_executor_def(thread_executor(workers)),
            frozenset([*self._graph.keys(steps), *needed]),
            {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}, "ops": dict(ops or {})},
            {"xingu/trigger": "coach", **partition_tags(keys)},
        )
        display = shown(progress) if self._progress else nullcontext()
        with chdir(self.settings.project_home.resolve()), display, warnings.catch_warnings():
            # In a notebook, Dagster cannot close an event loop of its own that nothing has used.
            warnings.filterwarnings("ignore", "coroutine 'BaseEventLoop.shutdown_asyncgens'")
            result = run(request, self.instance, on_news=progress.on_news)
            send_alerts(self._workspace, self._graph, self.instance, result.run_id)
        result.partitions = keys
        return result

    def _take_trained(self, ids: Sequence[str], run_id: str) -> None:
        values, models = self._workspace.values, self._workspace.models
        for dp_id in ids:
            record = values.record((key_part(dp_id), "model"), [run_id])
            if record is not None and record.run_id == run_id:
                model = models.load(dp_id, record.facts.train_id or "")
                self.trained[dp_id] = cast(Model, model)

    def _estimations(self, dp_id: str, partitions: Sequence[str] = ()) -> pd.DataFrame:
        key = (key_part(dp_id), "batch", "estimations")
        steps = self._graph.select([key_part(dp_id)], BATCH)
        divided = partitions and self._graph.partitions(steps)
        keys = [partition_key(key, one) for one in partitions] if divided else [key]
        frames = [self._workspace.values.read(one).value.frame for one in keys]
        return frames[0] if len(frames) == 1 else pd.concat(frames)


def _raise_failures(result: RunResult) -> None:
    if result.success:
        return
    causes = {step: failure.text for step, failure in result.failures.items()}
    canceled = result.status is dg.DagsterRunStatus.CANCELED
    head = f"Run {result.run_id} {'was interrupted' if canceled else 'failed'}."
    lines = [f"{step}: {cause}" for step, cause in causes.items()] or [result.error]
    raise RunFailedError("\n".join(filter(None, [head, *lines])), causes=causes)
