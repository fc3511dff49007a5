"""History of the current train of one DataProvider.

Entries are numbered files that are written once and never change. Their times never decrease, so
the entry at a given time is found by binary search (14 reads among 10,000 entries), without listing
a folder. Layout below the folder of a DataProvider::

    history/0000000001.json    one entry
    current.json               copy of the newest entry, replaced last
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from upath import UPath

from xingu.errors import StorageError
from xingu.files.atomic import write_atomically, write_once

CURRENT, HISTORY = "current.json", "history"

Action = Literal["train", "pin"]


class Entry(BaseModel):
    """One change of the current train.

    Attributes:
        number: Position in the history, from 1.
        time: Time of the change (UTC).
        train_id: The train that became current.
        train_session_id: Its session.
        action: ``train``: it was trained; ``pin``: a user selected it.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    time: datetime
    train_id: str
    train_session_id: str
    action: Action


class Ledger:
    """History of one DataProvider, append only.

    Args:
        folder: Folder of the DataProvider in the model storage.
    """

    def __init__(self, folder: UPath) -> None:
        self.folder = folder

    def newest(self) -> Entry | None:
        """Return the newest entry, which names the current train; None if there is no entry."""
        return self._read(self.folder / CURRENT)

    def append(self, train_id: str, train_session_id: str, action: Action) -> Entry:
        """Make a train the current one.

        Returns:
            The new entry.
        """
        newest = self.newest()
        number, earliest = (newest.number, newest.time) if newest else (0, None)
        while True:
            number += 1
            # Clocks of several machines differ, but times of entries must not decrease.
            time = max(filter(None, (datetime.now(UTC), earliest)))
            entry = Entry(
                number=number,
                time=time,
                train_id=train_id,
                train_session_id=train_session_id,
                action=action,
            )
            data = entry.model_dump_json().encode()
            if write_once(self._path(number), data):
                break
            other = self._read(self._path(number))  # another process wrote it, maybe a killed one
            earliest = other.time if other else earliest
        write_atomically(self.folder / CURRENT, data)
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
            entry = self._read(self._path(middle))
            if entry is not None and entry.time <= moment:
                before, found = middle, entry
            else:
                after = middle
        return found

    def entries(self, limit: int | None = None) -> Iterator[Entry]:
        """Yield entries, newest first.

        Args:
            limit: Largest number of entries; None yields all.
        """
        newest = self.newest()
        last = newest.number if newest else 0
        first = max(1, last - limit + 1) if limit is not None else 1
        for number in range(last, first - 1, -1):
            entry = self._read(self._path(number))
            if entry is not None:
                yield entry

    def _path(self, number: int) -> UPath:
        return self.folder / HISTORY / f"{number:010d}.json"

    @staticmethod
    def _read(path: UPath) -> Entry | None:
        try:
            return Entry.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise StorageError(
                f"{path} is damaged ({error.errors()[0]['msg']}): restore it, or name a train by "
                "its train_id.",
                path=str(path),
            ) from error
