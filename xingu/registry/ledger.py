"""History of the trains of one DataProvider: accepted, refused, pinned; each entry has the result.

Entries are numbered files that are written once and never change. An entry holds the state after
it (`current`, `pinned`), so the newest entry alone decides what is current. Times never decrease,
so the entry at a given time is found by binary search (14 reads among 10,000 entries), without
listing a folder. Layout below the folder of a DataProvider::

    history/0000000001.json    one entry
    current.json               copy of the newest entry, replaced last

Each file contains its own digest.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator
from upath import UPath

from xingu.errors import StorageError
from xingu.files.atomic import write_atomically, write_once
from xingu.files.sealed import seal, unseal

CURRENT, HISTORY = "current.json", "history"
CLOCKS = timedelta(hours=1)
"""Largest assumed difference between the clocks of two machines."""

Action = Literal["train", "pass", "refuse", "pin", "unpin"]


class Entry(BaseModel):
    """One event, and the state after it.

    Attributes:
        number: Position in the history, from 1.
        time: Time of the event (UTC).
        train_id: The train that it is about.
        train_session_id: Its session.
        action: ``train``: it passed its blocking checks as the newest train; ``pass``: it passed
            them after a newer train; ``refuse``: it failed one; ``pin`` and ``unpin``: of a user.
        current: The train that is current after it; None if there is none.
        pinned: Whether `current` stays current until it is unpinned.
        rolled_back: Of ``pin``: the newer trains that the user went back from.
        reason: Of ``refuse``: the checks that failed.
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
        self._known: dict[int, Entry] = {}

    def newest(self) -> Entry | None:
        """Return the newest entry, which names the current train; None if there is no entry."""
        return self._read(self.folder / CURRENT)

    def append(
        self, train_id: str, train_session_id: str, action: Action, change: Change | None = None
    ) -> Entry | None:
        """Add an entry.

        Args:
            train_id: The train that it is about.
            train_session_id: Its session.
            action: The event.
            change: Decides the state after it; by default the train becomes current, unless
                another one is pinned. It is called again if another process was faster.

        Returns:
            The newest entry; None if there is none, because nothing was to be changed.
        """
        ids = {"train_id": train_id, "train_session_id": train_session_id, "action": action}
        decide = change or (lambda before: _state_after(before, train_id, action))
        before = newest = self.newest()
        while True:
            state = decide(before)
            if state is None:
                break
            # Clocks of several machines differ, but times of entries must not decrease.
            time = max(filter(None, (datetime.now(UTC), before.time if before else None)))
            number = before.number + 1 if before else 1
            entry = Entry(number=number, time=time, **{**ids, **state})
            if write_once(self._path(number), _sealed(entry, self._path(number))):
                before = entry
                break
            # Another process wrote it, maybe one that was killed before it moved the pointer.
            before = self._entry(number) or before
        if before is not newest:
            self._point_to(before)
        return before

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
        """Yield trains that were accepted or pinned, and not refused or rolled back since.

        Args:
            last: The entry to begin with; None: the newest. The train of the newest entry is first.
        """
        decided: set[str] = set()
        for entry in self.entries(last=last):
            if entry.action in ("train", "pin") and entry.train_id not in decided:
                yield entry.train_id
            if entry.action != "unpin":
                decided |= {entry.train_id, *entry.rolled_back}

    def verdict(self, train_id: str, trained: datetime | None) -> Entry | None:
        """Return the newest entry that decides about a train; None if there is none.

        Its action is ``train``, ``pass`` or ``refuse``, or ``pin``: of this train, or of the one
        that the user went back to from it.

        Args:
            train_id: The train.
            trained: Time of its fit, which limits how many entries are read; None: no limit.
        """
        for entry in self.entries():
            if trained is not None and entry.time < trained - CLOCKS:
                return None
            about = {entry.train_id, *entry.rolled_back} if entry.action != "unpin" else ()
            if train_id in about:
                return entry
        return None

    def _point_to(self, entry: Entry | None) -> None:
        """Move the pointer, and on to later entries: a slow writer must not move it back."""
        while entry is not None:
            path = self.folder / CURRENT
            write_atomically(path, _sealed(entry, path))
            entry = self._entry(entry.number + 1)

    def _path(self, number: int) -> UPath:
        return self.folder / HISTORY / f"{number:010d}.json"

    def _entry(self, number: int) -> Entry | None:
        if number not in self._known:
            entry = self._read(self._path(number))
            if entry is None:
                return None
            self._known[number] = entry
        return self._known[number]

    @staticmethod
    def _read(path: UPath) -> Entry | None:
        try:
            return Entry.model_validate_json(unseal(path.read_bytes(), path.name))
        except FileNotFoundError:
            return None
        except ValueError as error:
            reason = " ".join(str(error).split())
            raise StorageError(
                f"{path} is damaged ({reason}): restore it, or name a train by its train_id.",
                path=str(path),
            ) from error


def _sealed(entry: Entry, path: UPath) -> bytes:
    return seal(entry.model_dump_json(), path.name)


def _state_after(before: Entry | None, train_id: str, action: Action) -> Mapping[str, Any]:
    if action == "train" and before is not None and before.pinned:
        return {"current": before.current, "pinned": True}
    return {"current": train_id, "pinned": action == "pin"}
