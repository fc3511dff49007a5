"""The trains that a target served at a time, from its ledger."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from xingu.errors import StorageError
from xingu.registry.deployment import Deployment
from xingu.registry.ledger import ACCEPTS, Entry, Ledger
from xingu.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Served:
    """The train of one DataProvider that a target served.

    Attributes:
        target: Name of the target.
        dataprovider_id: Id of the DataProvider, as its folder is named.
        train_id: The train; None: the ledger cannot be read.
        train_session_id: Its session.
        since: When it became current (UTC).
        action: How: ``deploy`` or ``rollback``, or ``train`` where it was trained.
        user: Who did it.
        commit: Git commit that the train ran on.
        package: SHA-256 of the manifest of its package.
        approvals: Users who had approved it.
        replaced: The train before.
        comment: Free text of the user.
        faults: What is wrong with the ledger; empty: its chain is intact.
    """

    target: str
    dataprovider_id: str
    train_id: str | None
    train_session_id: str = ""
    since: datetime | None = None
    action: str = ""
    user: str = ""
    commit: str = ""
    package: str = ""
    approvals: tuple[str, ...] = ()
    replaced: str | None = None
    comment: str = ""
    faults: tuple[str, ...] = ()


def in_production(target: Workspace, name: str, at: datetime | None = None) -> list[Served]:
    """Return what a target serves, sorted by DataProvider; verifies the chains of the ledgers.

    Args:
        target: Workspace of the target.
        name: Name of the target.
        at: A time, with a time zone; None: now.
    """
    found = []
    for folder in target.models.dataproviders():
        ledger = target.models.ledger(folder)
        faults = tuple(ledger.broken_links())
        try:
            entry = ledger.at(at) if at else ledger.newest()
            since = became_current(ledger, entry) if entry else None
        except StorageError as error:
            found.append(Served(name, folder, None, faults=faults or (str(error),)))
            continue
        if since is not None:
            found.append(_served(name, folder, since, faults))
        elif faults or (entry is not None and entry.current is not None):
            found.append(Served(name, folder, entry.current if entry else None, faults=faults))
    return found


def became_current(ledger: Ledger, last: Entry) -> Entry | None:
    """Return the entry that made the current train of `last` current; None: there is none."""
    found = None
    with suppress(StorageError):  # a damaged entry ends the search; the chain is verified apart
        for entry in ledger.entries(last=last):
            if entry.current != last.current:
                break
            if entry.action in ACCEPTS and entry.train_id == last.current:
                found = entry
    return found if last.current is not None else None


def _served(name: str, folder: str, entry: Entry, faults: tuple[str, ...]) -> Served:
    done = entry.deployment or Deployment()
    return Served(
        target=name,
        dataprovider_id=folder,
        train_id=entry.train_id,
        train_session_id=entry.train_session_id,
        since=entry.time,
        action=entry.action,
        user=done.user,
        commit=done.commit,
        package=done.package,
        approvals=done.approvals,
        replaced=done.replaced,
        comment=done.comment,
        faults=faults,
    )
