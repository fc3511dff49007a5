"""Which train of a DataProvider was the current one, and when.

Its one idea: entries are numbered files that are written once, and their times never go back, so
a moment is found by halving: fourteen small reads among ten thousand entries, and no listing.
Layout below the folder of a DataProvider::

    history/0000000001.json    one entry
    current.json               a copy of the newest entry; moves last
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
    """A train that became the current one.

    Attributes:
        number: 1 for the first entry.
        time: Since when (UTC).
        action: ``train``: it was trained; ``pin``: somebody chose it.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    time: datetime
    train_id: str
    train_session_id: str
    action: Action


class Ledger:
    """The history of one DataProvider.

    Args:
        folder: The DataProvider's folder in the model storage.
    """

    def __init__(self, folder: UPath) -> None:
        self.folder = folder

    def newest(self) -> Entry | None:
        """Return the newest entry, which says what is current; None: nothing was trained yet."""
        return self._read(self.folder / CURRENT)

    def append(self, train_id: str, train_session_id: str, action: Action) -> Entry:
        """Make a train the current one."""
        newest = self.newest()
        number, earliest = (newest.number, newest.time) if newest else (0, None)
        while True:
            number += 1
            # Two machines may disagree about the time; entries may not.
            time = max(filter(None, (datetime.now(UTC), earliest)))
            entry = Entry(
                number=number,
                time=time,
                train_id=train_id,
                train_session_id=train_session_id,
                action=action,
            )
            data = entry.model_dump_json().encode()
            if write_once(self._place(number), data):
                break
            other = self._read(self._place(number))  # of another process, or of a killed one
            earliest = other.time if other else earliest
        write_atomically(self.folder / CURRENT, data)
        return entry

    def at(self, moment: datetime) -> Entry | None:
        """Return the entry that was the newest at `moment`; None: there was none yet.

        A moment without a time zone is local time.
        """
        moment = moment.astimezone(UTC)
        newest = self.newest()
        if newest is None or newest.time <= moment:
            return newest
        before, after = 0, newest.number  # `before` is at `moment` or earlier, `after` is later
        found = None
        while after - before > 1:
            middle = (before + after) // 2
            entry = self._read(self._place(middle))
            if entry is not None and entry.time <= moment:
                before, found = middle, entry
            else:
                after = middle
        return found

    def entries(self, most: int | None = None) -> Iterator[Entry]:
        """Yield entries, newest first, `most` of them; None: all."""
        newest = self.newest()
        last = newest.number if newest else 0
        first = max(1, last - most + 1) if most is not None else 1
        for number in range(last, first - 1, -1):
            entry = self._read(self._place(number))
            if entry is not None:
                yield entry

    def _place(self, number: int) -> UPath:
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
