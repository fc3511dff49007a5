"""Values that a pool worker keeps between the steps of one run, so that they are not read again.

Values are found by asset key and value id, which names one immutable stored value. The memory is
empty outside pool workers, and a worker lives for one run only. Frames are copied when they come
in and when they go out, so that a hook that changes its frame in place changes no other.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from pandas.api.types import infer_dtype, is_object_dtype

from xingu.provider.state import PreparedFrame, PreparedSplits
from xingu.values import Key, Stored

LIMIT_BYTES = 256 * 2**20
"""Memory of one worker for values; the one not used for longest is dropped first."""


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    bytes: int


class ValueMemory:
    """Values by asset key and value id, up to a number of bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._entries: OrderedDict[tuple[Key, str], _Entry] = OrderedDict()

    def recall(self, key: Key, value_id: str) -> Any:
        """Return a copy of a value; None if it is not here."""
        entry = self._entries.get((key, value_id))
        if entry is None:
            return None
        self._entries.move_to_end((key, value_id))
        return _copy(entry.value)

    def remember(self, key: Key, value_id: str, value: Any) -> None:
        """Keep a copy of a value of frames that can be copied and is not too large."""
        frames = _frames(value)
        if not frames or not all(map(_is_copied_whole, frames)):
            return
        size = sum(int(frame.memory_usage(deep=True).sum()) for frame in frames)
        if size > self.limit_bytes:
            return
        self._drop((key, value_id))
        self._entries[key, value_id] = _Entry(_copy(value), size)
        self.bytes += size
        while self.bytes > self.limit_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, name: tuple[Key, str]) -> None:
        if entry := self._entries.pop(name, None):
            self.bytes -= entry.bytes


_memory = ValueMemory(0)


@contextmanager
def enabled(limit_bytes: int = LIMIT_BYTES) -> Iterator[None]:
    """Let this process keep values while the block runs."""
    global _memory
    before, _memory = _memory, ValueMemory(limit_bytes)
    try:
        yield
    finally:
        _memory = before


def recall(key: Key, value_id: str) -> Any:
    """Return a copy of a value that this worker has; None if it has not."""
    return _memory.recall(key, value_id)


def remember(key: Key, value_id: str, value: Any) -> None:
    """Keep a value for later steps of this run, in a pool worker; elsewhere do nothing."""
    if _memory.limit_bytes:
        _memory.remember(key, value_id, value)


def _frames(value: Any) -> list[pd.DataFrame]:
    """Return the frames of a value; none if it is no value of frames."""
    match value:
        case Stored():
            return _frames(value.value)
        case pd.DataFrame():
            return [value]
        case PreparedFrame():
            return [value.frame]
        case PreparedSplits():
            return list(value.frames.values())
        case Mapping() if all(isinstance(one, pd.DataFrame) for one in value.values()):
            return list(value.values())
    return []


def _copy(value: Any) -> Any:
    match value:
        case Stored():
            return Stored(_copy(value.value), value.record.model_copy(deep=True))
        case pd.DataFrame():
            return value.copy()
        case PreparedFrame():
            return replace(value, frame=_copy(value.frame))
        case PreparedSplits():
            return replace(value, frames=_copy(value.frames))
    return {name: _copy(frame) for name, frame in value.items()}


def _is_copied_whole(frame: pd.DataFrame) -> bool:
    """Return whether a copy shares no cell that can be changed, such as a list."""
    columns = [frame.iloc[:, number] for number in range(frame.shape[1])]
    objects = [one for one in (*columns, frame.index, frame.columns) if is_object_dtype(one)]
    return not frame.attrs and all(
        infer_dtype(one, skipna=True) in ("string", "empty", "boolean") for one in objects
    )
