"""Pointers from train sessions to the trains of one DataProvider, and their digests."""

from contextlib import suppress

from pydantic import BaseModel, ConfigDict
from upath import UPath

from xingu.errors import StorageError
from xingu.files.atomic import children, read_small_file, write_atomically
from xingu.files.sealed import seal, unseal
from xingu.names import is_file_name, key_part
from xingu.registry.manifest import unreadable


class _Pointer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    train_id: str


class Sessions:
    """Trains by session.

    Args:
        folder: Folder of the pointers.
    """

    def __init__(self, folder: UPath) -> None:
        self.folder = folder

    def train_of(self, session_id: str) -> str | None:
        """Return the `train_id` of a session; None if it has none.

        Raises:
            StorageError: If the pointer is damaged.
        """
        return self._read(self._path(session_id)) if is_file_name(session_id) else None

    def point(self, session_id: str, train_id: str) -> None:
        """Make a train that of a session.

        Raises:
            StorageError: If the session has a name that is too long for a file.
        """
        if not is_file_name(session_id):
            raise StorageError(
                f"The train session {session_id[:20]}… has a name of {len(session_id)} "
                "characters, which is too long for a file; set a shorter TRAIN_SESSION_ID."
            )
        path = self._path(session_id)
        write_atomically(path, seal(_Pointer(train_id=train_id).model_dump_json(), path.name))

    def forget(self, session_id: str, train_id: str) -> None:
        """Remove the pointer of a session if it names this train."""
        if self.train_of(session_id) == train_id:
            self._path(session_id).unlink(missing_ok=True)

    def trains(self) -> dict[UPath, str]:
        """Return the train that each pointer names; damaged pointers are left out."""
        found = {}
        for path in children(self.folder):
            with suppress(StorageError):
                if train_id := self._read(path):
                    found[path] = train_id
        return found

    def _path(self, session_id: str) -> UPath:
        return self.folder / f"{key_part(session_id)}.json"

    @staticmethod
    def _read(path: UPath) -> str | None:
        try:
            data = read_small_file(path)
        except FileNotFoundError:
            return None
        except Exception as error:  # storages raise errors of their own
            raise unreadable(path.name, error).error(path.parent) from error
        try:
            return _Pointer.model_validate_json(unseal(data, path.name)).train_id
        except ValueError as error:
            raise StorageError(
                f"{path} is damaged ({' '.join(str(error).split())}): restore it, or name a train "
                "by its train_id.",
                path=str(path),
            ) from error
