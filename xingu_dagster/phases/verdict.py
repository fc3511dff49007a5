"""Accept or refuse a train, once the results of its blocking checks are recorded."""

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext

import dagster as dg

from xingu.errors import CheckFailedError
from xingu.registry.audit import Outcome, sign_verdict
from xingu.registry.ledger import Entry
from xingu.registry.lifecycle import accept, refuse
from xingu.registry.manifest import Manifest
from xingu.tracking.leases import fenced
from xingu.tracking.query import check_results, children_of
from xingu_dagster.phases.step import PhaseStep

logger = logging.getLogger(__name__)

ENDS = {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}


def settle(step: PhaseStep, train_id: str) -> None:
    """Accept or refuse a train; if a blocking check has no result yet, leave it as it is.

    A train that was made in the same session with a refused one is refused too. Repeating
    this changes nothing, so a step that was killed can be run again.

    Raises:
        ConcurrentTrainError: If another run has taken over from the run of this train.
    """
    with fenced(step.workspace.control, step.lease) if step.lease else nullcontext():
        _settle(step, train_id)


def _settle(step: PhaseStep, train_id: str) -> None:
    models, control, dp_id = step.workspace.models, step.workspace.control, step.spec.id
    train = models.manifest(dp_id, train_id)
    proofs = step.spec.proofs
    results = check_results(control, dp_id, train_id) if proofs else {}
    failed = [name for asset, name in sorted(proofs)
              if results.get((asset, name)) == (False, "error")]  # fmt: skip
    failed += [f"its prerequisite {name} was refused" for name in _refused_pre_reqs(step, train)]
    checks: dict[str, Outcome] = {
        f"{asset}/{name}": _outcome(*result) for (asset, name), result in results.items()
    }
    if failed:
        reason = ", ".join(failed)
        sign_verdict(models, train, checks, accepted=False)
        entry = refuse(models, train, reason)
        logger.warning("%s: train %s is refused (%s); current is %s",
                       dp_id, train_id, reason, _current(entry))  # fmt: skip
        _refuse_children(step, train)
    elif missing := sorted(proofs - set(results)):
        if not all(step.selected_in_run(*asset.split("/")) for asset, _ in missing):
            names = ", ".join(dict.fromkeys(name for _, name in missing))
            logger.warning(
                "%s: train %s does not become current before it has passed %s; materialize %s",
                *(dp_id, train_id, names, " and ".join(sorted({asset for asset, _ in missing}))),
            )
    elif train.sampled:
        logger.info("%s: train %s has passed its checks; it does not become current, because it "
                    "was trained on samples", dp_id, train_id)  # fmt: skip
    else:
        sign_verdict(models, train, checks, accepted=True)
        entry = accept(models, train, register_only=step.options.register_only)
        pin = models.pin_of(dp_id)
        if pin is not None and pin.train_id != train_id:
            logger.warning("%s: train %s is kept beside %s", dp_id, train_id, pin)
        else:
            logger.info("%s: train %s has passed its checks; current is %s",
                        dp_id, train_id, _current(entry))  # fmt: skip


def await_verdicts(step: PhaseStep, trains: Mapping[str, str]) -> None:
    """Wait until trains of this run are accepted or refused, if the run evaluates them.

    A batch can run while the train is evaluated; its estimations must not replace those of the
    current train before the train has passed its checks.

    Args:
        step: The running step.
        trains: The train that it uses, and those of the prerequisites, by id of the DataProvider.

    Raises:
        CheckFailedError: If a train was refused, or its evaluation ended without a verdict.
        RetryRequested: If an evaluation has not begun, because it may wait for this step to end.
    """
    models, dp_id = step.workspace.models, step.spec.id
    for name, train_id in trains.items():
        if not models.has(name, train_id) or not _is_evaluated(step, name):
            continue
        train = models.manifest(name, train_id)
        if train.run_id not in step.run_ids or train.sampled:  # no verdict will come
            continue
        evaluation = step.spec.step_name("evaluate", name)
        events = {dg.DagsterEventType.STEP_START}
        while (verdict := models.ledger(name).verdict(train_id, train.trained)) is None and events:
            events = _events(step, evaluation)
            if not events:
                raise dg.RetryRequested(max_retries=100, seconds_to_wait=2)
            if events & ENDS:
                events.clear()  # look once more: the verdict may have come since
            else:
                time.sleep(0.2)
        if verdict is None and name == dp_id:
            raise CheckFailedError(
                f"{dp_id}: the step {evaluation} ended before the train {train_id} had passed its "
                "checks, so its estimations are not stored; see the log of that step.",
                dataprovider_id=dp_id, train_id=train_id,
            )  # fmt: skip
        step.current_train(name)


def _is_evaluated(step: PhaseStep, dp_id: str) -> bool:
    """Return whether this run computes the checks of a DataProvider's train."""
    run, spec = step.context.run, step.spec
    steps, selected = run.step_keys_to_execute, run.asset_selection
    if steps is not None and spec.step_name("evaluate", dp_id) not in steps:
        return False
    checked = [asset for asset, _ in spec.proofs] if dp_id == spec.id else ["trainset_metrics"]
    keys = [spec.translator.get_asset_key(dp_id, tuple(asset.split("/"))) for asset in checked]
    return bool(keys) and (not selected or all(key in selected for key in keys))


def _events(step: PhaseStep, name: str) -> set[dg.DagsterEventType]:
    """Return the begin and the end of a step of this run, as far as they have happened."""
    types = {dg.DagsterEventType.STEP_START, *ENDS}
    logs = step.context.instance.all_logs(step.context.run.run_id, of_type=types)
    found = (entry.dagster_event for entry in logs)
    return {event.event_type for event in found if event and event.step_key == name}


def becomes_current(step: PhaseStep, sample_rows: int = 0) -> str:
    """Return when the train of this run becomes current, as a readable text."""
    pin = step.workspace.models.pin_of(step.spec.id)
    if sample_rows:
        return f"never: its sources were sampled to {sample_rows} rows (SAMPLE_ROWS)"
    if step.options.register_only:
        return "not by itself, because of register_only; make it so with `xingu inventory pin`"
    if pin is not None:
        return f"when it is unpinned: current is {pin}"
    names = sorted({name for _, name in step.spec.proofs})
    return f"when it has passed {', '.join(names)}" if names else "at once"


def _refused_pre_reqs(step: PhaseStep, train: Manifest) -> Iterable[str]:
    """Yield the prerequisites of a train that were refused, but for those that the user named."""
    models, named = step.workspace.models, set(step.options.pre_req_train_or_session_ids)
    for dp_id, train_id in train.pre_reqs.items():
        if not models.has(dp_id, train_id):  # the package inside this train stays
            continue
        pre_req, pin = models.manifest(dp_id, train_id), models.pin_of(dp_id)
        by_user = {train_id, pre_req.train_session_id} & named or (pin and pin.train_id == train_id)
        verdict = models.ledger(dp_id).verdict(train_id, pre_req.trained)
        if verdict is not None and verdict.action == "refuse" and not by_user:
            yield f"{dp_id} {train_id}"


def _refuse_children(step: PhaseStep, train: Manifest) -> None:
    """Refuse the trains of the same session that were made with a refused train."""
    models, dp_id = step.workspace.models, train.dataprovider_id
    reason = f"its prerequisite {dp_id} {train.train_id} was refused"
    for child_id, child_train in children_of(step.workspace.control, dp_id, train.train_id):
        if not models.has(child_id, child_train):
            continue
        child = models.manifest(child_id, child_train)
        if child.train_session_id == train.train_session_id:
            sign_verdict(models, child, {reason: "failed"}, accepted=False)
            refuse(models, child, reason)
            logger.warning("%s: train %s is refused, because %s", child_id, child_train, reason)
            _refuse_children(step, child)


def _outcome(passed: bool, severity: str) -> Outcome:
    if passed:
        return "passed"
    return "failed" if severity == "error" else "warned"


def _current(entry: Entry | None) -> str:
    return (entry.current if entry else None) or "none"
