"""The value store: each write goes to a folder of its own, then pointers are replaced atomically.

A value is found by the run that wrote it, else by the pointer to the latest one, so two runs of one
DataProvider never mix. Layout below the root::

    <asset key>/<value id>/record.json, frames, object.pkl
    <asset key>/latest.json                the newest value
    <asset key>/runs/<run id>.json         the value that a run wrote
    <asset key>/pins/<value id>.<train>    a saved model refers to this value

Value ids begin with the time, so their order is their age. The record has a digest of each file;
records, pointers and pins contain one of themselves. All are verified before anything is parsed.
"""

import logging
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from upath import UPath

from xingu.errors import MissingValueError, StorageError, text_of
from xingu.files.atomic import (
    children,
    is_abandoned,
    leftovers,
    local_path,
    new_folder,
    remove_folder,
    remove_leftover,
    storage_root,
    write_atomically,
)
from xingu.files.frames import Layout
from xingu.files.sealed import seal, unseal
from xingu.names import key_part
from xingu.registry.manifest import MANIFEST
from xingu.values.content import read_content, write_content
from xingu.values.record import Key, Label, Pin, Pointer, Record, Stored

logger = logging.getLogger(__name__)

RECORD, LATEST, RUNS, PINS = "record.json", "latest.json", "runs", "pins"
_VALUE_ID = re.compile(r"\d{8}T\d{6}\.\d{6}-[0-9a-f]{6}")


class ValueStore:
    """Values by asset key, below one folder or URL.

    Args:
        root: Folder or URL.
        keep: How many values of each key to keep; pinned ones and the latest are kept beyond that.
    """

    def __init__(self, root: str | UPath, keep: int = 3) -> None:
        self.root = storage_root(root)
        self.keep = keep

    def folder(self, key: Key) -> UPath:
        """Return the folder of all values of `key`."""
        return self.root.joinpath(*key)

    def write(
        self, key: Key, run_id: str, value: Any, label: Label, layout: Layout = "fast"
    ) -> Record:
        """Write `value`, then make it the one of its run and the latest.

        Raises:
            StorageFullError: If the storage takes no more; the pointers stay as they are.
        """
        now = datetime.now(UTC)
        value_id = f"{now:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(3)}"
        with new_folder(self.folder(key), value_id) as folder:
            content = write_content(value, folder, layout)
            record = Record(
                value_id=value_id,
                run_id=run_id,
                kind=content.kind,
                written=now,
                data_version=label.data_version or content.version,
                frames=content.frames,
                bytes=content.bytes,
                facts=label.facts,
                files=content.files,
                pandas=pd.__version__,
            )
            text = record.model_dump_json(indent=1, exclude_defaults=True)
            (folder / RECORD).write_bytes(seal(text, _place(key, value_id, RECORD)))
        pointer = Pointer(value_id=value_id).model_dump_json()
        for path in ((RUNS, f"{run_id}.json"), (LATEST,)):
            write_atomically(self.folder(key).joinpath(*path), seal(pointer, _place(key, *path)))
        return record

    def find(self, key: Key, run_ids: Sequence[str] = ()) -> str | None:
        """Return the id of the value that the first of `run_ids` wrote, else of the latest.

        Raises:
            StorageError: If a pointer is damaged; the text says which asset to materialize.
        """
        for run_id in run_ids:
            value_id = self._pointed(key, RUNS, f"{run_id}.json")
            # The value of a run may have been pruned; a damaged one must not become another one.
            if value_id and (self.folder(key) / value_id).exists():
                return value_id
        return self._pointed(key, LATEST)

    def read(self, key: Key, run_ids: Sequence[str] = (), value_id: str | None = None) -> Stored:
        """Return the value `value_id`, else the one that `find` finds.

        Raises:
            MissingValueError: If there is none; the message says which asset to materialize.
            StorageError: If it is damaged, or the installed libraries cannot read it; the message
                says so too.
        """
        name = "/".join(key)
        value_id = value_id or self.find(key, run_ids)
        if value_id is None:
            raise MissingValueError(
                f"{name} was never materialized here ({self.root}); materialize it first, or "
                "select it in the same run.",
                key=name,
            )
        record = self._record(key, value_id)
        with _reading(key, f"value {value_id}", record.pandas):
            return Stored(read_content(record, self.folder(key) / value_id), record)

    def record(self, key: Key, run_ids: Sequence[str] = ()) -> Record | None:
        """Return the record of the value that `find` finds, without reading the value.

        Raises:
            MissingValueError: If its record was removed.
            StorageError: If its record or a pointer is damaged.
        """
        value_id = self.find(key, run_ids)
        return None if value_id is None else self._record(key, value_id)

    def _record(self, key: Key, value_id: str) -> Record:
        with _reading(key, f"value {value_id}"):
            data = (self.folder(key) / value_id / RECORD).read_bytes()
            record = Record.model_validate_json(unseal(data, _place(key, value_id, RECORD)))
            if record.value_id != value_id:
                raise ValueError(f"its record is that of {record.value_id}")
        return record

    def _pointed(self, key: Key, *path: str) -> str | None:
        """Return the value that a pointer names; None if there is no such pointer."""
        try:
            data = self.folder(key).joinpath(*path).read_bytes()
        except FileNotFoundError:
            return None
        with _reading(key, f"pointer {'/'.join(path)}"):
            return Pointer.model_validate_json(unseal(data, _place(key, *path))).value_id

    def pin(self, key: Key, value_id: str, package: UPath) -> None:
        """Keep a value for as long as the model package at `package` exists."""
        path = PINS, f"{value_id}.{package.name}"
        text = Pin(package=self._relative(package)).model_dump_json()
        write_atomically(self.folder(key).joinpath(*path), seal(text, _place(key, *path)))

    def prune(
        self,
        key: Key,
        busy_runs: Callable[[], Iterable[str]] = tuple,
        among: Collection[str] | None = None,
    ) -> list[str]:
        """Remove old values of `key` and return their ids.

        The newest `keep`, the latest, pinned ones and those of `busy_runs` (asked for only when
        there are others) stay. If `among` is given, so do all that are not in it. What killed
        processes left is removed too.
        """
        folder = self.folder(key)
        for path in leftovers(folder):
            remove_leftover(path)
        ids = self._value_ids(key)
        prunable = set(ids[: -self.keep]) if among is None else set(ids[: -self.keep]) & set(among)
        prunable -= self._needed(key, busy_runs) if prunable else set()
        prunable = {value_id for value_id in prunable if not self._is_pinned(key, value_id)}
        if prunable:
            # Entries first, so that no entry names a value that is half removed.
            for path in self._dangling(key, prunable):
                path.unlink(missing_ok=True)
            for value_id in sorted(prunable):
                _remove(folder / value_id)
            logger.info("%s: removed %d old values", "/".join(key), len(prunable))
        return sorted(prunable)

    def _needed(self, key: Key, busy_runs: Callable[[], Iterable[str]]) -> set[str | None]:
        """Return the latest value and those of `busy_runs`; all values if a pointer is damaged."""
        try:
            return {self._pointed(key, LATEST), *(self.find(key, [run]) for run in busy_runs())}
        except StorageError as error:
            logger.warning("No value is removed: %s", error)
            return {*self._value_ids(key)}

    def leftovers(self) -> list[UPath]:
        """Return what killed processes left, of all keys; lists every folder.

        That are entries for values that do not exist, and incomplete files and folders that have
        not changed for a day.
        """
        found = leftovers(self.root)
        for key in self._keys_below(self.root, ()):
            values = {one: self.folder(key) / one for one in self._value_ids(key)}
            incomplete = {
                value_id: value
                for value_id, value in values.items()
                if not (value / RECORD).exists() and is_abandoned(value)
            }
            found += (*incomplete.values(), *self._dangling(key, incomplete))
        return found

    def _keys_below(self, folder: UPath, key: Key) -> Iterator[Key]:
        names = {path.name for path in children(folder)}
        if {LATEST, RUNS} & names:
            yield key
            names -= {RUNS, PINS}
        for name in sorted(names):
            if key_part(name) == name:
                yield from self._keys_below(folder / name, (*key, name))

    def _value_ids(self, key: Key) -> list[str]:
        """Return the ids of the values of `key`, oldest first; some may be incomplete."""
        names = (child.name for child in children(self.folder(key)))
        return sorted(name for name in names if _VALUE_ID.fullmatch(name))

    def _dangling(self, key: Key, incomplete: Collection[str] = ()) -> list[UPath]:
        """Return the pointers of runs, and the pins, of values that do not exist or are given."""
        entries: list[tuple[UPath, str | None]] = []
        for pointer in children(self.folder(key) / RUNS):
            try:
                entries.append((pointer, self._pointed(key, RUNS, pointer.name)))
            except StorageError as error:
                logger.warning("%s", error)
        for pin in children(self.folder(key) / PINS):
            found = _VALUE_ID.match(pin.name)
            entries.append((pin, found and found[0]))
        # Listed last: a value is older than its entries.
        existing = {None, *self._value_ids(key)} - {*incomplete}
        return [path for path, value_id in entries if value_id not in existing]

    def _is_pinned(self, key: Key, value_id: str) -> bool:
        pins = children(self.folder(key) / PINS)
        return any(
            self._has_package(key, pin) for pin in pins if pin.name.startswith(f"{value_id}.")
        )

    def _has_package(self, key: Key, pin: UPath) -> bool:
        data = pin.read_bytes()
        try:
            if data.startswith(b"{"):
                data = unseal(data, _place(key, PINS, pin.name))
                package = Pin.model_validate_json(data).package
            else:  # written by an earlier version
                package = data.decode()
        except ValueError as error:
            logger.warning("%s is damaged (%s); its value is kept", pin, error)
            return True
        return (self._package_at(package) / MANIFEST).exists()

    def _relative(self, package: UPath) -> str:
        """Return the path of a package relative to the root, because both may move together."""
        root, place = local_path(self.root), local_path(package)
        return str(package) if root is None or place is None else os.path.relpath(place, root)

    def _package_at(self, text: str) -> UPath:
        elsewhere = local_path(self.root) is None or "://" in text
        return UPath(text) if elsewhere else self.root / text


@contextmanager
def _reading(key: Key, what: str, pandas: str = "") -> Iterator[None]:
    """Convert any error to one that says which asset to materialize.

    Args:
        key: The asset.
        what: What is read, for example ``value 20260101T…``.
        pandas: Version of pandas that wrote it.
    """
    name = "/".join(key)
    try:
        yield
    except FileNotFoundError as error:
        raise MissingValueError(
            f"{name}: its {what} was removed ({error}); materialize {name} again.",
            key=name,
        ) from error
    except PermissionError as error:
        raise StorageError(
            f"{name}: its {what} may not be read: the storage refused it ({text_of(error)}); check "
            "the credentials of this process, and their permissions to read and to list "
            "XINGU_VALUES_PATH.",
            key=name,
        ) from error
    except Exception as error:  # a damaged pickle, or a pickled class, can raise anything
        remedy = f"materialize {name} again"
        if pandas not in ("", pd.__version__):
            remedy = (
                f"it was written with pandas {pandas}, and {pd.__version__} is installed: install "
                f"pandas {pandas}, or {remedy}"
            )
        raise StorageError(
            f"{name}: its {what} cannot be read: {_cause(error)}; {remedy}.", key=name
        ) from error


def _cause(error: Exception) -> str:
    text = " ".join(text_of(error).split()).rstrip(".")
    return text if isinstance(error, StorageError) else f"{type(error).__name__}: {text}"


def _place(key: Key, *path: str) -> str:
    """Return the path of a sealed file below the root, which its digest covers."""
    return "/".join((*key, *path))


def _remove(folder: UPath) -> None:
    """Remove a value: its record first, so that no reader finds an incomplete value."""
    (folder / RECORD).unlink(missing_ok=True)
    remove_folder(folder)
