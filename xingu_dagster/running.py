"""Run phases of DataProviders: the one way for the command and for `Coach`.

A phase is a step called ``<dp>__<phase>``, where dp is the id as a part of a key. What is not
selected is loaded from storage. A phase that fails stops only what needs it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from xingu import errors
from xingu_dagster.engine.limits import dataprovider_of
from xingu_dagster.engine.runs import INTERRUPTIONS, RunRequest, run_events
from xingu_dagster.factory import BROKEN, is_broken
from xingu_dagster.instance import instance_folder
from xingu_dagster.progress import State, StepNews

TRAIN, TUNE, EVALUATE = ("prepare", "tune", "fit"), ("prepare", "tune"), ("evaluate",)
BATCH, SINKS = ("batch_raw", "batch"), ("batch_sinks",)


@dataclass(frozen=True)
class Failure:
    """Why a step failed.

    Attributes:
        step: The step.
        error: Name of the class of the error.
        text: What it says.
        trace: Its traceback.
        cause: The exception of the user's code in one line; empty: none.
    """

    step: str
    error: str
    text: str
    trace: str
    cause: str = ""


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


def failure_of(event: dg.DagsterEvent) -> Failure:
    """Return why a step failed: the error of Xingu that says where, else the innermost one."""
    error: Any = event.step_failure_data.error
    trace = error.to_string() if error else ""
    # Errors of Xingu say where and what to do; their causes do not.
    while error is not None and error.cause is not None and not _is_ours(error.cls_name):
        error = error.cause
    text = error.message.strip() if error else "no reason was given"
    name = (error.cls_name if error else None) or "Exception"
    text = text.removeprefix(f"{name}: ").removeprefix(f"xingu.errors.{name}: ")
    cause = error.cause if error and _is_ours(name) else None
    if name in INTERRUPTIONS:
        text = "it was interrupted"
    return Failure(str(event.step_key), name, text, trace, _in_one_line(cause))


def _in_one_line(error: Any) -> str:
    """Return what an error of the user's code says, and where; empty for none."""
    if error is None:
        return ""
    text = " ".join(error.message.split())
    place = re.search(r'File "([^"]+)", line (\d+)', error.stack[-1]) if error.stack else None
    return f"{text} ({place[1]}:{place[2]})" if place else text


def is_refusal(failure: Failure) -> bool:
    """Return whether a check or a gate refused, and nothing broke."""
    return failure.error == errors.CheckFailedError.__name__


def is_interruption(failure: Failure) -> bool:
    """Return whether a signal ended the step."""
    return failure.error in INTERRUPTIONS


def _is_ours(class_name: str | None) -> bool:
    """Return whether an error class of Xingu has this name."""
    return issubclass(getattr(errors, class_name or "", Exception), errors.XinguError)
