"""The part of a run that imports Dagster: it executes an `Order` and sends what happens."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import dagster as dg

from xingu.compat.factory import factory_of
from xingu.config import Settings
from xingu.cores import all_cores
from xingu.errors import SettingsError, UnknownProviderError, XinguError
from xingu.masking import masked, shown_address
from xingu.names import key_part
from xingu.registry.changes import borrow_train, changed_dataproviders
from xingu.registry.store import ModelStore
from xingu.workspace import Workspace
from xingu_dagster import outcome
from xingu_dagster.cli.order import Message, Order, schema_of
from xingu_dagster.engine.run_process import close_dead_runs
from xingu_dagster.engine.runs import RunRequest, project_job
from xingu_dagster.instance import instance_folder
from xingu_dagster.options import options_key
from xingu_dagster.partitions import chosen_partitions, partition_tags
from xingu_dagster.progress import Progress, StepNews
from xingu_dagster.resources import KEY
from xingu_dagster.running import (
    EVALUATE,
    TRAIN,
    TUNE,
    Graph,
    RunResult,
    batch_phases,
    open_instance,
    run,
    send_alerts,
)

Send = Callable[[Message], None]

PROJECT = "xingu_dagster.definitions"
EARLIER_RUNS = 5
"""Newest successful runs that expected durations are taken from."""


def work(order: Order, send: Send) -> None:
    """Execute an order; errors before the run become a message."""
    try:
        _Run(order, send).execute()
    except (KeyboardInterrupt, BrokenPipeError):
        text = "interrupted before the run began"
        send({"kind": "error", "text": text, "code": 130, "expected": True})
    except Exception as error:  # noqa: BLE001 - the command reports it
        traceback.print_exc()
        expected = isinstance(error, XinguError | OSError)
        text = masked(str(error) if expected else f"{type(error).__name__}: {error}")
        code = 2 if isinstance(error, UnknownProviderError) else 1
        trace = masked(traceback.format_exc())
        send({"kind": "error", "text": text, "code": code, "expected": expected, "trace": trace})


class _Run:
    def __init__(self, order: Order, send: Send) -> None:
        self.order, self.send, self.started = order, send, time.monotonic()
        self.left_out = ""
        self.settings = Settings.load()
        self.workspace = Workspace(self.settings)
        self.changed: dict[str, str] = {}
        self.home = self.settings.project_home.resolve()
        os.environ["DAGSTER_HOME"] = str(instance_folder(self.home))  # for the workers
        os.chdir(self.home)
        if str(self.home) not in sys.path:
            sys.path.insert(0, str(self.home))

    def execute(self) -> None:
        self.graph = Graph(import_module(PROJECT).defs)
        parts = self.graph.dataproviders
        if self.order.changed:
            parts = self._changed()
            if not parts:
                self.send({"kind": "end", "document": self._unchanged()})
                return
        steps = self.graph.select(parts, self._phases())
        if not steps:
            raise SettingsError(self._nothing())
        with open_instance(self.home) as instance:
            close_dead_runs(instance)
            steps, partitions = self._with_partitions(steps, instance)
            self.progress = Progress(steps, _expected(instance, steps), self._workers())
            result = run(
                RunRequest(
                    project_job(PROJECT),
                    frozenset([*self.graph.keys(steps), *self._proving(parts)]),
                    {**self._config(steps), "loggers": _loggers()},
                    {
                        "xingu/trigger": "command",
                        "xingu/command": self.order.command,
                        **partition_tags(partitions),
                    },
                ),
                instance,
                self._on_start,
                self._on_news,
            )
            result.partitions = partitions
            send_alerts(self.workspace, self.graph, instance, result.run_id)
        self.send({"kind": "end", "document": self._document(result)})

    # -- what to run --------------------------------------------------------------------------

    def _changed(self) -> list[str]:
        """Return the DataProviders that have changed, once the trains that they need are here."""
        classes = factory_of(self.settings).classes
        models = self.workspace.models
        base = ModelStore(self.settings.place(self.order.base)) if self.order.base else models
        found = changed_dataproviders(classes, base, self.home)
        self.changed = found
        needed = [*found, *(name for dp_id in found for name in sorted(classes[dp_id].pre_req))]
        for dp_id in dict.fromkeys(needed) if base is not models else ():
            borrow_train(base, models, dp_id)
        return [part for part in map(key_part, found) if part in self.graph.dataproviders]

    def _unchanged(self) -> dict[str, Any]:
        """Return the document of a run that has nothing to train."""
        broken = self.graph.broken
        code = outcome.FAILED if broken else outcome.OK
        place = shown_address(self.order.base or self.settings.models)
        return {
            "schema": schema_of(self.order.command),
            "status": outcome.STATUS[code],
            "exit_code": code,
            "note": f"Nothing to train: no code differs from that of current trains in {place}.",
            "dataproviders": [],
            "broken": broken,
            "error": "",
            "log": str(self.order.log),
        }

    @property
    def _trains(self) -> bool:
        command = self.order.command
        return command == "train" or (command == "default" and self.settings.train)

    def _phases(self) -> Sequence[str]:
        settings, command = self.settings, self.order.command
        if command == "tune":
            return TUNE
        estimates = command == "batch-predict" or settings.batch_predict
        batch = batch_phases(settings.sample_rows) if estimates else ()
        if not self._trains:
            return batch
        return TRAIN + (EVALUATE + batch if settings.post_process else ())

    def _nothing(self) -> str:
        if not self.graph.dataproviders:
            broken = "; ".join(f"{name}: {text}" for name, text in self.graph.broken.items())
            folder = self.home / self.settings.dataproviders_folder
            return broken or f"There is no DataProvider in {folder}; `xingu new` writes one."
        if self._phases():
            return "None of the DataProviders declares batch_predict_dataset_sources."
        return "There is nothing to do: neither to train nor to estimate batches."

    def _with_partitions(
        self, steps: list[str], instance: dg.DagsterInstance
    ) -> tuple[list[str], Sequence[str]]:
        """Return the steps of the run, and the partitions that it is of.

        Raises:
            SettingsError: If the requested partition does not exist, or nothing is left.
        """
        requested, definitions = self.order.partition, self.graph.partitions(steps)
        if requested:
            return steps, chosen_partitions(requested, definitions, instance)
        rest = self.graph.without_partitions(steps)
        if definitions:
            names = ", ".join(definitions)
            self.left_out = (
                f"The batch of {names} has partitions and was left out. Estimate one with `xingu "
                f"batch-predict --dps {','.join(definitions)} --partition latest`, or give its "
                "key, or FIRST..LAST."
            )
        if not rest:
            raise SettingsError(self.left_out)
        return rest, ()

    def _proving(self, parts: Sequence[str]) -> list[dg.AssetKey]:
        """Return the assets that decide whether trains become current, if all are not made."""
        if not self._trains or self.settings.post_process:
            return []
        return [key for part in parts for key in self.graph.proving(part)]

    def _config(self, steps: Sequence[str]) -> dict[str, Any]:
        tuned = [step for step in steps if step.endswith("__tune")]
        search = {"config": {"hyperopt_strategy": "self"}}
        ops = dict.fromkeys(tuned, search) if self.order.command == "tune" else {}
        options = {options_key(KEY): {"config": dict(self.order.options)}}
        return {"ops": ops, "resources": options if self.order.options else {}}

    def _workers(self) -> int:
        return self.settings.train_workers or all_cores()

    # -- what happens -------------------------------------------------------------------------

    def _on_start(self, started: dg.DagsterRun) -> None:
        plan = {name: getattr(self.progress, name) for name in ("steps", "expected", "workers")}
        self.send({"kind": "plan", **plan, "run_id": started.run_id})

    def _on_news(self, news: StepNews) -> None:
        self.progress.on_news(news)
        self.send({"kind": "news", "news": news})

    def _document(self, result: RunResult) -> dict[str, Any]:
        asked_for_all = not self.settings.dataproviders
        code = outcome.exit_code(result, self.graph.broken if asked_for_all else {})
        return {
            "schema": schema_of(self.order.command),
            "status": outcome.STATUS[code],
            "exit_code": code,
            "run_id": result.run_id,
            "seconds": round(time.monotonic() - self.started, 3),
            "dataproviders": self._records(result),
            "broken": self.graph.broken,
            "partitions": list(result.partitions),
            "left_out": self.left_out,
            "error": result.error,
            **({"changed": self.changed} if self.order.changed else {}),
            "instance": str(instance_folder(self.home)),
            "log": str(self.order.log),
        }

    def _records(self, result: RunResult) -> list[dict[str, Any]]:
        records = outcome.records(self.graph, result, self.progress, self.workspace)
        if not self.settings.debug:
            for failure in (one for record in records for one in record["failures"]):
                del failure["trace"]
        return records


def _loggers() -> dict[str, Any]:
    return {"console": {"config": {"log_level": "DEBUG"}}}


def _expected(instance: dg.DagsterInstance, steps: Sequence[str]) -> dict[str, float]:
    """Return the durations of steps in the newest runs that have them, in seconds."""
    seconds: dict[str, float] = {}
    finished = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])
    for earlier in instance.get_runs(finished, limit=EARLIER_RUNS):
        for one in instance.get_run_step_stats(earlier.run_id):
            if one.step_key in steps and one.start_time and one.end_time:
                seconds.setdefault(one.step_key, one.end_time - one.start_time)
    return seconds
