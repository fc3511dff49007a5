"""The value store: each write goes to a folder of its own, then pointers are replaced atomically.

A value is found by the run that wrote it, else by the pointer to the latest one, so two runs of one
DataProvider never mix. Layout below the root::

    <asset key>/<value id>/record.json, frames, object.pkl
    <asset key>/latest.json                the newest value
    <asset key>/runs/<run id>.json         the value that a run wrote
    <asset key>/pins/<value id>.<train>    a saved model refers to this value

Value ids begin with the time, so their order is their age.
"""

import json
import logging
import os
import pickle
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict
from upath import UPath

from xingu.errors import MissingValueError
from xingu.files.atomic import (
    children,
    local_path,
    new_folder,
    remove_folder,
    storage_root,
    write_atomically,
)
from xingu.files.frames import FrameFile, Layout, read_frame, write_frame
from xingu.provider.state import PreparedFrame, PreparedSplits, ProviderState
from xingu.records import SourceRecord
from xingu.registry.manifest import MANIFEST

logger = logging.getLogger(__name__)

Key = tuple[str, ...]
Kind = Literal["frame", "frames", "prepared_frame", "prepared_splits", "object"]

RECORD, OBJECT, LATEST, RUNS, PINS = "record.json", "object.pkl", "latest.json", "runs", "pins"


class Facts(BaseModel):
    """Facts about a value that later phases use without reading it.

    Attributes:
        train_id: The train that the value belongs to.
        sources: Its sources; a raw value has its own source, without data version.
        replay_sample: Id of the stored sample of raw rows that the parity check replays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train_id: str | None = None
    sources: tuple[SourceRecord, ...] = ()
    replay_sample: str | None = None


class Record(BaseModel):
    """Description of a stored value, written beside it."""

    model_config = ConfigDict(frozen=True)

    value_id: str
    run_id: str
    kind: Kind
    written: datetime
    data_version: str
    frames: dict[str, str]
    bytes: int
    facts: Facts = Facts()


@dataclass(frozen=True, slots=True)
class Stored:
    """A value and its record."""

    value: Any
    record: Record


@dataclass(frozen=True, slots=True)
class Label:
    """Data version and facts of a value that is written.

    Without a data version, the value gets that of its content.
    """

    data_version: str | None = None
    facts: Facts = field(default_factory=Facts)


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
        kind, frames, payload = _split(value)
        with new_folder(self.folder(key), value_id) as folder:
            written = {
                name: write_frame(
                    frame,
                    folder,
                    f"{number}_{_file_name(name)}",
                    layout,
                    digest=label.data_version is None,
                )
                for number, (name, frame) in enumerate(frames.items())
            }
            if payload is not None:
                (folder / OBJECT).write_bytes(payload)
            record = Record(
                value_id=value_id,
                run_id=run_id,
                kind=kind,
                written=now,
                data_version=label.data_version or _content_version(written.values(), payload),
                frames={name: part.file for name, part in written.items()},
                bytes=sum(part.bytes for part in written.values()) + len(payload or b""),
                facts=label.facts,
            )
            text = record.model_dump_json(indent=1, exclude_defaults=True)
            (folder / RECORD).write_bytes(text.encode())
        pointer = json.dumps({"value_id": value_id}).encode()
        write_atomically(self.folder(key) / RUNS / f"{run_id}.json", pointer)
        write_atomically(self.folder(key) / LATEST, pointer)
        return record

    def find(self, key: Key, run_ids: Sequence[str] = ()) -> str | None:
        """Return the id of the value that the first of `run_ids` wrote, else of the latest."""
        folder = self.folder(key)
        for pointer in (*(folder / RUNS / f"{run_id}.json" for run_id in run_ids), folder / LATEST):
            try:
                value_id = json.loads(pointer.read_bytes())["value_id"]
            except FileNotFoundError:
                continue
            if (folder / value_id / RECORD).exists():
                return value_id
        return None

    def read(self, key: Key, run_ids: Sequence[str] = (), value_id: str | None = None) -> Stored:
        """Return the value `value_id`, else the one that `find` finds.

        Raises:
            MissingValueError: If there is none; the message says which asset to materialize.
        """
        name = "/".join(key)
        value_id = value_id or self.find(key, run_ids)
        if value_id is None:
            raise MissingValueError(
                f"{name} was never materialized here ({self.root}); materialize it first, or "
                "select it in the same run.",
                key=name,
            )
        folder = self.folder(key) / value_id
        try:
            record = Record.model_validate_json((folder / RECORD).read_bytes())
            return Stored(_join(record, folder), record)
        except FileNotFoundError as error:
            raise MissingValueError(
                f"{name}: its value {value_id} was removed ({error}); materialize it again.",
                key=name,
                value_id=value_id,
            ) from error

    def record(self, key: Key, run_ids: Sequence[str] = ()) -> Record | None:
        """Return the record of the value that `find` finds, without reading the value."""
        value_id = self.find(key, run_ids)
        if value_id is None:
            return None
        return Record.model_validate_json((self.folder(key) / value_id / RECORD).read_bytes())

    def pin(self, key: Key, value_id: str, package: UPath) -> None:
        """Keep a value for as long as the model package at `package` exists."""
        pin = self.folder(key) / PINS / f"{value_id}.{package.name}"
        write_atomically(pin, self._relative(package).encode())

    def prune(
        self,
        key: Key,
        busy_runs: Callable[[], Iterable[str]] = tuple,
        among: Collection[str] | None = None,
    ) -> list[str]:
        """Remove old values of `key` and return their ids.

        The newest `keep`, the latest, pinned ones and those of `busy_runs` (asked for only when
        there are others) stay. If `among` is given, so do all that are not in it.
        """
        folder = self.folder(key)
        ids = sorted(child.name for child in children(folder) if child.name[:1].isdigit())
        if len(ids) <= self.keep:
            return []
        prunable = set(ids[: -self.keep]) - {self.find(key)}
        if among is not None:
            prunable &= set(among)
        if not prunable:
            return []
        # Before the pins: a run pins its values, and then ends.
        prunable -= {self.find(key, [run_id]) for run_id in busy_runs()}
        prunable = {value_id for value_id in prunable if not self._is_pinned(key, value_id)}
        for value_id in sorted(prunable):
            _remove(folder / value_id)
        if prunable:
            self._forget_runs(key, prunable)
            logger.info("%s: removed %d old values", "/".join(key), len(prunable))
        return sorted(prunable)

    def _is_pinned(self, key: Key, value_id: str) -> bool:
        pins = children(self.folder(key) / PINS)
        return any(
            (self._package_at(pin.read_text()) / MANIFEST).exists()
            for pin in pins
            if pin.name.startswith(f"{value_id}.")
        )

    def _relative(self, package: UPath) -> str:
        """Return the path of a package relative to the root, because both may move together."""
        root, place = local_path(self.root), local_path(package)
        return str(package) if root is None or place is None else os.path.relpath(place, root)

    def _package_at(self, text: str) -> UPath:
        elsewhere = local_path(self.root) is None or "://" in text
        return UPath(text) if elsewhere else self.root / text

    def _forget_runs(self, key: Key, removed: Collection[str]) -> None:
        for pointer in children(self.folder(key) / RUNS):
            if json.loads(pointer.read_bytes())["value_id"] in removed:
                pointer.unlink(missing_ok=True)


def _split(value: Any) -> tuple[Kind, Mapping[str, pd.DataFrame], bytes | None]:
    if isinstance(value, pd.DataFrame):
        return "frame", {"frame": value}, None
    if isinstance(value, PreparedFrame):
        return "prepared_frame", {"frame": value.frame}, pickle.dumps(value.state, protocol=5)
    if isinstance(value, PreparedSplits):
        return "prepared_splits", value.frames, pickle.dumps(value.state, protocol=5)
    if isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(frame, pd.DataFrame) for name, frame in value.items()
    ):
        return "frames", value, None
    return "object", {}, pickle.dumps(value, protocol=5)


def _join(record: Record, folder: UPath) -> Any:
    frames = {name: read_frame(folder / file) for name, file in record.frames.items()}
    if record.kind == "frame":
        return frames["frame"]
    if record.kind == "frames":
        return frames
    value = pickle.loads((folder / OBJECT).read_bytes())
    if record.kind == "object":
        return value
    assert isinstance(value, ProviderState)  # noqa: S101
    if record.kind == "prepared_frame":
        return PreparedFrame(frames["frame"], value)
    return PreparedSplits(frames, value)


def _content_version(frames: Iterable[FrameFile], payload: bytes | None) -> str:
    digest = blake2b(payload or b"", digest_size=8)
    for frame in frames:
        digest.update((frame.sha256 or "").encode())
    return digest.hexdigest()


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)[:80]


def _remove(folder: UPath) -> None:
    """Remove a value: its record first, so that no reader finds an incomplete value."""
    (folder / RECORD).unlink(missing_ok=True)
    remove_folder(folder)
