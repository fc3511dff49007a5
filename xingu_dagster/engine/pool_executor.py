"""Dagster executor that runs the steps of a run in a pool of worker processes.

It drives Dagster's `ActiveExecution` as the multiprocess executor does, so that order, priorities,
retries, concurrency pools and skipped steps are Dagster's own. Import this module only after
`compat.usable("pool")`.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._utils import get_run_crash_explanation
from dagster._utils.error import serializable_error_info_from_exc_info

from xingu.errors import WorkerDiedError
from xingu.registry.verification import shared_verifier
from xingu_dagster.engine.cores import share
from xingu_dagster.engine.limits import Limits, dataprovider_of
from xingu_dagster.engine.pool import Died, Message, Pool, Worker, can_fork
from xingu_dagster.engine.runs import INTERRUPTIONS
from xingu_dagster.engine.worker import Done, RunContext, Task
from xingu_dagster.engine.wrapper import SECONDS_OF_SILENCE, WrapperExecutor


class PoolExecutor(WrapperExecutor):
    """Executes the steps of a run in worker processes that live as long as the run.

    Args:
        stock: Dagster's multiprocess executor, configured.
        limits: Number of workers, and when one is replaced.
        preload: Modules that steps need, beside that of the job.
        tag_concurrency_limits: As of Dagster's multiprocess executor.
    """

    def __init__(
        self,
        stock: dg.Executor,
        limits: Limits,
        preload: Sequence[str],
        tag_concurrency_limits: Sequence[Any],
    ) -> None:
        super().__init__(stock)
        self._limits = limits
        self._preload = preload
        self._tag_concurrency_limits = list(tag_concurrency_limits)

    def execute_steps(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Execute the steps of the plan and yield their events."""
        begin, pid = time.monotonic(), os.getpid()
        workers = self._limits.workers
        yield dg.DagsterEvent.engine_event(
            plan_context,
            f"Executing steps in a pool of {workers} workers: parent process (pid: {pid})",
            EngineEventData.multiprocess(pid, execution_plan.step_keys_to_execute),
        )
        pool = self._pool(plan_context, execution_plan)
        claims = InstanceConcurrencyContext(plan_context.instance, plan_context.dagster_run)
        active_execution = ActiveExecution(
            execution_plan,
            retry_mode=self.retries,
            sort_key_fn=lambda step: _rank(step) + 0.5 * (not pool.prefers(step.key)),
            max_concurrent=workers,
            tag_concurrency_limits=self._tag_concurrency_limits,
            instance_concurrency_context=claims,
            step_dependency_config=self.step_dependency_config,
        )
        with pool, _verifier(execution_plan), claims, active_execution as active:
            pool.fill(len(execution_plan.step_keys_to_execute))
            run = _Execution(self, plan_context, active, pool)
            yield from run.events()
            yield from run.raise_errors()
        yield dg.DagsterEvent.engine_event(
            plan_context,
            f"The pool ended after {time.monotonic() - begin:.2f} s (pid: {pid})",
            EngineEventData.multiprocess(pid),
        )

    def _pool(self, plan_context: Any, execution_plan: Any) -> Pool:
        job = plan_context.reconstructable_job
        context = RunContext(
            job=job,
            dagster_run=plan_context.dagster_run,
            run_config=plan_context.run_config,
            instance_ref=plan_context.instance.get_ref(),
            retry_mode=self.retries.for_inner_plan(),
            repository_load_data=execution_plan.repository_load_data,
        )
        module = job.get_module()
        return Pool(context, self._limits, [*([module] if module else []), *self._preload])


def _verifier(execution_plan: Any) -> AbstractContextManager[None]:
    """Return the verifier of the packages that this run saves; it must be forked before workers."""
    saves = any(key.endswith("__fit") for key in execution_plan.step_keys_to_execute)
    return shared_verifier() if saves and can_fork() else nullcontext()


def _rank(step: Any) -> int:
    """Return the place of a step by its priority; the lowest begins."""
    return -int(step.tags.get("dagster/priority", 0))


class _Execution:
    """One execution of one plan."""

    def __init__(self, executor: PoolExecutor, plan_context: Any, active: Any, pool: Pool) -> None:
        self._executor = executor
        self._context = plan_context
        self._active = active
        self._pool = pool
        self._stopping = False
        self._last_events: dict[str, dg.DagsterEvent] = {}
        """Last event of a step whose worker has not said that it is done."""
        self._errors: list[tuple[int, Any]] = []

    def events(self) -> Iterator[dg.DagsterEvent]:
        """Execute all steps."""
        try:
            while (not self._stopping and not self._active.is_complete) or self._pool.busy:
                yield from self._look_for_interrupts()
                if not self._stopping:
                    yield from self._start_steps()
                for worker, step_key, message in self._pool.receive(SECONDS_OF_SILENCE):
                    yield from self._on_message(worker, step_key, message)
                yield from self._active.plan_events_iterator(self._context)
        except Exception:
            if self._pool.busy and not self._stopping:
                yield self._unexpected()
            raise

    def raise_errors(self) -> Iterator[dg.DagsterEvent]:
        """Raise what went wrong outside the code of steps.

        Raises:
            DagsterExecutionInterruptedError: If the run was interrupted.
            DagsterSubprocessError: If a worker failed otherwise.
        """
        others = [one for one in self._errors if one[1].cls_name not in INTERRUPTIONS]
        if self._stopping and not others:
            yield dg.DagsterEvent.engine_event(
                self._context, "The pool has interrupted all active steps", EngineEventData()
            )
            raise dg.DagsterExecutionInterruptedError()
        if self._errors:
            texts = [f"In process {pid}: {error.to_string()}" for pid, error in self._errors]
            raise dg.DagsterSubprocessError(
                "Errors occurred in workers of the pool:\n" + "\n".join(texts),
                subprocess_error_infos=[error for _, error in self._errors],
            )

    def _look_for_interrupts(self) -> Iterator[dg.DagsterEvent]:
        if not self._active.check_for_interrupts():
            return
        steps = [str(worker.step_key) for worker in self._pool.busy]
        again, self._stopping = self._stopping, True
        yield dg.DagsterEvent.engine_event(
            self._context,
            "Received a second termination signal: the pool kills its workers"
            if again
            else "Received a termination signal: the pool interrupts its active steps",
            EngineEventData.interrupted(steps),
        )
        self._active.mark_interrupted()
        if again:
            self._pool.kill()
        else:
            self._pool.interrupt()

    def _start_steps(self) -> Iterator[dg.DagsterEvent]:
        steps = self._active.get_steps_to_execute(limit=self._pool.free_places)
        yield from self._active.concurrency_event_iterator(self._context)
        if not steps:
            return
        state = self._active.get_known_state()
        for step in steps:
            yield dg.DagsterEvent.step_worker_starting(
                self._context.for_step(step), f'Giving "{step.key}" to a worker.', metadata={}
            )
        keys = [step.key for step in steps] + [str(one.step_key) for one in self._pool.busy]
        cores = share(len({dataprovider_of(key) for key in keys}))
        self._pool.start([Task(step.key, state, cores) for step in steps])

    def _on_message(
        self, worker: Worker, step_key: str | None, message: Message
    ) -> Iterator[dg.DagsterEvent]:
        match message:
            case Died():
                if step_key is not None:  # else an idle worker, which is replaced when needed
                    yield from self._on_death(worker, step_key, message)
            case Done():
                if message.error is not None:
                    self._errors.append((worker.pid, message.error))
                self._end(str(step_key))
            case event:
                yield event
                # The end counts when the worker is done: the next step shall find it idle.
                if event.is_step_success or event.is_step_failure or event.is_step_up_for_retry:
                    self._last_events[str(step_key)] = event
                else:
                    self._active.handle_event(event)
                if event.is_resource_init_failure:
                    error = event.engine_event_data.error
                    assert error is not None  # noqa: S101
                    yield self._fail_or_retry(str(step_key), error)

    def _on_death(self, worker: Worker, step_key: str, death: Died) -> Iterator[dg.DagsterEvent]:
        """Fail the step of a worker that has died, unless it had ended before."""
        text = get_run_crash_explanation(
            f'The worker process {worker.pid} that executed "{step_key}"', death.exit_code
        )
        if death.place:
            text += f" It was in {death.place}."
        try:
            raise WorkerDiedError(text, step=step_key, exit_code=death.exit_code)
        except WorkerDiedError:
            error = serializable_error_info_from_exc_info(sys.exc_info())
        context = self._context.for_step(self._active.get_step_by_key(step_key))
        yield dg.DagsterEvent.engine_event(context, text, EngineEventData.engine_error(error))
        if step_key not in self._last_events:
            yield self._fail_or_retry(step_key, error)
        self._end(step_key)

    def _fail_or_retry(self, step_key: str, error: Any) -> dg.DagsterEvent:
        step = self._active.get_step_by_key(step_key)
        event = self._executor.log_failure_or_retry_event_after_error(
            self._context.for_step(step), error, self._active.get_known_state()
        )
        self._last_events[step_key] = event
        return event

    def _end(self, step_key: str) -> None:
        if event := self._last_events.pop(step_key, None):
            self._active.handle_event(event)
        self._active.verify_complete(self._context, step_key)

    def _unexpected(self) -> dg.DagsterEvent:
        steps = str([worker.step_key for worker in self._pool.busy])
        return dg.DagsterEvent.engine_event(
            self._context,
            "Unexpected exception while steps were in progress: the pool interrupts them",
            EngineEventData(
                metadata={"steps_interrupted": dg.MetadataValue.text(steps)},
                error=serializable_error_info_from_exc_info(sys.exc_info()),
            ),
        )
