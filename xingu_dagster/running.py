"""Run phases of DataProviders: the one way for the command and for `Coach`.

A phase is a step called ``<dp>__<phase>``, where dp is the id as a part of a key. What is not
selected is loaded from storage. A phase that fails stops only what needs it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from xingu.workspace import Workspace
from xingu_dagster.alerts import Watched, alerts_of_run
from xingu_dagster.engine.limits import dataprovider_of
from xingu_dagster.engine.runs import RunRequest, run_events
from xingu_dagster.factory import BROKEN, is_broken
from xingu_dagster.failures import Failure, failure_of
from xingu_dagster.instance import instance_folder
from xingu_dagster.progress import State, StepNews

TRAIN, TUNE, EVALUATE = ("prepare", "tune", "fit"), ("prepare", "tune"), ("evaluate",)
BATCH, SINKS = ("batch_raw", "batch"), ("batch_sinks",)


def batch_phases(sample_rows: int) -> tuple[str, ...]:
    """Return the phases of a batch; estimations of samples are not written to sinks."""
    return BATCH if sample_rows else BATCH + SINKS


@dataclass
class RunResult:
    """The end of a run.

    Attributes:
        run_id: Its id.
        status: Its status.
        failures: The steps that failed, by name.
        checks: Results of checks that failed.
        error: Why it failed, if it was not a step; else empty.
        partitions: Keys of the partitions of the batch that it was of.
    """

    run_id: str
    status: dg.DagsterRunStatus
    failures: dict[str, Failure] = field(default_factory=dict)
    checks: list[dg.AssetCheckEvaluation] = field(default_factory=list)
    error: str = ""
    partitions: Sequence[str] = ()

    @property
    def success(self) -> bool:
        """Whether every step that was selected has ended well."""
        return self.status is dg.DagsterRunStatus.SUCCESS


class Graph:
    """The steps of definitions, by DataProvider and phase.

    Args:
        definitions: The definitions of a project.
    """

    def __init__(self, definitions: dg.Definitions) -> None:
        assets = [one for one in definitions.assets or () if isinstance(one, dg.AssetsDefinition)]
        steps = {one.op.name: one for one in assets if one.is_executable}
        broken = {
            name: spec for name, one in steps.items() for spec in one.specs if is_broken(spec)
        }
        self.broken = {
            spec.key.path[-1]: str(spec.description).removeprefix(BROKEN)
            for spec in broken.values()
        }
        self.steps = {
            name: one for name, one in steps.items() if "__" in name and name not in broken
        }

    @property
    def dataproviders(self) -> list[str]:
        """Ids of the DataProviders as parts of keys, in the order of the definitions."""
        return list(dict.fromkeys(map(dataprovider_of, self.steps)))

    def of(self, part: str) -> list[dg.AssetsDefinition]:
        """Return the steps of a DataProvider."""
        return [one for name, one in self.steps.items() if dataprovider_of(name) == part]

    def select(self, parts: Iterable[str], phases: Sequence[str]) -> list[str]:
        """Return the steps of phases that exist, by DataProvider."""
        names = [f"{part}__{phase}" for part in parts for phase in phases]
        return [name for name in names if name in self.steps]

    def partitions(self, steps: Iterable[str]) -> dict[str, dg.PartitionsDefinition]:
        """Return the partitions of the batches among steps, by DataProvider as part of a key."""
        found = {step: next(iter(self.steps[step].specs)).partitions_def for step in steps}
        return {dataprovider_of(step): one for step, one in found.items() if one}

    def without_partitions(self, steps: Iterable[str]) -> list[str]:
        """Return the steps that a run without a partition can make."""
        return [step for step in steps if not self.partitions([step])]

    def keys(self, steps: Iterable[str]) -> list[dg.AssetKey]:
        """Return the assets of steps."""
        return [key for step in steps for key in self.steps[step].keys]

    def proving(self, part: str) -> list[dg.AssetKey]:
        """Return the assets of `evaluate` up to the last that has a blocking check.

        Without them, a train does not become current.
        """
        one = self.steps.get(f"{part}__evaluate")
        blocking = {spec.asset_key for spec in one.check_specs if spec.blocking} if one else set()
        keys = [spec.key for spec in one.specs] if one else []
        last = max((keys.index(key) for key in blocking), default=-1)
        return keys[: last + 1]


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open the instance of DAGSTER_HOME, else that of the project.

    Args:
        home: Folder of the project. Without a `dagster.yaml`, the instance is in its `.dagster`.
    """
    folder = instance_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    with chdir(home):  # the paths of dagster.yaml are relative to it
        return dg.DagsterInstance.from_config(str(folder))


def run(
    request: RunRequest,
    instance: dg.DagsterInstance,
    on_start: Callable[[dg.DagsterRun], None] = lambda _: None,
    on_news: Callable[[StepNews], None] = lambda _: None,
) -> RunResult:
    """Execute a run.

    Args:
        request: What to run.
        instance: The instance of Dagster.
        on_start: Is called with the run before its first step begins.
        on_news: Is called when a step changes.
    """
    result = RunResult("", dg.DagsterRunStatus.NOT_STARTED)
    for event in run_events(request, instance):
        if isinstance(event, dg.DagsterRun):
            result.run_id = event.run_id
            on_start(event)
            continue
        for news in _news(event):
            on_news(news)
        if event.is_step_failure:
            failure = failure_of(event)
            result.failures[failure.step] = failure
        if event.event_type is dg.DagsterEventType.RUN_FAILURE and not result.failures:
            failed: Any = event.event_specific_data
            result.error = (
                failed.error.to_string() if failed and failed.error else str(event.message)
            )
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            checked: Any = event.event_specific_data
            if not checked.passed:
                result.checks.append(checked)
    ended = instance.get_run_by_id(result.run_id)
    result.status = ended.status if ended else dg.DagsterRunStatus.FAILURE
    return result


def send_alerts(
    workspace: Workspace, graph: Graph, instance: dg.DagsterInstance, run_id: str
) -> None:
    """Send the alerts of a run of a command or of `Coach`, if ALERT_ON_COMMAND says so.

    Nothing is raised: a channel must not fail a run.
    """
    alerts = workspace.usable_alerts
    run = instance.get_run_by_id(run_id) if alerts.on_command else None
    if run is not None:
        watched = Watched.of({part: graph.of(part) for part in graph.dataproviders}, "xingu")
        alerts.send(*alerts_of_run(instance, run, watched, alerts))


def _news(event: dg.DagsterEvent) -> Iterator[StepNews]:
    states: Mapping[Any, State] = {
        dg.DagsterEventType.STEP_START: "running",
        dg.DagsterEventType.ASSET_MATERIALIZATION: "running",
        dg.DagsterEventType.STEP_SUCCESS: "done",
        dg.DagsterEventType.STEP_FAILURE: "failed",
        dg.DagsterEventType.STEP_SKIPPED: "skipped",
    }
    if event.step_key and event.event_type in states:
        made = event.asset_key.path[1:] if event.asset_key else ()
        yield StepNews(event.step_key, states[event.event_type], "/".join(made))
