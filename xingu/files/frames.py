"""Lay a DataFrame down as a file, and read back the same one.

Its one idea: a frame comes back as it was, or it is not stored that way. The ``fast`` layout is a
pickle, which keeps everything and is faster than Arrow both ways. The ``open`` layout is parquet,
for other tools to read; Arrow changes many frames without a word, so only columns and indexes whose
values are known to survive get in, and one row is sent there and back to see that dtypes and names
do too. Every other frame is pickled. Knows nothing of folders, or of what it means.
"""

import hashlib
import io
import json
import pickle
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from xingu.errors import StorageError
from xingu.files.atomic import local_path

Layout = Literal["open", "fast"]

PARQUET, PICKLE = ".parquet", ".pkl"
TEXT = pd.StringDtype(na_value=np.nan)
NUMBERS = [np.dtype(name) for name in ("bool", "int32", "int64", "float32", "float64")]


@dataclass(frozen=True, slots=True)
class FrameFile:
    """A file that holds one frame.

    Attributes:
        file: Its name; the suffix tells the format.
        bytes: Its size.
        sha256: SHA-256 of its bytes, if that was asked for.
    """

    file: str
    bytes: int
    sha256: str | None = None


def write_frame(
    frame: pd.DataFrame, folder: UPath, name: str, layout: Layout, *, digest: bool = False
) -> FrameFile:
    """Write `frame` into an existing `folder`, which other processes do not look into yet.

    Args:
        frame: Any frame whose cells can be pickled.
        folder: A folder that `xingu.files.atomic.new_folder` gave.
        name: Name of the file without its suffix.
        layout: ``open`` for parquet where that is faithful, ``fast`` for values between phases.
        digest: Compute the SHA-256 too. The same parquet content has the same digest in every
            process; a pickled frame does if it was also made by the same operations. It costs
            little in ``open``, and as much again as writing in ``fast``.

    Raises:
        StorageError: If a cell holds something that cannot be pickled.
    """
    faithful = layout == "open" and _parquet_keeps(frame)
    file = name + (PARQUET if faithful else PICKLE)
    with (folder / file).open("wb") as raw:
        sink = _Sink(raw, hashed=digest)
        if faithful:
            _write_parquet(pa.Table.from_pandas(frame), sink)
        else:
            _write_pickle(frame, sink, file)
    return FrameFile(file, sink.bytes, sink.hash.hexdigest() if sink.hash else None)


def read_frame(path: UPath) -> pd.DataFrame:
    """Read what `write_frame` wrote: a frame of its own memory, free to be changed.

    Raises:
        FileNotFoundError: If there is no such file.
        StorageError: If the file is damaged.
    """
    local = local_path(path)
    # One request for the whole object; a streamed read would be one for every few megabytes.
    opened = pa.BufferReader(path.read_bytes()) if local is None else pa.OSFile(str(local))
    try:
        with opened as file:
            if path.suffix == PARQUET:
                frame = pq.ParquetFile(file).read().to_pandas()
                for name, dtype in frame.dtypes.items():
                    if isinstance(dtype, pd.CategoricalDtype):
                        # Its codes would stay in Arrow's memory, which is read-only.
                        frame[name] = frame[name].copy()
                return frame
            return pickle.load(file)
    except (pa.ArrowException, pickle.UnpicklingError, EOFError) as error:
        raise StorageError(
            f"{path} is damaged ({error}): remove it, and materialize its asset again.",
            path=str(path),
        ) from error


class _Sink(io.RawIOBase):
    """Pass bytes on, count them, and hash them on their way if wanted."""

    def __init__(self, raw: Any, *, hashed: bool) -> None:
        self.raw = raw
        self.bytes = 0
        self.hash = hashlib.sha256() if hashed else None

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        self.raw.write(data)
        self.bytes += size
        if self.hash:
            self.hash.update(data)
        return size


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any, /) -> Any:
        # Arrays that share memory with Arrow are read-only, and would be read back so.
        if type(obj) is np.ndarray and not obj.flags.writeable:
            return obj.copy().__reduce_ex__(5)
        return NotImplemented


def _write_pickle(frame: pd.DataFrame, sink: _Sink, file: str) -> None:
    try:
        _Pickler(sink, protocol=5).dump(frame)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        columns = list(frame.select_dtypes(object).columns)
        raise StorageError(
            f"{file}: a cell of the columns {columns} cannot be stored ({error}); keep values in "
            "frames, and things like locks and connections out of them.",
            columns=columns,
        ) from error


def _write_parquet(table: pa.Table, sink: Any) -> None:
    # Measured on 200,000 × 20 random floats: dictionaries make writing 2.5 times slower.
    floats = [field.name for field in table.schema if field.type in (pa.float32(), pa.float64())]
    options: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [name for name in table.column_names if name not in floats],
        "use_byte_stream_split": floats,
    }
    pq.write_table(table, sink, **options)


def _parquet_keeps(frame: pd.DataFrame) -> bool:
    """Return whether parquet gives back `frame` and not a similar one."""
    index = frame.index
    return _is_plain(frame) or (
        type(frame) is pd.DataFrame
        and all(type(name) is str for name in frame.columns)
        and all(_values_survive(dtype) for dtype in frame.dtypes)
        and _values_survive(index.dtype)
        and (index.name is None or type(index.name) is str)
        and _is_json(frame.attrs)
        and _comes_back(frame.head(1))
    )


def _is_plain(frame: pd.DataFrame) -> bool:
    """Return whether it holds only what needs no trial: numbers and texts in numbered rows."""
    index, columns = frame.index, frame.columns
    return (
        type(frame) is pd.DataFrame
        and frame.flags.allows_duplicate_labels
        and not frame.attrs
        and len(columns) > 0
        and index.dtype == np.int64
        and index.names == columns.names == [None]
        and columns.dtype == TEXT
        and columns.is_unique
        and not columns.hasnans
        and not columns.str.startswith("__").any()  # Arrow's own name for the index
        and all(dtype == TEXT or dtype in NUMBERS for dtype in frame.dtypes)
    )


def _values_survive(dtype: Any) -> bool:
    """Return whether parquet keeps every value of `dtype`; not whether it keeps the dtype."""
    if isinstance(dtype, pd.CategoricalDtype):
        return isinstance(dtype.categories.dtype, pd.StringDtype)
    return isinstance(dtype, pd.StringDtype) or dtype.kind in "biufmM"


def _is_json(value: object) -> bool:
    try:
        return json.loads(json.dumps(value)) == value
    except (TypeError, ValueError):
        return False


def _comes_back(head: pd.DataFrame) -> bool:
    file = io.BytesIO()
    try:
        _write_parquet(pa.Table.from_pandas(head), file)
        back = pq.ParquetFile(file).read().to_pandas()
        pd.testing.assert_frame_equal(back, head, check_index_type=True, check_column_type=True)
    except (AssertionError, pa.ArrowException, TypeError, ValueError, KeyError):
        return False
    return True
