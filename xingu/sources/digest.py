"""Content hash of a frame: equal frames have equal digests in every process.

Columns of numbers, times and strings are hashed as buffers, columns of Python objects cell by cell.
Columns are hashed in a few threads, because hashlib releases the GIL.
"""

import datetime as dt
import hashlib
import math
import os
import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

_SIMPLE = frozenset({type(None), bool, int, dt.date, dt.time, bytes})


def frame_digest(frame: pd.DataFrame) -> str:
    """Return a SHA-256 of index, column names, dtypes and values of `frame`, in hexadecimal.

    The items of sets and dicts are hashed in sorted order, so that the digest does not depend on
    the process. NaN and NULL in a float column are equal.
    """
    index = frame.index
    parts = [index.get_level_values(level) for level in range(index.nlevels)]
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        digests = list(pool.map(_values_digest, [*parts, *columns]))
    whole = hashlib.sha256()
    names = [list(index.names), list(frame.columns.names), list(frame.columns)]
    whole.update(_cell_bytes([frame.shape, names]))
    for digest in digests:
        whole.update(digest)
    return whole.hexdigest()


def rows_digest(frame: pd.DataFrame) -> str:
    """Return a digest of column names, dtypes and rows, which ignores index and order of the rows.

    A database may return the same rows in another order. Rows with cells that pandas cannot hash,
    such as dicts, are compared in their order.
    """
    try:
        rows = np.sort(pd.util.hash_pandas_object(frame, index=False).to_numpy())
    except TypeError:
        return frame_digest(frame)
    columns = [(str(name), str(dtype)) for name, dtype in frame.dtypes.items()]
    return hashlib.sha256(repr(columns).encode() + rows.tobytes()).hexdigest()


def _values_digest(values: "pd.Series | pd.Index") -> bytes:
    digest = hashlib.sha256(str(values.dtype).encode())
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        array = values.array if isinstance(values, pd.Series) else values
        digest.update(_values_digest(dtype.categories))
        digest.update(np.ascontiguousarray(array.codes))  # type: ignore[union-attr]
    elif isinstance(dtype, np.dtype) and dtype.kind in "iubfcmM":
        digest.update(_number_bytes(values.to_numpy()))
    elif isinstance(dtype, pd.DatetimeTZDtype):
        digest.update(_number_bytes(values.to_numpy(dtype=f"M8[{dtype.unit}]")))
    elif isinstance(dtype, pd.Int64Dtype):
        digest.update(_number_bytes(np.asarray(values.isna())))
        digest.update(_number_bytes(values.fillna(0).to_numpy("int64")))
    elif not (isinstance(dtype, pd.StringDtype) or _all_text(values)):
        _update_with_cells(digest, values)
    else:
        try:
            _update_with_text(digest, values)
        except UnicodeEncodeError:  # a lone surrogate is not valid UTF-8
            _update_with_cells(digest, values)
    return digest.digest()


def _number_bytes(array: np.ndarray) -> Any:
    if array.dtype.kind == "f":
        missing = np.isnan(array)
        if missing.any():
            array = np.where(missing, np.array(np.nan, array.dtype), array)
    return np.ascontiguousarray(array).view(np.uint8)


def _all_text(values: "pd.Series | pd.Index") -> bool:
    # `skipna` would treat None and NaN as equal.
    return pd.api.types.infer_dtype(values, skipna=False) == "string"


def _update_with_text(digest: Any, values: "pd.Series | pd.Index") -> None:
    import pyarrow as pa
    from pyarrow import compute as known_compute

    compute: Any = (
        known_compute  # its functions are generated at import, which type checkers do not see
    )

    column = pa.array(values, from_pandas=True)
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    text = pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in chunks])
    lengths = compute.fill_null(compute.binary_length(text), -1)
    digest.update(lengths.to_numpy(zero_copy_only=False))
    present = text.drop_null()
    if len(present):
        _, offsets, data = present.buffers()
        bounds = np.frombuffer(offsets, np.int64)[present.offset :]
        digest.update(memoryview(data)[bounds[0] : bounds[len(present)]])


def _update_with_cells(digest: Any, values: "pd.Series | pd.Index") -> None:
    for cell in values.astype(object).array:
        digest.update(_cell_bytes(cell))


def _cell_bytes(cell: Any) -> bytes:
    """Return an unambiguous encoding of type and value of `cell`, with length prefixes."""
    if type(cell) in _SIMPLE:
        parts = [repr(cell).encode()]
    elif isinstance(cell, Mapping):
        parts = sorted(_cell_bytes(key) + _cell_bytes(value) for key, value in cell.items())
    elif isinstance(cell, set | frozenset):
        parts = sorted(_cell_bytes(item) for item in cell)
    elif isinstance(cell, list | tuple):
        parts = [_cell_bytes(item) for item in cell]
    elif isinstance(cell, np.ndarray) and cell.dtype != object:
        parts = [str((cell.dtype, cell.shape)).encode(), np.ascontiguousarray(cell).tobytes()]
    elif isinstance(cell, np.ndarray):
        parts = [_cell_bytes(item) for item in cell.ravel()]
    elif isinstance(cell, str):
        parts = [cell.encode("utf-8", "surrogatepass")]
    elif isinstance(cell, float) and math.isnan(cell):
        parts = [b"nan"]
    elif type(cell).__repr__ is object.__repr__:
        # The default repr is an address, which differs between processes.
        parts = [pickle.dumps(cell, protocol=4)]
    else:
        parts = [repr(cell).encode("utf-8", "surrogatepass")]
    body = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    return b"%b(%b)" % (type(cell).__qualname__.encode(), body)
