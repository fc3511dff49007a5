"""Train a DataProvider in one run at a time, whoever starts the runs.

The steps of a run that makes ``<dp>/model`` hold the lease of the DataProvider, from the first of
them to the last (`xingu.tracking.leases`). A run that finds it taken waits: its step ends and is
tried again later, so that it occupies neither a worker nor a place in a pool meanwhile.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from xingu.errors import ConcurrentTrainError, ControlDbError
from xingu.tracking.leases import Holder, Lease, acquire, has_ended, release, renewed
from xingu_dagster.engine.run_process import process_of
from xingu_dagster.phases.step import PhaseStep

logger = logging.getLogger(__name__)

ASSETS = {
    "prepare": ("cleaned", "features", "splits"),
    "tune": ("hyperparameters",),
    "fit": ("model",),
    "evaluate": ("trainset_estimations", "trainset_metrics", "plots"),
}
"""Assets of the phases that train, in their order; `prepare` has the raw sources too."""
SHORTEST, LONGEST = 2, 15
"""Seconds between two attempts of a step that waits; they grow by one each time."""


@contextmanager
def exclusive(step: PhaseStep) -> Iterator[None]:
    """Hold the lease of the DataProvider while a step of its train runs.

    Raises:
        RetryRequested: If another run trains the DataProvider, and there is time to wait.
        ConcurrentTrainError: If there is none, or another run has taken over from this one.
    """
    phases = _phases(step)
    if "fit" not in phases or step.phase not in phases:
        yield
        return
    control = step.workspace.control
    step.lease = _acquired(step)
    try:
        with renewed(control, step.lease):
            yield
    except BaseException:
        try:
            release(control, step.lease)
        except ControlDbError as error:  # it must not hide why the step has failed
            logger.warning("%s: the lease is not given back now: %s", step.spec.id, error)
        raise
    if step.phase == phases[-1]:
        release(control, step.lease)


def _phases(step: PhaseStep) -> Sequence[str]:
    """Return the phases of the train that this run executes, in their order."""
    if not step.context.selected_asset_keys:  # checks alone do not belong to a train
        return ()
    steps = step.context.run.step_keys_to_execute
    raw = [("raw", part) for part in step.spec.train_sources]
    return [
        phase
        for phase, names in ASSETS.items()
        if (steps is None or step.spec.step_name(phase) in steps)
        and any(
            step.selected_in_run(*path)
            for path in [*((name,) for name in names), *(raw if phase == "prepare" else ())]
        )
    ]


def _acquired(step: PhaseStep) -> Lease:
    """Return the lease, or end this attempt of the step.

    Raises:
        RetryRequested: To wait.
        ConcurrentTrainError: If the time to wait is over.
    """
    place, dp_id = step.workspace, step.spec.id
    instance, run_id = step.context.instance, step.context.run.run_id
    own = instance.get_run_by_id(run_id)  # with the tags that were added since it was created
    process = process_of(own) if own else None

    def ended(holder: Holder) -> bool | None:
        run = instance.get_run_by_id(holder.run_id)
        return True if run is not None and run.is_finished else has_ended(holder)

    known = process.text if process else ""
    found = acquire(place.control, dp_id, run_id, known, place.lease_seconds, ended)
    if isinstance(found, Lease):
        if found.replaced:
            logger.warning("%s: takes over from %s, which has ended", dp_id, found.replaced)
        return found
    retries, limit = step.context.retry_number, place.train_wait_seconds
    waited = sum(map(_pause, range(retries)))
    if waited >= limit:
        after = f" after {waited} s (XINGU_TRAIN_WAIT_SECONDS)" if limit else ""
        raise ConcurrentTrainError(
            f"{dp_id} is being trained by {found}, so this run is refused{after}. Start it again "
            "when that one has ended; cancel that one if it hangs.",
            dataprovider_id=dp_id, by=found.run_id,
        )  # fmt: skip
    tell = logger.info if retries else logger.warning
    tell("%s: waits, because it is being trained by %s; gives up after %g s", dp_id, found, limit)
    raise dg.RetryRequested(max_retries=retries + 1, seconds_to_wait=_pause(retries))


def _pause(attempt: int) -> int:
    return min(SHORTEST + attempt, LONGEST)
