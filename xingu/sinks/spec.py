"""Parse and validate `batch_predict_sinks`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal, get_args

from xingu.errors import DeclarationError, did_you_mean
from xingu.masking import remember_secrets, secrets_of, shown_address
from xingu.sources.parameters import PLACE
from xingu.sources.spec import require_known_keys

FileFormat = Literal["csv", "parquet"]
Mode = Literal["replace", "append"]

FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
MODES: tuple[Mode, ...] = get_args(Mode)
_KEYS = {"url": {"url", "format"}, "table": {"database", "table", "mode", "key"}}


@dataclass(frozen=True, slots=True)
class FileSink:
    """A file on a local disk or in object storage, replaced atomically by each batch."""

    name: str
    url: str = field(repr=False)
    format: FileFormat

    @property
    def label(self) -> str:
        """The part of the URL that may be shown."""
        return shown_address(self.url)


@dataclass(frozen=True, slots=True)
class TableSink:
    """A table of a database, changed in one transaction by each batch.

    Attributes:
        name: Name of the sink.
        database: Nickname of the database.
        table: Name of the table, with its schema if it has one.
        mode: ``replace`` removes all rows before, of a batch with partitions all of the partition;
            ``append`` those with the key of a new row.
        key: Columns whose values identify a row; empty: those of the index of the estimations.
    """

    name: str
    database: str
    table: str
    mode: Mode = "replace"
    key: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Table and database."""
        return f"{self.table} on {self.database}"


Sink = FileSink | TableSink


def parse_sinks(provider_id: str, declared: Mapping[str, Any]) -> tuple[Sink, ...]:
    """Parse declared sinks.

    Args:
        provider_id: Id of the DataProvider, for errors.
        declared: ``{name: {url, format}}`` or ``{name: {database, table, mode, key}}``.

    Raises:
        DeclarationError: If an entry has another form.
    """
    where = f"{provider_id}.batch_predict_sinks"
    if not isinstance(declared, Mapping):
        raise DeclarationError(
            f"{where} is a {type(declared).__name__}; give a dict by name of the sink."
        )
    return tuple(_parse(f"{where}[{name!r}]", name, entry) for name, entry in declared.items())


def check_partitioned(provider_id: str, sinks: Iterable[Sink], *, partitioned: bool) -> None:
    """Check that a file has the partition in its address if, and only if, the batch has any.

    Raises:
        DeclarationError: If partitions would replace each other's file; or there are none.
    """
    for sink in sinks:
        if not isinstance(sink, FileSink) or (PLACE in sink.url) == partitioned:
            continue
        problem = (
            f"each partition would replace the file of the one before; write {PLACE} into the url"
            if partitioned
            else f"the url has {PLACE}, but the batch has no partitions; declare batch_partitions, "
            "or remove it"
        )
        raise DeclarationError(
            f"{provider_id}.batch_predict_sinks[{sink.name!r}]: {problem}.",
            dataprovider_id=provider_id,
            sink=sink.name,
        )


def _parse(where: str, name: object, entry: Any) -> Sink:
    if not isinstance(name, str) or not name:
        raise DeclarationError(f"{where}: the name of a sink must be a non-empty string.")
    kinds = [kind for kind in _KEYS if isinstance(entry, Mapping) and kind in entry]
    if len(kinds) != 1:
        raise DeclarationError(
            f"{where} is {entry!r}; give {{'url': address}} for a file, or "
            "{'database': nickname, 'table': name} for a table.",
            sink=name,
        )
    require_known_keys(where, entry, _KEYS[kinds[0]], kinds[0])
    if kinds == ["url"]:
        return _parse_file(where, name, entry)
    database, table = (_text(where, entry, part) for part in ("database", "table"))
    mode = _one_of(f"{where}['mode']", entry.get("mode", "replace"), MODES)
    return TableSink(name, database, table, mode, _parse_key(where, entry.get("key", ())))


def _parse_file(where: str, name: str, entry: Mapping[str, Any]) -> FileSink:
    url = _text(where, entry, "url")
    remember_secrets(secrets_of(url))
    suffix = PurePath(url).suffix.removeprefix(".").lower()
    return FileSink(name, url, _one_of(f"{where}['format']", entry.get("format", suffix), FORMATS))


def _parse_key(where: str, key: Any) -> tuple[str, ...]:
    names = (key,) if isinstance(key, str) else key
    if isinstance(names, Sequence) and all(isinstance(one, str) and one for one in names):
        return tuple(names)
    raise DeclarationError(f"{where}['key'] is {key!r}; give a column, or a list of columns.")


def _one_of(where: str, value: Any, known: Sequence[Any]) -> Any:
    if value not in known:
        raise DeclarationError(
            f"{where} is {value!r}; known: {', '.join(known)}.{did_you_mean(str(value), known)}"
        )
    return value


def _text(where: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(value, str) or not value.strip():
        raise DeclarationError(f"{where}[{key!r}] is {value!r}; give a non-empty string.")
    return value
