"""Convert values that IO managers of a project load to pandas frames."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from xingu.sources.combine import concatenate
from xingu.sources.frames import from_arrow


def frame_of(value: Any) -> pd.DataFrame:
    """Return a frame of pandas, polars or pyarrow, or any other table that exports Arrow data.

    Args:
        value: The table; a lazy frame of polars is collected. A frame of pandas is returned as a
            copy that shares its memory.

    Raises:
        TypeError: If `value` is no table.
    """
    if isinstance(value, pd.DataFrame):
        return value.copy(deep=False)
    if not _exports_arrow(value) and callable(getattr(value, "collect", None)):
        value = value.collect()
    if not _exports_arrow(value):
        raise TypeError(f"it is a {_type_of(value)}, not a table of pandas, polars or pyarrow")
    import pyarrow as pa

    try:
        return from_arrow(pa.table(value))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise TypeError(f"it is a {_type_of(value)}, which is no table: {error}") from error


def frame_of_parts(parts: Mapping[str, Any]) -> pd.DataFrame:
    """Concatenate the tables of partitions; rows are numbered anew if all parts number them.

    Raises:
        TypeError: If one of them is no table.
        ValueError: If the tables have different columns.
    """
    return concatenate({name: frame_of(part) for name, part in parts.items()})


def _exports_arrow(value: Any) -> bool:
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def _type_of(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
