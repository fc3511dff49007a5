"""The process of a run: a tag says which one it is, so that a run whose process is gone is found.

Dagster itself finds out only while the code server that has started the process runs. The tag holds
the id of the run, because a re-execution inherits the tags of the run before it.
"""

import logging
from collections.abc import Iterator

import dagster as dg

from xingu.processes import Process

logger = logging.getLogger(__name__)

TAG = "xingu/process"
BEGUN = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""Statuses of runs that have a process."""


def process_tags(run_id: str) -> dict[str, str]:
    """Return the tag of a run that this process executes."""
    return {TAG: f"{run_id} {Process.current().text}"}


def tag_process(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Record that this process executes a run, unless the run has the tag since its creation."""
    if process_of(run) != Process.current():
        instance.add_run_tags(run.run_id, process_tags(run.run_id))


def process_of(run: dg.DagsterRun) -> Process | None:
    """Return the process of a run; None: it is not known."""
    run_id, _, text = run.tags.get(TAG, "").partition(" ")
    return Process.parse(text) if run_id == run.run_id else None


def dead_runs(instance: dg.DagsterInstance) -> Iterator[tuple[dg.DagsterRun, Process]]:
    """Yield runs that have recorded no end, although their process on this machine has ended."""
    for run in instance.get_runs(dg.RunsFilter(statuses=BEGUN)):
        process = process_of(run)
        if process is not None and process.state == "ended":
            yield run, process


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Record the failure of dead runs, give back their places in pools, and return their ids."""
    closed = []
    for run, process in dead_runs(instance):
        logger.warning("The run %s is marked as failed: %s has ended.", run.run_id, process)
        close_run(instance, run.run_id, canceled=False)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        closed.append(run.run_id)
    return closed


def close_run(instance: dg.DagsterInstance, run_id: str, *, canceled: bool) -> None:
    """Record the end of a run that has recorded none, such as one whose process was killed.

    Args:
        instance: The instance of Dagster.
        run_id: The run.
        canceled: Whether a user has ended it; else it has failed.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return
    if canceled:
        instance.report_run_canceled(run)
    else:
        instance.report_run_failed(run, "The process of the run was killed.")
