"""Content of a value: its frames as files, and everything else as one pickle."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import pandas as pd
from upath import UPath

from xingu.errors import StorageError
from xingu.files.digest import digest_of_bytes
from xingu.files.frames import Layout, read_frame, verify_digest, write_frame
from xingu.provider.state import PreparedFrame, PreparedSplits, ProviderState
from xingu.values.record import Kind, Record

OBJECT = "object.pkl"


@dataclass(frozen=True, slots=True)
class Content:
    """Files of a value.

    Attributes:
        kind: Type of the value.
        frames: File of each frame, by name.
        files: Digest of each file.
        bytes: Size of all files.
        version: Hash of the content.
    """

    kind: Kind
    frames: dict[str, str]
    files: dict[str, str]
    bytes: int
    version: str


def write_content(value: Any, folder: UPath, layout: Layout) -> Content:
    """Write `value` to files of an existing folder."""
    kind, frames, payload = _split(value)
    written = {
        name: write_frame(frame, folder, f"{number}_{_file_name(name)}", layout)
        for number, (name, frame) in enumerate(frames.items())
    }
    files = {part.file: part.digest for part in written.values()}
    if payload is not None:
        (folder / OBJECT).write_bytes(payload)
        files[OBJECT] = digest_of_bytes(payload)
    return Content(
        kind=kind,
        frames={name: part.file for name, part in written.items()},
        files=files,
        bytes=sum(part.bytes for part in written.values()) + len(payload or b""),
        version=blake2b("".join(files.values()).encode(), digest_size=8).hexdigest(),
    )


def read_content(record: Record, folder: UPath) -> Any:
    """Return the value whose files are in `folder`, after the digest of each was verified.

    Raises:
        FileNotFoundError: If a file is missing.
        StorageError: If a file is damaged.
        Exception: Whatever unpickling raises.
    """
    frames = {
        name: read_frame(folder / file, record.files.get(file))
        for name, file in record.frames.items()
    }
    if record.kind == "frames":
        return frames
    if record.kind == "frame":
        return frames["frame"]
    data = (folder / OBJECT).read_bytes()
    if OBJECT in record.files:
        verify_digest(OBJECT, digest_of_bytes(data), record.files[OBJECT])
    value = pickle.loads(data)
    if record.kind == "object":
        return value
    if not isinstance(value, ProviderState):
        raise StorageError(f"{OBJECT} holds a {type(value).__name__}")
    if record.kind == "prepared_frame":
        return PreparedFrame(frames["frame"], value)
    return PreparedSplits(frames, value)


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


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)[:80]
