"""Dagster executor that runs steps in threads of this process: that of `Coach`.

The classes of a notebook live in ``__main__``, which only a fork could hand to another process, and
a fork of a kernel is not safe: it has threads, and GNU's OpenMP hangs in the child of a process
that has used it, as a kernel has after its first fit. LightGBM, numpy, pyarrow and databases
release the GIL, so fits run side by side. Steps that draw run one at a time, because pyplot is not
made for threads.

It drives Dagster's `ActiveExecution`, as `pool_executor` does. Import this module only after
`compat.usable("threads")`.
"""

import ctypes
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from threading import get_ident
from typing import Any

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.compute_logs import create_compute_log_file_key
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.execute_plan import dagster_event_sequence_for_step
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from threadpoolctl import threadpool_limits

from xingu_dagster.engine.cores import limited_to, share
from xingu_dagster.engine.limits import dataprovider_of, work_limits
from xingu_dagster.engine.wrapper import SECONDS_OF_SILENCE, WrapperExecutor


class ThreadExecutor(WrapperExecutor):
    """Executes the steps of a run in threads.

    Args:
        stock: Dagster's in-process executor, configured.
        workers: Number of steps at the same time.
    """

    def __init__(self, stock: dg.Executor, workers: int) -> None:
        super().__init__(stock)
        self._workers = workers

    def execute_steps(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Execute the steps of the plan and yield their events."""
        pid, keys = os.getpid(), execution_plan.step_keys_to_execute
        yield dg.DagsterEvent.engine_event(
            plan_context,
            f"Executing steps in {self._workers} threads (pid: {pid})",
            EngineEventData.in_process(pid, keys),
        )
        manager = PlanExecutionContextManager(
            job=plan_context.job,
            retry_mode=plan_context.retry_mode,
            execution_plan=plan_context.execution_plan,
            run_config=plan_context.run_config,
            dagster_run=plan_context.dagster_run,
            instance=plan_context.instance,
            raise_on_error=plan_context.raise_on_error,
            output_capture=plan_context.output_capture,
            step_dependency_config=self.step_dependency_config,
        )
        yield from ExecuteRunWithPlanIterable(
            execution_plan=plan_context.execution_plan,
            iterator=self._events,
            execution_context_manager=manager,
        )

    def _events(self, job_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        return _Threads(job_context, execution_plan, self._workers).events()


class _Threads:
    """One execution of one plan."""

    def __init__(self, job_context: Any, execution_plan: Any, workers: int) -> None:
        self._context = job_context
        self._plan = execution_plan
        self._workers = workers
        self._news: SimpleQueue[tuple[str, dg.DagsterEvent | None]] = SimpleQueue()
        self._running: dict[str, Future[None]] = {}
        self._threads: dict[str, int] = {}

    def events(self) -> Iterator[dg.DagsterEvent]:
        """Execute all steps."""
        context = self._context
        claims = InstanceConcurrencyContext(context.instance, context.dagster_run)
        active = ActiveExecution(
            self._plan,
            retry_mode=context.retry_mode,
            max_concurrent=self._workers,
            tag_concurrency_limits=work_limits(0, post_process=1),
            instance_concurrency_context=claims,
            step_dependency_config=context.step_dependency_config,
        )
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="step")
        # BLAS has one limit per process, which only the thread that has set it can take away.
        blas = threadpool_limits(share(self._workers), "blas")
        with claims, active as execution, blas, ExitStack() as captured:
            yield from self._captured(captured)
            try:
                while not execution.is_complete or self._running:
                    yield from self._turn(execution, pool)
            except BaseException:
                self._interrupt()
                raise
            finally:
                pool.shutdown()

    def _captured(self, stack: ExitStack) -> Iterator[dg.DagsterEvent]:
        """Capture the output of this process, as Dagster does for steps in process."""
        context, manager = self._context, self._context.instance.compute_log_manager
        key = manager.build_log_key_for_run(context.run_id, create_compute_log_file_key())
        log = stack.enter_context(manager.capture_logs(key))
        keys = [step.key for step in self._plan.get_steps_to_execute_in_topo_order()]
        yield dg.DagsterEvent.capture_logs(context, keys, key, log)

    def _turn(self, execution: Any, pool: ThreadPoolExecutor) -> Iterator[dg.DagsterEvent]:
        """Start steps that can begin, and yield the next event."""
        if execution.check_for_interrupts():
            execution.mark_interrupted()
            yield dg.DagsterEvent.engine_event(
                self._context,
                "Received a signal: the steps are interrupted",
                EngineEventData.interrupted(list(self._running)),
            )
            raise dg.DagsterExecutionInterruptedError
        steps = execution.get_steps_to_execute(limit=self._workers - len(self._running))
        yield from execution.concurrency_event_iterator(self._context)
        keys = [*self._running, *(step.key for step in steps)]
        cores = share(len({dataprovider_of(key) for key in keys}))
        for step in steps:
            step_context = self._context.for_step(step, execution.get_known_state())
            future = pool.submit(self._execute, step_context, cores)
            self._running[step.key] = future
        try:
            key, event = self._news.get(timeout=SECONDS_OF_SILENCE)
        except Empty:
            return
        if event is not None:
            execution.handle_event(event)
            yield event
            return
        self._running.pop(key).result()
        execution.verify_complete(self._context, key)
        yield from execution.plan_events_iterator(self._context)

    def _execute(self, step_context: Any, cores: int) -> None:
        """Execute one step in this thread."""
        key = step_context.step.key
        self._threads[key] = get_ident()
        try:
            with limited_to(cores, "openmp"):
                for event in dagster_event_sequence_for_step(step_context):
                    self._news.put((key, event))
        finally:
            self._threads.pop(key, None)
            self._news.put((key, None))

    def _interrupt(self) -> None:
        """Raise an interruption in all threads; one that is in C code gets it afterwards."""
        interruption = ctypes.py_object(dg.DagsterExecutionInterruptedError)
        for thread in list(self._threads.values()):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), interruption)
