"""The process of a pool worker: it executes one step after the other until the run ends.

Protocol over one duplex pipe: the run's process sends a `Task`, the worker answers with each
`DagsterEvent` of the step as it happens and then with `Done`. None, or the end of the pipe, ends
the worker. Import this module only after `compat.usable("pool")`.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.api import create_execution_plan, execute_plan_iterator
from dagster._core.execution.context_creation_job import create_context_free_log_manager
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster._utils.interrupts import capture_interrupts, pop_captured_interrupt

from xingu_dagster.engine import memory
from xingu_dagster.engine.cores import limited_to
from xingu_dagster.engine.crash import report_crashes

PARENT_CHECK_SECONDS = 1.0
STOP_SECONDS = 10.0
"""An orphaned worker interrupts its step and ends after this time at the latest."""


@dataclass(frozen=True)
class RunContext:
    """The part of a step's execution that is the same for all steps of a run."""

    job: Any
    dagster_run: dg.DagsterRun
    run_config: Any
    instance_ref: Any
    retry_mode: Any
    repository_load_data: Any


@dataclass(frozen=True)
class Task:
    """One step to execute.

    Attributes:
        step_key: The step.
        known_state: State of the run so far.
        cores: Number of cores that it may use.
    """

    step_key: str
    known_state: Any
    cores: int


@dataclass(frozen=True)
class Done:
    """The end of a task.

    Attributes:
        error: Error outside the step's own code, or its interruption; else None.
        memory_mb: Resident memory of the worker in megabytes of 2**20 bytes.
    """

    error: Any
    memory_mb: float


def work(
    connection: Connection, run: RunContext, inherited: Sequence[Connection], crashes: int | None
) -> None:
    """Execute the tasks that arrive on `connection` until it ends.

    Args:
        connection: The worker's end of the pipe.
        run: The run.
        inherited: Pipe ends of the run's process, which a forked worker must close: else a worker
            would keep the pipe of another one open.
        crashes: File descriptor to which the process reports its crash; None: it does not.
    """
    report_crashes(crashes)
    for one in inherited:
        one.close()
    with capture_interrupts():
        pop_captured_interrupt()
        _reseed_numpy()
        threading.Thread(target=_watch_parent, name="xingu-parent", daemon=True).start()
        with dg.DagsterInstance.from_ref(run.instance_ref) as instance, memory.enabled():
            try:
                while (task := connection.recv()) is not None:
                    error = None
                    with limited_to(task.cores):
                        for event in _execute(run, task, instance):
                            if isinstance(event, dg.DagsterEvent):
                                connection.send(event)
                            else:
                                error = event
                    connection.send(Done(error, _memory_mb()))
            except (EOFError, BrokenPipeError, ConnectionResetError):
                return  # the run's process has ended


def _execute(run: RunContext, task: Task, instance: dg.DagsterInstance) -> Iterator[Any]:
    """Execute one step as a child process of Dagster's multiprocess executor does.

    Yields its events, and last the error that was raised, if any.
    """
    try:
        yield dg.DagsterEvent.step_worker_started(
            create_context_free_log_manager(instance, run.dagster_run),
            run.dagster_run.job_name,
            message=f'Executing step "{task.step_key}" in worker process {os.getpid()}.',
            metadata={"pid": dg.MetadataValue.text(str(os.getpid()))},
            step_key=task.step_key,
        )
        plan = create_execution_plan(
            job=run.job,
            run_config=run.run_config,
            step_keys_to_execute=[task.step_key],
            known_state=task.known_state,
            repository_load_data=run.repository_load_data,
        )
        yield from execute_plan_iterator(
            plan,
            run.job,
            run.dagster_run,
            run_config=run.run_config,
            retry_mode=run.retry_mode,
            instance=instance,
        )
    except (Exception, KeyboardInterrupt, dg.DagsterExecutionInterruptedError):  # noqa: BLE001
        yield serializable_error_info_from_exc_info(sys.exc_info())


def _reseed_numpy() -> None:
    """Give each forked worker random numbers of its own, as `random` does by itself."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def _watch_parent() -> None:
    """End this process when the run's process has ended, whatever the main thread does.

    Both signs are needed: the parent of a process of the fork server is the server, and a forked
    sibling may hold the parent's sentinel open.
    """
    parent, first = parent_process(), os.getppid()
    pause = threading.Event()
    while parent is not None and parent.is_alive() and os.getppid() == first:
        pause.wait(PARENT_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)  # interrupts the step, which then reports its failure
    pause.wait(STOP_SECONDS)
    os._exit(1)


def _memory_mb() -> float:
    """Return the resident memory that is this process's own share, where the platform says it."""
    try:
        rows = Path("/proc/self/smaps_rollup").read_text().splitlines()
        return next(int(row.split()[1]) / 1024 for row in rows if row.startswith("Pss:"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
