"""A cache of source frames as parquet files.

The name of a file is a hash of everything that determines its content (SQL or URL, parameters,
database), so an edited query misses the cache. Beside each file, ``<key>.digest`` has its
digest, bound to the key, which is verified before the file is parsed: a file that was damaged, or
swapped with another one, is a cache miss. Frames that parquet would change are not cached.
"""

import datetime as dt
import hashlib
import io
import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from upath import UPath

from xingu.errors import StorageError
from xingu.files.atomic import local_path, write_atomically
from xingu.files.digest import digest_of_bytes
from xingu.masking import is_secret

logger = logging.getLogger(__name__)

_PLAIN_VALUES = (
    *(type(None), bool, int, float, str, bytes, dt.date, dt.time, dt.timedelta, np.generic),
    *(np.dtype, pd.api.extensions.ExtensionDtype, Path, re.Pattern),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A cached frame, and the note that was stored with it; empty in entries of older versions."""

    frame: pd.DataFrame
    note: str


class SourceCache:
    """A cache in one folder.

    Args:
        folder: Local folder or object storage; None disables the cache.
        refresh: Ignore existing entries and replace them.
    """

    def __init__(self, folder: UPath | Path | None, refresh: bool = False) -> None:
        self._folder = None if folder is None else UPath(folder)
        self._refresh = refresh

    @property
    def active(self) -> bool:
        """Whether the cache is enabled."""
        return self._folder is not None

    def has_all(self, keys: Collection[str | None]) -> bool:
        """Return whether every key has an entry; it may turn out to be unreadable."""
        if self._folder is None or self._refresh:
            return False
        return all(key is not None and self._record(key).exists() for key in keys)

    def load(self, key: str, *, warn: bool) -> "Entry | None":
        """Return an entry; None if its file cannot be read or is damaged.

        Args:
            key: Key of the entry.
            warn: Log a warning. Without a lock, an entry may be in the middle of its replacement.
        """
        from xingu.files.frames import read_frame  # at call time: it imports pyarrow.parquet

        file = self._file(key)
        try:
            record = self._record(key).read_bytes()
            digest, _, rest = record.decode().partition(" ")
            note = rest.partition(" ")[2]
            if record != _sealed(key, digest, note):
                raise StorageError("its record is not what was written")
            return Entry(read_frame(file, digest), note)
        except Exception as error:  # noqa: BLE001 - the source is read again, whatever it is
            if warn:
                text = "The cache file %s is unreadable and will be replaced (%s)"
                logger.warning(text, file, error)
            return None

    def store(self, key: str, frame: pd.DataFrame, label: str, note: str = "") -> None:
        """Store a frame; log a warning if parquet would change it or the write fails.

        Args:
            key: Key of the entry.
            frame: Frame to store.
            label: Description of the frame, for the warning.
            note: Text to keep with the frame.
        """
        from xingu.files.frames import parquet_obstacle, write_parquet

        reason = parquet_obstacle(frame)
        if reason is None:
            buffer = io.BytesIO()
            write_parquet(frame, buffer)
            data = buffer.getvalue()
            try:
                write_atomically(self._file(key), data)
                write_atomically(self._record(key), _sealed(key, digest_of_bytes(data), note))
            except (OSError, StorageError) as error:
                reason = str(error)
        if reason:
            logger.warning("%s is not cached: %s", label, reason)

    @contextmanager
    def locked(self, keys: Collection[str | None], waiting: Callable[[], None]) -> Iterator[None]:
        """Lock entries against other processes of this machine; a no-op in object storage.

        Args:
            keys: Keys of the entries.
            waiting: Called once for each entry that another process has locked.

        Raises:
            StorageError: If the folder cannot be written.
        """
        local = None if self._folder is None else local_path(self._folder)
        if local is None:
            yield
            return
        from filelock import FileLock, Timeout

        folder = local / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The cache folder {self._folder} cannot be written ({error}); choose another one."
            ) from error
        with ExitStack() as locks:
            # Sorted, so that two processes cannot deadlock.
            for key in sorted({key for key in keys if key}):
                lock = FileLock(folder / f"{key}.lock")
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    waiting()
                    lock.acquire()
                locks.callback(lock.release)
            yield

    def _file(self, key: str, suffix: str = ".parquet") -> UPath:
        if self._folder is None:
            raise StorageError("There is no cache folder.")
        return self._folder / f"{key}{suffix}"

    def _record(self, key: str) -> UPath:
        return self._file(key, ".digest")


def _sealed(key: str, digest: str, note: str = "") -> bytes:
    """Return a record: the digest of a file, a digest of all of it and the key, and the note."""
    end = f" {note}" if note else ""
    return f"{digest} {digest_of_bytes(f'{key} {digest}{end}'.encode())}{end}".encode()


def cache_key(*parts: Any) -> str | None:
    """Return the key of an entry: a hash of `parts`; None if they contain code or objects.

    Secrets in mappings are left out, so that a renewed password does not miss the cache.
    """
    try:
        return hashlib.sha256(_canonical(parts).encode()).hexdigest()
    except TypeError:
        return None


def _canonical(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = [
            f"{_canonical(name)}:{_canonical(item)}"
            for name, item in value.items()
            if not is_secret(str(name))
        ]
        return "{" + ",".join(sorted(pairs)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, set | frozenset):
        return "<" + ",".join(sorted(map(_canonical, value))) + ">"
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, _PLAIN_VALUES):
        return repr(value)
    raise TypeError(f"{type(value).__name__} has no stable text")
