"""Combine the files of a folder into one frame, or say which of them does not fit."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

from xingu.sources.exact import ROUNDED, with_exact_integers


def read_parquet_folder(
    filesystem: Any, folder: str, names: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """Read parquet files; folders called ``key=value`` become columns.

    Args:
        filesystem: File system of fsspec.
        folder: Folder in it.
        names: Paths of the files below `folder`.
        options: Parameters of `pandas.read_parquet`.

    Raises:
        ValueError: If the files have different columns.
        pyarrow.ArrowException: If a column has incompatible types.
    """
    import pyarrow as pa
    from pyarrow import dataset, fs

    is_local = "file" in filesystem.protocol
    base = fs.LocalFileSystem() if is_local else fs.PyFileSystem(fs.FSSpecHandler(filesystem))
    files = fs.SubTreeFileSystem(folder, base)
    paths = list(names)
    hive = dataset.HivePartitioning.discover(infer_dictionary=True)
    found: Any = dataset.dataset(paths, filesystem=files, format="parquet", partitioning=hive)
    with ThreadPoolExecutor(8) as pool:
        schemas = list(pool.map(lambda part: part.physical_schema, found.get_fragments()))
    wanted = options.get("columns")
    _require_same_columns(
        {
            name: [one for one in schema.names if wanted is None or one in wanted]
            for name, schema in zip(paths, schemas, strict=True)
        }
    )
    schema = pa.unify_schemas([*schemas, found.schema], promote_options="permissive")
    reading = {"filesystem": files, "schema": schema, "partitioning": hive, **options}

    def reread(columns: list[Any]) -> pd.DataFrame:
        nullable = {"columns": columns, "dtype_backend": "numpy_nullable"}
        return pd.read_parquet(paths, **{**reading, **nullable})  # type: ignore[call-overload]

    frame = pd.read_parquet(paths, **reading)  # type: ignore[call-overload]
    return with_exact_integers(frame, reread)


def concatenate(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Concatenate frames by name of the file; rows are numbered anew if all frames number them.

    Raises:
        ValueError: If the frames have different columns, or a column is of numbers in one file and
            of text in another one.
    """
    _require_same_columns({name: list(frame.columns) for name, frame in frames.items()})
    for column in next(iter(frames.values())).columns:
        _require_same_kind({name: frame[column] for name, frame in frames.items()}, column)
    numbered = all(isinstance(frame.index, pd.RangeIndex) for frame in frames.values())
    return pd.concat(list(frames.values()), ignore_index=numbered)


def _require_same_columns(columns: Mapping[str, Sequence[Any]]) -> None:
    (first, expected), *others = columns.items()
    for name, found in others:
        for there, one, missing, other in (
            (first, expected, name, found),
            (name, found, first, expected),
        ):
            only = [column for column in one if column not in other]
            if only:
                raise ValueError(
                    f"the files have different columns: {there} has "
                    f"{', '.join(map(repr, only))}, {missing} has not"
                )


def _require_same_kind(parts: Mapping[str, pd.Series], column: Any) -> None:
    kinds = {_kind(part): name for name, part in parts.items() if part.notna().any()}
    if len(kinds) > 1:
        (one, there), (other, elsewhere), *_ = kinds.items()
        raise ValueError(
            f"the column {column!r} has {one} in {there} and {other} in {elsewhere}: declare its "
            f"type in `params`, for example 'dtype': {{{column!r}: 'str'}}"
        )
    rounded = pd.concat([part.head(0) for part in parts.values()]).dtype.kind == "f"
    for name, part in parts.items():
        if rounded and part.dtype.kind in "iu" and part.abs().max() >= ROUNDED:
            raise ValueError(
                f"the column {column!r} of {name} has integers that would be rounded like the "
                f"numbers of other files: declare 'dtype': {{{column!r}: 'Int64'}} in `params`"
            )


def _kind(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values.dtype):
        return "truth values"
    if pd.api.types.is_numeric_dtype(values.dtype):
        return "numbers"
    if isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype):
        return "text"
    found = pd.api.types.infer_dtype(values, skipna=True)
    kinds = {"string": "text", "boolean": "truth values", "integer": "numbers"}
    return kinds.get(found, found)
