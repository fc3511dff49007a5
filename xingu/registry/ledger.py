"""History of the trains of one DataProvider: accepted, refused, pinned, deployed.

Entries are numbered files that are written once and never change. An entry holds the state after
it (`current`, `pinned`), so the newest entry alone decides what is current. Times never decrease,
so the entry at a given time is found by binary search (14 reads among 10,000 entries), without
listing a folder. Layout below the folder of a DataProvider::

    history/0000000001.json    one entry
    current.json               copy of an entry, usually the newest one

Writing the file of an entry is the commit. `current.json` is a hint where to begin: readers
continue from there while a next entry exists, so a writer that is slow or was killed before it
replaced the hint never changes what is read. An entry contains the SHA-256 of the file before it.
Each file contains its own digest.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator
from upath import UPath

from xingu.errors import StorageError
from xingu.files.atomic import read_small_file, write_atomically, write_once
from xingu.files.sealed import reason_of, seal, unseal
from xingu.registry.deployment import Deployment
from xingu.registry.manifest import unreadable

logger = logging.getLogger(__name__)

CURRENT, HISTORY = "current.json", "history"
CLOCKS = timedelta(hours=1)
"""Largest assumed difference between the clocks of two machines."""

Action = Literal["train", "pass", "refuse", "pin", "unpin", "deploy", "rollback", "approve"]
DEPLOYS: tuple[Action, ...] = ("deploy", "rollback")
ACCEPTS: tuple[Action, ...] = ("train", "pin", *DEPLOYS)
"""Actions after which a train can be current."""
UNDECIDED: tuple[Action, ...] = ("unpin", "approve")
"""Actions that do not decide whether a train stands."""


class Entry(BaseModel):
    """One event, and the state after it.

    Attributes:
        number: Position in the history, from 1.
        time: Time of the event (UTC).
        train_id: The train that it is about.
        train_session_id: Its session.
        action: ``train``: it passed its blocking checks as the newest train; ``pass``: it passed
            them after a newer train; ``refuse``: it failed one; ``pin`` and ``unpin``: of a user;
            ``deploy`` and ``rollback``: it was deployed to this storage, a newer or an older one
            than before; ``approve``: its deploy to this storage was approved.
        current: The train that is current after it; None if there is none.
        pinned: Whether `current` stays current until it is unpinned.
        rolled_back: Of ``pin`` and ``rollback``: the newer trains that the user went back from.
        reason: Of ``refuse``: the checks that failed.
        deployment: Of ``deploy``, ``rollback`` and ``approve``: who did it, and on what grounds.
        replaced: The train that the newest deploy or rollback replaced; None if there is none.
        previous: SHA-256 of the file of the entry before; empty for the first entry, and for
            entries of earlier versions.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    time: datetime
    train_id: str
    train_session_id: str
    action: Action
    current: str | None
    pinned: bool
    rolled_back: tuple[str, ...] = ()
    reason: str = ""
    deployment: Deployment | None = None
    replaced: str | None = None
    previous: str = ""

    @model_validator(mode="before")
    @classmethod
    def _with_state(cls, data: Any) -> Any:
        """Add the state to entries of earlier versions, whose train became current."""
        if not isinstance(data, dict):
            return data
        return {"current": data.get("train_id"), "pinned": data.get("action") == "pin", **data}


Change = Callable[[Entry | None], Mapping[str, Any] | None]
"""Returns fields of the next entry, given the entry before it; None: there is nothing to change."""


class Ledger:
    """History of one DataProvider, append only.

    Args:
        folder: Folder of the DataProvider in the model storage.
    """

    def __init__(self, folder: UPath) -> None:
        self.folder = folder
        self._known: dict[int, tuple[Entry, str]] = {}

    def newest(self) -> Entry | None:
        """Return the newest entry, which names the current train; None if there is no entry.

        Raises:
            StorageError: If the hint or an entry after it is damaged or cannot be read.
        """
        return self._last(self._hint())

    def append(
        self, train_id: str, train_session_id: str, action: Action, change: Change | None = None
    ) -> Entry | None:
        """Add an entry.

        Args:
            train_id: The train that it is about.
            train_session_id: Its session.
            action: The event.
            change: Decides the state after it; by default the train becomes current, unless
                another one is pinned or it is only approved. It is called again if another process
                was faster, and may raise.

        Returns:
            The newest entry; None if there is none, because nothing was to be changed.
        """
        ids = {"train_id": train_id, "train_session_id": train_session_id, "action": action}
        decide = change or (lambda before: _state_after(before, train_id, action))
        before = newest = self.newest()
        while (state := decide(before)) is not None:
            entry = self._next(before, {**ids, **state})
            path = self._path(entry.number)
            data = _sealed(entry, path)
            written = write_once(path, data)
            # It exists already: by another process, or by a request of our own that was repeated.
            before = entry if written else self._entry(entry.number) or before
            if written or self._digest(entry.number) == sha256(data).hexdigest():
                break
        if before is not None and before is not newest:
            self._point_to(before)
        return before

    def _next(self, before: Entry | None, fields: Mapping[str, Any]) -> Entry:
        """Return an entry that follows `before`."""
        if before is None:
            return Entry(number=1, time=datetime.now(UTC), **fields)
        entry = Entry(
            number=before.number + 1,
            # Clocks of several machines differ, but times of entries must not decrease.
            time=max(datetime.now(UTC), before.time),
            **{"replaced": before.replaced, "previous": self._digest(before.number), **fields},
        )
        if entry.action in DEPLOYS and entry.current != before.current:
            return entry.model_copy(update={"replaced": before.current})
        return entry

    def at(self, moment: datetime) -> Entry | None:
        """Return the newest entry at a given time; None if there was none yet.

        Args:
            moment: The time; without a time zone it is local time.
        """
        moment = moment.astimezone(UTC)
        newest = self.newest()
        if newest is None or newest.time <= moment:
            return newest
        before, after = 0, newest.number  # `before` is at `moment` or earlier, `after` is later
        found = None
        while after - before > 1:
            middle = (before + after) // 2
            entry = self._entry(middle)
            if entry is not None and entry.time <= moment:
                before, found = middle, entry
            else:
                after = middle
        return found

    def entries(self, limit: int | None = None, last: Entry | None = None) -> Iterator[Entry]:
        """Yield entries, newest first.

        Args:
            limit: Largest number of entries; None yields all.
            last: The first one to yield; None: the newest.
        """
        last = last or self.newest()
        end = last.number if last else 0
        first = max(1, end - limit + 1) if limit is not None else 1
        for number in range(end, first - 1, -1):
            entry = self._entry(number)
            if entry is not None:
                yield entry

    def standing(self, last: Entry | None = None) -> Iterator[str]:
        """Yield trains that were accepted, deployed or pinned, and not taken back since.

        A train is taken back by a refusal, or by going back to an older one.

        Args:
            last: The entry to begin with; None: the newest. The train of the newest entry is first.
        """
        decided: set[str] = set()
        for entry in self.entries(last=last):
            if entry.action in ACCEPTS and entry.train_id not in decided:
                yield entry.train_id
            if entry.action not in UNDECIDED:
                decided |= {entry.train_id, *entry.rolled_back}

    def verdict(self, train_id: str, trained: datetime | None) -> Entry | None:
        """Return the newest entry that decides about a train; None if there is none.

        Its action is ``train``, ``pass``, ``refuse`` or ``deploy``; or it is ``pin`` or
        ``rollback``, of this train or of the one that the user went back to from it.

        Args:
            train_id: The train.
            trained: Time of its fit, which limits how many entries are read; None: no limit.
        """
        for entry in self.entries():
            if trained is not None and entry.time < trained - CLOCKS:
                return None
            about = {entry.train_id, *entry.rolled_back} if entry.action not in UNDECIDED else ()
            if train_id in about:
                return entry
        return None

    def broken_links(self) -> Iterator[str]:
        """Verify the chain of all entries, and the hint.

        An entry that was changed, removed or inserted is found, unless all entries after it were
        written again. Entries of earlier versions have no link, and only their own digest is
        verified.

        Yields:
            Each fault, with the file: first of the hint, then of the entries, oldest first.

        Raises:
            StorageError: If a file cannot be read.
        """
        hint = None
        try:
            hint = self._hint()
        except StorageError as error:
            yield _damage(error)
        expected: str | None = ""  # SHA-256 of the file before; None: it is missing
        linked = False
        for number in count(1):
            path = self._path(number)
            try:
                found = self._read(path)
            except StorageError as error:
                yield _damage(error)
                expected = None
                continue
            if found is None and number > (hint.number if hint else 0):
                return
            if found is None:
                yield f"{path} is missing: restore it."
                expected = None
                continue
            entry, digest = found
            unlinked = not entry.previous and not linked  # of an earlier version
            if entry.number != number or not (unlinked or expected in (None, entry.previous)):
                yield f"{path} does not follow the entry before it: one of both was replaced."
            if hint and number == hint.number and entry != hint:
                yield f"{self.folder / CURRENT} differs from {path}."
            expected, linked = digest, linked or bool(entry.previous)

    def _hint(self) -> Entry | None:
        found = self._read(self.folder / CURRENT)
        return found[0] if found else None

    def _last(self, entry: Entry | None) -> Entry | None:
        """Return the newest entry; it is `entry` or after it.

        Numbers have no gaps, so steps of doubled length find the end in few reads: in one if
        `entry` is the newest, in 27 if it is 10,000 entries behind.
        """
        number, step = entry.number if entry else 0, 1
        while later := self._entry(number + step):
            entry, number, step = later, number + step, step * 2
        while step > 1:
            step //= 2
            if later := self._entry(number + step):
                entry, number = later, number + step
        return entry

    def _point_to(self, entry: Entry) -> None:
        """Replace the hint, again if other processes have added entries meanwhile."""
        path = self.folder / CURRENT
        pointed = None
        while entry is not pointed:
            try:
                write_atomically(path, _sealed(entry, path))
            except Exception as error:  # noqa: BLE001 - the entry counts, and readers find it
                logger.warning("%s was not moved to entry %d: %s", path, entry.number, error)
                return
            pointed, entry = entry, self._last(entry) or entry

    def _path(self, number: int) -> UPath:
        return self.folder / HISTORY / f"{number:010d}.json"

    def _entry(self, number: int) -> Entry | None:
        if number not in self._known:
            found = self._read(self._path(number))
            if found is None:
                return None
            self._known[number] = found
        return self._known[number][0]

    def _digest(self, number: int) -> str:
        """Return the SHA-256 of the file of an entry; empty if it is missing."""
        return self._known[number][1] if self._entry(number) else ""

    @staticmethod
    def _read(path: UPath) -> tuple[Entry, str] | None:
        """Return the entry in a file, and the SHA-256 of the file; None if there is no file.

        Raises:
            StorageError: If the file is damaged, or cannot be read.
        """
        try:
            data = read_small_file(path)
            entry = Entry.model_validate_json(unseal(data, path.name))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise StorageError(
                f"{path} is damaged ({reason_of(error)}): restore it, or name a train by its "
                "train_id.",
                path=str(path),
            ) from error
        except Exception as error:  # storages raise errors of their own
            raise unreadable(path.name, error).error(path.parent) from error
        return entry, sha256(data).hexdigest()


def _damage(error: StorageError) -> str:
    """Return the text of an error about a damaged file, and raise any other one."""
    if not isinstance(error.__cause__, ValueError):
        raise error
    return str(error)


def _sealed(entry: Entry, path: UPath) -> bytes:
    return seal(entry.model_dump_json(), path.name)


def _state_after(before: Entry | None, train_id: str, action: Action) -> Mapping[str, Any]:
    current, pinned = (before.current, before.pinned) if before else (None, False)
    if action == "approve" or (pinned and action in ("train", *DEPLOYS)):
        return {"current": current, "pinned": pinned}
    return {"current": train_id, "pinned": action == "pin"}
