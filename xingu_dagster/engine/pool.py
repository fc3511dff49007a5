"""The worker processes of one run, as its main process sees them.

Workers are forked from the run's process, which has imported everything, where that is safe; else
they come from multiprocessing's fork server, or are spawned. Import this module only after
`compat.usable("pool")`.
"""

import multiprocessing
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from tempfile import TemporaryFile
from typing import IO, Any, Self

import dagster as dg

from xingu_dagster.engine.crash import place_of_crash
from xingu_dagster.engine.limits import Limits, dataprovider_of
from xingu_dagster.engine.worker import Done, RunContext, Task, work

STOP_SECONDS = 10.0
"""A worker that was told to end is killed after this time."""


@dataclass(frozen=True)
class Died:
    """The unexpected end of a worker's process.

    Attributes:
        exit_code: Its exit code; negative: the signal that ended it.
        place: Line of the user's code in which it has crashed; empty: not known.
    """

    exit_code: int
    place: str = ""


@dataclass(eq=False)
class Worker:
    """One worker process, and the step that it executes."""

    process: BaseProcess
    connection: Connection
    report: IO[str]
    step_key: str | None = None
    steps: int = 0

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid or 0


Message = dg.DagsterEvent | Done | Died


class Pool:
    """The workers of one run; a context manager that leaves no process behind.

    Args:
        run: The run.
        limits: Number of workers, and when one is replaced.
        preload: Modules to import once, before the first worker starts.
    """

    def __init__(self, run: RunContext, limits: Limits, preload: Sequence[str]) -> None:
        self._run = run
        self._limits = limits
        self._preload = preload
        self._workers: list[Worker] = []
        self._leaving: list[BaseProcess] = []
        self._last_worker: dict[str, Worker] = {}
        """Worker that executed the last step of a DataProvider."""

    @property
    def busy(self) -> list[Worker]:
        """Workers that execute a step."""
        return [worker for worker in self._workers if worker.step_key is not None]

    @property
    def free_places(self) -> int:
        """Number of steps that can be started now."""
        return self._limits.workers - len(self.busy)

    def fill(self, steps: int) -> None:
        """Start workers for so many steps at once, up to the limit, also in place of dead ones."""
        for worker in list(self._workers):
            if worker.step_key is None and not worker.process.is_alive():
                self._remove(worker)
        for _ in range(min(steps, self._limits.workers) - len(self._workers)):
            self._add()

    def prefers(self, step_key: str) -> bool:
        """Return whether the last worker of the step's DataProvider is idle."""
        worker = self._last_worker.get(dataprovider_of(step_key))
        return worker is not None and worker.step_key is None

    def start(self, tasks: list[Task]) -> None:
        """Give tasks to idle workers, each to the one that has its DataProvider's values."""
        self.fill(len(self.busy) + len(tasks))
        idle = [worker for worker in self._workers if worker.step_key is None]
        for task in sorted(tasks, key=lambda task: not self.prefers(task.step_key)):
            group = dataprovider_of(task.step_key)
            last = self._last_worker.get(group)
            worker = last if last in idle else idle[0]
            idle.remove(worker)
            worker.step_key, worker.steps = task.step_key, worker.steps + 1
            if group:
                self._last_worker[group] = worker
            with suppress(BrokenPipeError, ConnectionResetError):  # it has died: see `receive`
                worker.connection.send(task)

    def receive(self, seconds: float) -> Iterator[tuple[Worker, str | None, Message]]:
        """Yield what workers say, with the step's key, after at most `seconds` of silence."""
        waiting: dict[Any, Worker] = {}
        for worker in self._workers:
            waiting |= {worker.connection: worker, worker.process.sentinel: worker}
        if not waiting:
            time.sleep(seconds)
            return
        ready = {id(worker): worker for worker in (waiting[one] for one in wait(waiting, seconds))}
        # A sentinel stays silent while a process that the worker forked holds it open.
        ended = {id(worker): worker for worker in self.busy if not worker.process.is_alive()}
        for worker in (ready | ended).values():
            yield from self._messages(worker)

    def _messages(self, worker: Worker) -> Iterator[tuple[Worker, str | None, Message]]:
        alive = worker.process.is_alive()
        with suppress(EOFError, OSError):
            while worker.connection.poll():
                message = worker.connection.recv()
                step_key = worker.step_key
                if isinstance(message, Done):
                    worker.step_key = None
                    self._retire_if_used_up(worker, message.memory_mb)
                yield worker, step_key, message
                if worker not in self._workers:
                    return
            if alive:
                return
        worker.process.join(STOP_SECONDS)
        step_key, worker.step_key = worker.step_key, None
        place = place_of_crash(worker.report)
        self._remove(worker)
        yield worker, step_key, Died(worker.process.exitcode or 0, place)

    def _retire_if_used_up(self, worker: Worker, memory_mb: float) -> None:
        limits = self._limits
        if (limits.memory_mb and memory_mb > limits.memory_mb) or (
            limits.steps and worker.steps >= limits.steps
        ):
            self._remove(worker)

    def _remove(self, worker: Worker) -> None:
        self._workers.remove(worker)
        self._last_worker = {g: one for g, one in self._last_worker.items() if one is not worker}
        with suppress(OSError):
            worker.connection.send(None)
        worker.connection.close()
        worker.report.close()
        self._leaving.append(worker.process)

    def interrupt(self) -> None:
        """Interrupt the steps that run; the workers report how they end."""
        for worker in self.busy:
            worker.process.terminate()

    def kill(self) -> None:
        """Kill the workers that execute a step."""
        for worker in self.busy:
            worker.process.kill()

    def _add(self) -> None:
        context = _start_context(self._preload)
        ours, theirs = context.Pipe()
        forked = context.get_start_method() == "fork"
        inherited = [*(worker.connection for worker in self._workers), ours] if forked else []
        report = TemporaryFile("w+", errors="replace")  # noqa: SIM115 - open as long as the worker
        crashes = report.fileno() if forked else None
        process = context.Process(
            target=work, args=(theirs, self._run, inherited, crashes), name="xingu-worker"
        )
        process.start()
        theirs.close()
        self._workers.append(Worker(process, ours, report))

    def __enter__(self) -> Self:
        if can_fork():
            for name in self._preload:
                with suppress(ImportError):  # the step that needs it says what is wrong
                    import_module(name)
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        for worker in list(self._workers):
            self._remove(worker)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._leaving:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()


def can_fork() -> bool:
    """Return whether a fork is safe: not beside other threads, nor with macOS's libraries."""
    has_fork = "fork" in multiprocessing.get_all_start_methods()
    return has_fork and sys.platform != "darwin" and threading.active_count() == 1


def _start_context(preload: Sequence[str]) -> Any:
    """Return the way in which processes are started."""
    if can_fork():
        return multiprocessing.get_context("fork")
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([work.__module__, *preload])
        return context
    return multiprocessing.get_context("spawn")
