"""Write a DataFrame to a file, and read back an equal one.

The ``fast`` layout is a pickle, which preserves every frame and is faster than Arrow in both
directions. The ``open`` layout is parquet, which other tools can read. Arrow changes many frames
silently, so `parquet_obstacle` admits only types whose values are known to survive, and converts
one row to compare dtypes and labels; every other frame is pickled. Folders and pointers to files
are the concern of callers.
"""

import datetime as dt
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

from xingu.errors import StorageError, text_of
from xingu.files.atomic import local_path
from xingu.files.digest import Digest, digest_of, digest_of_bytes

Layout = Literal["open", "fast"]

PARQUET, PICKLE = ".parquet", ".pkl"
STRING, OBJECT = pd.StringDtype(na_value=np.nan), np.dtype(object)
NUMBERS = [np.dtype(name) for name in ("bool", "int32", "int64", "float32", "float64")]
_OBJECTS = b"xingu.objects"
"""Key of the parquet metadata with the object columns as JSON: whether their missing cells are NaN
(true) or None (false). Arrow itself keeps neither the dtype nor the kind of missing cell."""


@dataclass(frozen=True, slots=True)
class FrameFile:
    """A file with one frame.

    Attributes:
        file: Name of the file; the suffix gives the format.
        bytes: Size of the file.
        digest: Digest of the file; see `xingu.files.digest`.
    """

    file: str
    bytes: int
    digest: str


def write_frame(frame: pd.DataFrame, folder: UPath, name: str, layout: Layout) -> FrameFile:
    """Write `frame` into an existing `folder` that no other process reads yet.

    Equal frames have the same digest as parquet in every process; as a pickle only if they were
    also made by the same operations.

    Args:
        frame: Any frame whose cells can be pickled.
        folder: A folder that `xingu.files.atomic.new_folder` yielded.
        name: Name of the file without its suffix.
        layout: ``open`` for parquet if it preserves the frame, ``fast`` for values between phases.

    Raises:
        StorageError: If a cell cannot be pickled.
    """
    as_parquet = layout == "open" and parquet_obstacle(frame) is None
    file = name + (PARQUET if as_parquet else PICKLE)
    with (folder / file).open("wb") as raw:
        sink = _Sink(raw)
        if as_parquet:
            write_parquet(frame, sink)
        else:
            _write_pickle(frame, sink, file)
    return FrameFile(file, sink.bytes, sink.digest.hexdigest())


def read_frame(path: UPath, digest: str | None = None) -> pd.DataFrame:
    """Read a file of `write_frame` or `write_parquet` into memory that may be modified.

    Args:
        path: The file.
        digest: Its digest, which is verified before the file is parsed; None verifies only what
            the format itself has.

    Raises:
        FileNotFoundError: If there is no such file.
        StorageError: If the file is damaged, or the installed libraries cannot read it.
    """
    local = local_path(path)
    # One request for the whole object; a streamed read would be one for every few megabytes.
    data = path.read_bytes() if local is None else b""
    if digest is not None:
        verify_digest(path.name, digest_of(path) if local else digest_of_bytes(data), digest)
    try:
        with pa.OSFile(str(local)) if local else pa.BufferReader(data) as file:
            return _from_parquet(file) if path.suffix == PARQUET else pickle.load(file)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged pickle can raise anything
        problem = "is damaged" if digest is None else "cannot be read by the installed libraries"
        raise StorageError(
            f"{path} {problem} ({type(error).__name__}: {text_of(error)}).", path=str(path)
        ) from error


def verify_digest(file: str, found: str, expected: str) -> None:
    """Compare the digest of a file with that of what was written.

    Raises:
        StorageError: If they differ.
    """
    if found != expected:
        raise StorageError(f"{file} is not what was written (its digest differs).", file=file)


def write_parquet(frame: pd.DataFrame, sink: Any) -> None:
    """Write a frame without `parquet_obstacle` as parquet.

    Args:
        frame: The frame.
        sink: A binary file open for writing.
    """
    table = pa.Table.from_pandas(frame)
    has_nan = {name: float in map(type, frame[name]) for name in _object_columns(frame)}
    if has_nan:
        metadata = {**(table.schema.metadata or {}), _OBJECTS: json.dumps(has_nan).encode()}
        table = table.replace_schema_metadata(metadata)
    # Measured on 200,000 × 20 random floats: dictionaries make writing 2.5 times slower.
    floats = [field.name for field in table.schema if field.type in (pa.float32(), pa.float64())]
    options: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [name for name in table.column_names if name not in floats],
        "use_byte_stream_split": floats,
        "write_page_checksum": True,
    }
    pq.write_table(table, sink, **options)


def _from_parquet(file: Any) -> pd.DataFrame:
    table = pq.ParquetFile(file, page_checksum_verification=True).read()
    frame = table.to_pandas()
    if not len(frame.columns):
        frame.columns = pd.RangeIndex(0)  # as pandas has it for `pd.DataFrame()`
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            # Its codes would stay in Arrow's memory, which is read-only.
            frame[name] = frame[name].copy()
    objects = json.loads((table.schema.metadata or {}).get(_OBJECTS, b"{}"))
    for name, has_nan in objects.items():
        cells = np.array(frame[name], dtype=object)
        cells[pd.isna(cells)] = np.nan if has_nan else None
        frame[name] = pd.Series(cells, frame.index, dtype=object)
    return frame


def parquet_obstacle(frame: pd.DataFrame) -> str | None:
    """Return why `read_frame` would not return an equal frame from parquet; None if it would."""
    if _is_plain(frame):
        return None
    if type(frame) is not pd.DataFrame:
        return f"it is a {type(frame).__name__}, a subclass of DataFrame"
    if not all(type(name) is str for name in frame.columns) or not frame.columns.is_unique:
        return "the names of its columns are not strings, or repeat; rename them"
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        return "it has an index of several levels; reset it"
    if index.name is not None and type(index.name) is not str:
        return f"the name of its index, {index.name!r}, is not a string; rename it"
    if index.dtype == OBJECT and {*map(type, index)} - {type(None)} not in ({dt.date}, {bytes}):
        return "its index holds Python objects; reset it"
    if index.dtype != OBJECT and not _values_survive(index.dtype):
        return f"its index has the type {index.dtype}, which parquet changes"
    objects = _object_columns(frame)
    for name, dtype in frame.dtypes.drop(objects).items():
        if not _values_survive(dtype):
            return f"the column {name!r} has the type {dtype}, which parquet changes"
    for name in objects:
        if not _objects_survive(frame[name]):
            return f"the column {name!r} holds Python objects; cast it to text or numbers"
    if not _is_json(frame.attrs):
        return "its `attrs` are not JSON"
    # Arrow infers the type of an object column from all its cells, which were examined above.
    return _conversion_loss(frame.head(1).assign(**dict.fromkeys(objects)))


class _Sink(io.RawIOBase):
    """A file that counts and hashes the bytes written to another file."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.bytes = 0
        self.digest = Digest()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        self.raw.write(data)
        self.bytes += size
        self.digest.update(data)
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
    except (OSError, MemoryError):
        raise
    except Exception as error:  # `__reduce__` of a cell can raise anything
        columns = list(frame.select_dtypes(object).columns)
        raise StorageError(
            f"{file}: a cell of the columns {columns} cannot be stored ({text_of(error)}); keep "
            "values in frames, and things like locks and connections out of them.",
            columns=columns,
        ) from error


def _is_plain(frame: pd.DataFrame) -> bool:
    """Return whether `frame` has only numbers and strings in numbered rows: no trial is needed."""
    index, columns = frame.index, frame.columns
    return (
        type(frame) is pd.DataFrame
        and frame.flags.allows_duplicate_labels
        and not frame.attrs
        and len(columns) > 0
        and index.dtype == np.int64
        and index.names == columns.names == [None]
        and columns.dtype == STRING
        and columns.is_unique
        and not columns.hasnans
        and not columns.str.startswith("__").any()  # Arrow's own name for the index
        and all(dtype == STRING or dtype in NUMBERS for dtype in frame.dtypes)
    )


def _values_survive(dtype: Any) -> bool:
    """Return whether parquet preserves every value of `dtype`; the dtype itself may change."""
    if isinstance(dtype, pd.CategoricalDtype):
        return isinstance(dtype.categories.dtype, pd.StringDtype)
    return isinstance(dtype, pd.StringDtype) or dtype.kind in "biufmM"


def _object_columns(frame: pd.DataFrame) -> list[str]:
    return list(frame.columns[frame.dtypes == OBJECT])


def _objects_survive(column: pd.Series) -> bool:
    """Return whether parquet preserves the type and value of every cell of an object column."""
    types = {*map(type, column)}
    present = types - {type(None), float}
    if float in types and (
        type(None) in types or not all(type(cell) is not float or np.isnan(cell) for cell in column)
    ):
        return False  # two kinds of missing cells, or a number
    if present == {dt.time}:
        times = (cell for cell in column if type(cell) is dt.time)
        return not any(cell.tzinfo or cell.fold for cell in times)
    if present == {str}:
        return _is_utf8(column)
    return present in (set(), {bool}, {bytes}, {dt.date})


def _is_utf8(column: pd.Series) -> bool:
    try:
        pa.array(column, pa.large_string(), from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError):
        return False
    return True


def _is_json(value: object) -> bool:
    try:
        return json.loads(json.dumps(value)) == value
    except (TypeError, ValueError):
        return False


def _conversion_loss(head: pd.DataFrame) -> str | None:
    """Return how a frame differs after a round trip through parquet; None if it does not."""
    file = io.BytesIO()
    try:
        write_parquet(head, file)
        back = _from_parquet(file)
        pd.testing.assert_frame_equal(back, head, check_index_type=True, check_column_type=True)
    except (AssertionError, pa.ArrowException, TypeError, ValueError, KeyError) as error:
        return f"parquet changes it: {' '.join(str(error).split())}"
    return None
