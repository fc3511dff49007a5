"""Write the estimations of a batch to a sink.

Whoever reads a sink sees the rows of the batch before, or all of the new ones: a file is replaced
atomically, a table changes in one transaction.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from upath import UPath

from xingu.errors import DataError, SourceError, StorageError, StorageFullError, XinguError, text_of
from xingu.files.atomic import write_atomically
from xingu.files.remote import with_retries
from xingu.masking import masked
from xingu.sinks.spec import FileSink, Sink, TableSink
from xingu.sinks.tables import write_alchemy, write_duckdb
from xingu.sources import Databases

TRAIN_ID = "train_id"


def rows_of(estimations: pd.DataFrame, train_id: str) -> pd.DataFrame:
    """Return estimations as rows without an index.

    Args:
        estimations: Result of a batch.
        train_id: The train that estimated.

    Returns:
        The levels of the index (called ``index``, or ``level_0 …``, if they have no name), the
        columns of `estimations`, and ``train_id``.

    Raises:
        DataError: If two of these have the same name.
    """
    names = [*estimations.index.names, *estimations.columns, TRAIN_ID]
    if doubled := sorted({str(name) for name in names if name and names.count(name) > 1}):
        raise DataError(
            f"The estimations have {', '.join(doubled)} twice, among the names of the index, the "
            f"columns and {TRAIN_ID!r}, so that they cannot be written; rename one of them.",
            columns=doubled,
        )
    return estimations.reset_index().assign(**{TRAIN_ID: train_id})


def write_sink(rows: pd.DataFrame, sink: Sink, databases: Databases, key: Sequence[str]) -> str:
    """Write rows to a sink and return its address.

    Args:
        rows: Result of `rows_of`.
        sink: The sink.
        databases: Databases by nickname; relative paths start at their `home`.
        key: Columns that identify a row, if the sink declares none.

    Raises:
        StorageError: If the file cannot be written.
        SourceError: If the database refuses the rows.
        DataError: If the rows do not fit the key or the table.
    """
    if isinstance(sink, FileSink):
        return _write_file(rows, sink, databases.home)
    key = sink.key or tuple(key)
    if sink.mode == "append":
        _check_key(rows, sink, key)
    address = databases.address(sink.database)
    write = write_duckdb if databases.url(sink.database).drivername == "duckdb" else write_alchemy
    try:
        write(rows, sink, databases.url(sink.database), key)
    except XinguError:
        raise
    except Exception as error:  # noqa: BLE001 - raised again without the driver's error, which may hold a password
        raise SourceError(
            f"the sink {sink.name!r}: {address} refused {len(rows)} rows for the table "
            f"{sink.table}; nothing was changed: {masked(text_of(error))}",
            sink=sink.name,
        ) from None
    return f"{sink.table} on {address}"


def _write_file(rows: pd.DataFrame, sink: FileSink, home: Path) -> str:
    buffer = io.BytesIO()
    if sink.format == "csv":
        rows.to_csv(buffer, index=False)
    else:
        rows.to_parquet(buffer, index=False)
    protocol, remote, _ = sink.url.partition("://")
    options = with_retries(protocol, {}) if remote else {}
    target = UPath(sink.url, **options) if remote else UPath(home / sink.url)
    try:
        write_atomically(target, buffer.getvalue())
    except StorageFullError:
        raise
    except Exception as error:  # noqa: BLE001 - raised again without secrets
        raise StorageError(
            f"the sink {sink.name!r}: {sink.label} cannot be written "
            f"({type(error).__name__}: {masked(text_of(error))}); check the "
            "address and its permissions.",
            sink=sink.name,
        ) from None
    return sink.label


def _check_key(rows: pd.DataFrame, sink: TableSink, key: Sequence[str]) -> None:
    where = f"the sink {sink.name!r}"
    if missing := [name for name in key if name not in rows]:
        raise DataError(
            f"{where}: the estimations have no column {missing[0]!r}; key must be among "
            f"{', '.join(map(str, rows))}.",
            sink=sink.name,
        )
    parts = rows[[*key]]
    if parts.isna().to_numpy().any() or parts.duplicated().any():
        raise DataError(
            f"{where}: {', '.join(key)} does not identify the rows: there are missing or repeated "
            "values; declare a `key` that does, or write with the mode 'replace'.",
            sink=sink.name,
        )
