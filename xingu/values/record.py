"""Records of the value store: what is written beside a value, and what refers to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from xingu.names import partition_part
from xingu.records import SourceRecord

Key = tuple[str, ...]
Kind = Literal["frame", "frames", "prepared_frame", "prepared_splits", "object"]


def partition_key(key: Key, partition: str) -> Key:
    """Return the key of the values of one partition of an asset."""
    return (*key, "partitions", partition_part(partition))


class Facts(BaseModel):
    """Facts about a value that later phases use without reading it.

    Attributes:
        train_id: The train that the value belongs to.
        sources: Its sources; a raw value has its own source, without data version.
        replay_sample: Id of the stored sample of raw rows that the parity check replays.
        options: Value and origin of the options that the value was made with; see
            `xingu.options.ResolvedOptions.used`.
        partition: Key of the partition of the batch that the value is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train_id: str | None = None
    sources: tuple[SourceRecord, ...] = ()
    replay_sample: str | None = None
    options: Mapping[str, Mapping[str, Any]] = {}
    partition: str | None = None


class Record(BaseModel):
    """Description of a stored value, written beside it.

    Attributes:
        frames: File of each frame, by name.
        files: Digest of each file; empty in records of earlier versions.
        pandas: Version of pandas that wrote the value; empty in records of earlier versions.
    """

    model_config = ConfigDict(frozen=True)

    value_id: str
    run_id: str
    kind: Kind
    written: datetime
    data_version: str
    frames: dict[str, str]
    bytes: int
    facts: Facts = Facts()
    files: dict[str, str] = Field(default_factory=dict)
    pandas: str = ""


class Pointer(BaseModel):
    """Content of a pointer."""

    model_config = ConfigDict(extra="forbid")

    value_id: str = Field(pattern=r"^[\w.-]+$")


class Pin(BaseModel):
    """Content of a pin.

    Attributes:
        package: Path of the model package, relative to the root of the values if both are local.
    """

    model_config = ConfigDict(extra="forbid")

    package: str


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
