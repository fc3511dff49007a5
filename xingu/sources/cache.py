"""A cache of source frames: one parquet file for each thing that decides a result.

Its one idea: the file's name is a hash of everything that decides its content, so an edited query
or another database is another file. A file that cannot be read is as good as none. It does not
know how frames are made.
"""

import datetime as dt
import hashlib
import io
import logging
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
from upath import UPath

from xingu.errors import StorageError
from xingu.sources.secrets import is_secret

logger = logging.getLogger(__name__)

_FAITHFUL_OBJECTS = ("empty", "string", "boolean", "date", "time", "bytes")
_PLAIN_VALUES = (
    *(type(None), bool, int, float, str, bytes, dt.date, dt.time, dt.timedelta, np.generic),
    *(np.dtype, pd.api.extensions.ExtensionDtype, Path, re.Pattern),
)


class SourceCache:
    """The cache of one folder.

    Args:
        folder: Local folder or object storage; None: nothing is cached.
        refresh: Read nothing from the cache, and replace what is there.
    """

    def __init__(self, folder: UPath | Path | None, refresh: bool = False) -> None:
        self._folder = None if folder is None else UPath(folder)
        self._refresh = refresh

    @property
    def active(self) -> bool:
        """Whether there is a folder."""
        return self._folder is not None

    def may_have(self, keys: Collection[str | None]) -> bool:
        """Return whether there is a file for each of `keys`."""
        if self._folder is None or self._refresh:
            return False
        return all(key is not None and self._file(key).exists() for key in keys)

    def load(self, key: str) -> pd.DataFrame | None:
        """Return the frame, or None (with a warning) if its file cannot be read."""
        file = self._file(key)
        try:
            return pd.read_parquet(io.BytesIO(file.read_bytes()))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is read anew
            logger.warning("The cache file %s is unreadable and will be replaced (%s)", file, error)
            return None

    def store(self, key: str, frame: pd.DataFrame, label: str) -> None:
        """Keep `frame`; one that parquet would change, or a full disk, is a warning.

        Args:
            key: Name of the entry.
            frame: What to keep.
            label: What it is, for the warning.
        """
        reason = _unfaithful(frame)
        if reason is None:
            try:
                self._write(self._file(key), _to_parquet(frame))
            except OSError as error:
                reason = str(error)
        if reason:
            logger.warning("%s is not cached: %s", label, reason)

    @contextmanager
    def locked(self, keys: Collection[str | None], waiting: Callable[[], None]) -> Iterator[None]:
        """Keep other processes of this machine from making the same entries.

        Args:
            keys: Names of the entries.
            waiting: Called when another process has one of them.
        """
        if self._folder is None or self._folder.protocol not in ("", "file"):
            yield
            return
        from filelock import FileLock, Timeout

        folder = Path(self._folder.path) / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The cache folder {self._folder} cannot be written ({error}); choose another one."
            ) from error
        with ExitStack() as locks:
            # In the order of their names, so that two processes never wait for each other.
            for key in sorted({key for key in keys if key}):
                lock = FileLock(folder / f"{key}.lock")
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    waiting()
                    lock.acquire()
                locks.callback(lock.release)
            yield

    def _file(self, key: str) -> UPath:
        if self._folder is None:
            raise StorageError("There is no cache folder.")
        return self._folder / f"{key}.parquet"

    def _write(self, file: UPath, content: bytes) -> None:
        if file.protocol not in ("", "file"):
            file.write_bytes(content)  # object storage shows a file when it is complete
            return
        path = Path(file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{uuid4().hex}.tmp")
        try:
            half.write_bytes(content)
            os.replace(half, path)  # noqa: PTH105
        finally:
            half.unlink(missing_ok=True)


def cache_key(*parts: Any) -> str | None:
    """Return a name for what `parts` decide, or None if they hold something without a text.

    Secrets in mappings are left out: renewing a password renews no cache.
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
    raise TypeError(f"{type(value).__name__} has no text of its own")


def _to_parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _unfaithful(frame: pd.DataFrame) -> str | None:
    """Return why parquet would give back another frame, or None."""
    if not all(isinstance(name, str) for name in frame.columns) or not frame.columns.is_unique:
        return "the names of its columns are not texts, or repeat; rename them"
    if isinstance(frame.index, pd.MultiIndex):
        return "it has an index of several levels; reset it"
    index = [] if isinstance(frame.index, pd.RangeIndex) else [("index", frame.index)]
    for name, values in [*index, *frame.items()]:
        dtype = values.dtype
        if pd.api.types.is_object_dtype(dtype):
            if pd.api.types.infer_dtype(values, skipna=True) not in _FAITHFUL_OBJECTS:
                return f"the column {name!r} holds Python objects; cast it to text or numbers"
        elif not _is_faithful(dtype):
            return f"the column {name!r} has the type {dtype}, which parquet changes"
    return None


def _is_faithful(dtype: Any) -> bool:
    if isinstance(dtype, np.dtype):
        return dtype.kind in "iufb" or dtype.name.endswith(("[us]", "[ns]", "[ms]"))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return dtype.unit in ("us", "ns", "ms")
    if isinstance(dtype, pd.StringDtype):
        return dtype == pd.Series(["x"]).dtype  # the default of this pandas
    return dtype.name in {
        *("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
        *("Float32", "Float64", "boolean"),
    }
