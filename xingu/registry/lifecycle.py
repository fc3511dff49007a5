"""Decide which train is current: accept, refuse, pin and unpin trains.

A train becomes current when it has passed its blocking checks, if no newer train is current. A pin
holds until it is taken away; trains that are accepted meanwhile are kept beside it. Pinning an
older train rolls back every newer one: they do not become current again, unless one of them is
pinned. The ledger of the model storage has all of it; `inventory.yaml` can pin a train of its own.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from xingu.errors import CorruptPackageError, UntrainedModelError
from xingu.registry.ledger import Action, Entry, Ledger
from xingu.registry.manifest import Manifest
from xingu.registry.store import ModelStore

logger = logging.getLogger(__name__)

Status = Literal[
    "current", "accepted", "refused", "rolled back", "waiting for its checks", "sample"
]
"""Status of a train: ``accepted`` trains were current before, or are kept beside a pin; a
``sample`` was trained on samples of its sources, and never becomes current."""


def accept(models: ModelStore, train: Manifest, *, register_only: bool = False) -> Entry | None:
    """Record that a train has passed its blocking checks.

    It becomes current unless a train is pinned, or a newer one was accepted before. Repeating it
    changes nothing. A train of samples (SAMPLE_ROWS) is not recorded.

    Args:
        models: The model storage.
        train: The train.
        register_only: Leave the train before it current, if there is one.

    Returns:
        The newest entry, whose `current` is the current train of the ledger.
    """
    ledger = models.ledger(train.dataprovider_id)
    if train.sampled:
        return ledger.newest()
    verdict = ledger.verdict(train.train_id, train.trained)
    known = verdict is not None and verdict.action != "refuse"

    def change(before: Entry | None) -> Mapping[str, Any] | None:
        if known or (before is not None and before.current == train.train_id):
            return None
        standing = next(ledger.standing(before), None) if before else None
        newer = standing is not None and _is_newer(models, train, standing)
        action: Action = "pass" if newer else "train"
        stays = before is not None and before.current is not None and register_only
        if before is not None and (before.pinned or newer or stays):
            return {"action": action, "current": before.current, "pinned": before.pinned}
        return {"action": action, "current": train.train_id, "pinned": False}

    return ledger.append(train.train_id, train.train_session_id, "train", change)


def refuse(models: ModelStore, train: Manifest, reason: str) -> Entry | None:
    """Record that a train has failed a blocking check.

    If it was current and not pinned, the newest train before it that stands is current again.
    Repeating it changes nothing.

    Args:
        models: The model storage.
        train: The train.
        reason: The checks that failed.

    Returns:
        The newest entry.
    """
    ledger = models.ledger(train.dataprovider_id)
    verdict = ledger.verdict(train.train_id, train.trained)

    def change(before: Entry | None) -> Mapping[str, Any] | None:
        if verdict is not None and verdict.action == "refuse" and verdict.reason == reason:
            return None
        current, pinned = (before.current, before.pinned) if before else (None, False)
        if current == train.train_id and not pinned:
            others = (one for one in ledger.standing(before) if one != current)
            current = _first_saved(models, train.dataprovider_id, others)
        return {"current": current, "pinned": pinned, "reason": reason}

    return ledger.append(train.train_id, train.train_session_id, "refuse", change)


def pin(models: ModelStore, train: Manifest) -> Entry | None:
    """Make a train current until it is unpinned, and roll back the newer ones.

    Returns:
        The newest entry; its `rolled_back` names the trains that were rolled back.

    Raises:
        UntrainedModelError: If it was trained on samples (SAMPLE_ROWS).
    """
    if train.sampled:
        raise UntrainedModelError(
            f"{train.dataprovider_id}: {train.train_id} was trained on samples of its sources "
            "(SAMPLE_ROWS), so it cannot become current; train on all rows.",
            train_id=train.train_id,
        )
    ledger = models.ledger(train.dataprovider_id)

    def change(before: Entry | None) -> Mapping[str, Any] | None:
        if before is not None and before.pinned and before.current == train.train_id:
            return None
        newer = []
        for train_id in ledger.standing(before):
            if train_id == train.train_id or not _is_newer(models, train, train_id):
                break
            newer.append(train_id)
        return {"current": train.train_id, "pinned": True, "rolled_back": tuple(newer)}

    return ledger.append(train.train_id, train.train_session_id, "pin", change)


def unpin(models: ModelStore, dp_id: str) -> Entry:
    """Take away the pin of the ledger.

    The newest train that was accepted since the pin becomes current; if there is none, the train
    that was pinned stays current until the next one is accepted.

    Returns:
        The newest entry.

    Raises:
        UntrainedModelError: If no train is pinned.
    """
    ledger = models.ledger(dp_id)
    newest = ledger.newest()
    if newest is None or not newest.pinned:
        raise UntrainedModelError(f"No train of {dp_id!r} is pinned in {models.root}.")
    pinned = newest.current or ""
    session = next((one.train_session_id for one in ledger.entries() if one.train_id == pinned), "")

    def change(before: Entry | None) -> Mapping[str, Any] | None:
        if before is None or not before.pinned:
            return None
        current = _first_saved(models, dp_id, ledger.standing(before)) or before.current
        return {"current": current, "pinned": False}

    return ledger.append(pinned, session, "unpin", change) or newest


def status(models: ModelStore, train: Manifest) -> Status:
    """Return the status of a train."""
    dp_id, train_id = train.dataprovider_id, train.train_id
    if models.current(dp_id) == train_id:
        return "current"
    verdict = models.ledger(dp_id).verdict(train_id, train.trained)
    if verdict is None:
        return "sample" if train.sampled else "waiting for its checks"
    if verdict.action == "refuse":
        return "refused"
    return "rolled back" if train_id in verdict.rolled_back else "accepted"


def accepted_before(models: ModelStore, train: Manifest) -> str | None:
    """Return the newest train older than `train` that stands and has a package; None: none."""
    dp_id = train.dataprovider_id
    older = (
        one
        for one in models.ledger(dp_id).standing()
        if one != train.train_id and not _is_newer(models, train, one)
    )
    return _first_saved(models, dp_id, older)


def time_of_fit(models: ModelStore, dp_id: str, now: datetime) -> datetime:
    """Return the time of a fit that has just ended: `now`, but after that of the train before.

    Trains are ordered by this time. If the clock has gone back, a new train would count as older
    than the current one, and would not replace it.
    """
    before = next(models.ledger(dp_id).standing(), None)
    earliest = _trained(models, dp_id, before) if before else now
    if earliest < now or before is None:
        return now
    logger.warning("%s: the clock shows %s, before the fit of %s: it has gone back, or the "
                   "clocks of two machines differ", dp_id, now, before)  # fmt: skip
    return earliest + timedelta(microseconds=1)


def disqualified(
    models: ModelStore, ledger: Ledger, train_id: str, trained: datetime | None
) -> str | None:
    """Return why a train is no example for later ones; None if it is.

    A train is none if it was refused or rolled back. While `inventory.yaml` pins a train, all newer
    trains count as rolled back, because the file does not say when it was pinned.

    Args:
        models: The model storage.
        ledger: The ledger of the DataProvider; the same one for many trains reads entries once.
        train_id: The train, which may have no package.
        trained: Time of its fit; None: it is older than the model storage.
    """
    if trained is None:
        return None
    dp_id = ledger.folder.name
    pinned = models.pinned(dp_id)
    if pinned is not None and pinned != train_id and trained > _trained(models, dp_id, pinned):
        return f"inventory.yaml pins {pinned}, which is older"
    verdict = ledger.verdict(train_id, trained)
    if verdict is None:
        return None
    if verdict.action == "refuse":
        return f"it was refused ({verdict.reason})"
    if train_id in verdict.rolled_back:
        return f"it was rolled back to {verdict.train_id}"
    return None


def _first_saved(models: ModelStore, dp_id: str, trains: Iterable[str]) -> str | None:
    return next((one for one in trains if models.has(dp_id, one)), None)


def _is_newer(models: ModelStore, train: Manifest, other: str) -> bool:
    """Return whether the train `other` was fitted after `train`; False if it has no package."""
    dp_id = train.dataprovider_id
    trained = train.trained or datetime.min.replace(tzinfo=UTC)
    return models.has(dp_id, other) and _trained(models, dp_id, other) > trained


def _trained(models: ModelStore, dp_id: str, train_id: str) -> datetime:
    try:
        trained = models.manifest(dp_id, train_id).trained
    except (CorruptPackageError, UntrainedModelError):
        trained = None
    return trained or datetime.min.replace(tzinfo=UTC)
