"""Execute a run in this process, and yield its events while they happen.

Public functions of Dagster return when a run has ended; progress needs its events before, also
those of steps in other processes. Without Dagster's internals all events come at the end.

SIGINT and SIGTERM interrupt the steps and cancel the run. Dagster itself records an interrupted run
as failed unless somebody has recorded before that it is being canceled.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from uuid import uuid4

import dagster as dg

from xingu_dagster.engine import compat
from xingu_dagster.engine.run_process import close_run, process_tags

INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


@dataclass(frozen=True)
class RunRequest:
    """A run to execute.

    Attributes:
        job: A job that other processes can reconstruct, or the definition of one.
        assets: The assets to materialize.
        run_config: Configuration of the run.
        tags: Tags of the run.
    """

    job: Any
    assets: frozenset[dg.AssetKey]
    run_config: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> dg.JobDefinition:
        """The definition of the job."""
        return self.job if isinstance(self.job, dg.JobDefinition) else self.job.get_definition()


def project_job(module: str) -> Any:
    """Return the job of all assets of the definitions `defs` of a module, for other processes too.

    Stock Dagster reconstructs only jobs that have a name of their own.
    """
    if not compat.usable("runs"):
        return dg.build_reconstructable_job(__name__, "_named_job", reconstructable_args=(module,))
    from dagster._core.definitions.reconstruct import ReconstructableRepository

    repository = ReconstructableRepository.for_module(module, "defs", None)
    return repository.get_reconstructable_job(_job(module).name)


def _job(module: str) -> dg.JobDefinition:
    return import_module(module).defs.resolve_implicit_global_asset_job_def()


def _named_job(module: str) -> dg.JobDefinition:
    job = dg.Definitions(jobs=[dg.define_asset_job("xingu")])
    return dg.Definitions.merge(import_module(module).defs, job).resolve_job_def("xingu")


def run_events(
    request: RunRequest, instance: dg.DagsterInstance
) -> Iterator[dg.DagsterRun | dg.DagsterEvent]:
    """Execute a run, and yield it as it is created, then its events."""
    if not compat.usable("runs"):
        yield from _events_at_the_end(request, instance)
        return
    from dagster._core.definitions.job_base import InMemoryJob
    from dagster._core.execution.api import execute_run_iterator

    in_memory = isinstance(request.job, dg.JobDefinition)
    run_id = str(uuid4())
    run = instance.create_run_for_job(
        job_def=request.definition,
        run_config=request.run_config,
        run_id=run_id,
        tags={**request.tags, **process_tags(run_id)},
        job_code_origin=None if in_memory else request.job.get_python_origin(),
        asset_selection=request.assets,
    )
    yield run
    job = InMemoryJob(request.job) if in_memory else request.job
    interrupted = False
    for event in execute_run_iterator(job, run, instance):
        if not interrupted and _is_interruption(event):
            interrupted = True
            instance.report_run_canceling(run)
        yield event
    if interrupted:
        close_run(instance, run.run_id, canceled=True)


def _is_interruption(event: dg.DagsterEvent) -> bool:
    if event.is_engine_event:
        return "steps_interrupted" in event.engine_event_data.metadata
    error = event.step_failure_data.error if event.is_step_failure else None
    return error is not None and error.cls_name in INTERRUPTIONS


def _events_at_the_end(
    request: RunRequest, instance: dg.DagsterInstance
) -> Iterator[dg.DagsterRun | dg.DagsterEvent]:
    given: Any = {
        "instance": instance,
        "run_config": request.run_config,
        "tags": request.tags,
        "asset_selection": [*request.assets],
        "raise_on_error": False,
    }
    in_memory = isinstance(request.job, dg.JobDefinition)
    run = request.job.execute_in_process if in_memory else dg.execute_job
    result = run(**given) if in_memory else run(request.job, **given)
    yield result.dagster_run
    yield from result.all_events
