"""Parse and validate the source declarations of a DataProvider.

A spec is a deep copy of the declaration, so that readers cannot modify the user's dicts.
"""

import copy
import logging
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from xingu.errors import DeclarationError, did_you_mean
from xingu.masking import remember_secrets, secret_values, secrets_of, shown_address
from xingu.sources.addresses import path_part

logger = logging.getLogger(__name__)

Format = Literal["parquet", "csv", "txt", "json", "jsonl"]
Compression = Literal["gz", "bz2", "xz", "zst", "zip"]

FORMATS: tuple[Format, ...] = get_args(Format)
COMPRESSIONS: tuple[Compression, ...] = get_args(Compression)
_OTHER_SUFFIXES: Mapping[str, Format] = {"pq": "parquet", "tsv": "txt", "ndjson": "jsonl"}
_COMPRESSION_NAMES: Mapping[str, Compression] = {
    "gzip": "gz",
    "bz2": "bz2",
    "xz": "xz",
    "zstd": "zst",
    "zip": "zip",
}
_KEYS = {
    "source": {"source", "query", "group", "depends_on", "watermark", "observe_seconds"},
    "url": {"url", "params", "group", "depends_on", "observe_seconds"},
    "asset": {"asset", "depends_on"},
}

AssetKey = tuple[str, ...]
"""Parts of the key of a Dagster asset."""


@dataclass(frozen=True, slots=True)
class SqlSource:
    """The result of a query on a database."""

    name: str
    database: str
    """Nickname of the database."""
    query: str
    """SQL, run as given."""
    group: str | None = None
    depends_on: tuple[AssetKey, ...] = ()
    """Assets that the data comes from."""
    version: str = ""
    """Version of what the data comes from, if it is known: a part of the cache key."""
    observe_seconds: float = 0
    """Least time between two observations, in seconds."""
    watermark: str = ""
    """SQL with one row that changes when the data does; empty: the rows are hashed."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Values of the parameters that the query names; see `xingu.sources.parameters`."""


@dataclass(frozen=True, slots=True)
class UrlSource:
    """The content of a local or remote file."""

    name: str
    url: str = field(repr=False)
    format: Format
    compression: Compression | None = None
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Arguments for the pandas reader."""
    group: str | None = None
    depends_on: tuple[AssetKey, ...] = ()
    """Assets that the data comes from."""
    version: str = ""
    """Version of what the data comes from, if it is known: a part of the cache key."""
    observe_seconds: float = 0
    """Least time between two observations, in seconds."""

    @property
    def label(self) -> str:
        """The part of the URL that may be shown."""
        return shown_address(self.url)


@dataclass(frozen=True, slots=True)
class AssetSource:
    """The value that the IO manager of a Dagster asset has stored."""

    name: str
    asset: AssetKey
    depends_on: tuple[AssetKey, ...] = ()
    """Further assets; their values are not read."""
    group: None = None

    @property
    def label(self) -> str:
        """The key as one text."""
        return "/".join(self.asset)


ExternalSource = SqlSource | UrlSource
SourceSpec = ExternalSource | AssetSource


def parse_sources(
    provider_id: str, attribute: str, declared: Mapping[str, Any]
) -> tuple[SourceSpec, ...]:
    """Parse declared sources.

    Args:
        provider_id: Id of the DataProvider, for errors.
        attribute: Attribute or hook with the declaration, for errors.
        declared: ``{name: {source, query}}``, ``{name: {url, params}}`` or ``{name: {asset}}``, the
            first two with optional ``group`` and ``observe_seconds``, the first with an optional
            ``watermark``, all with ``depends_on``. It is not modified.

    Returns:
        One spec per source, in the declared order.

    Raises:
        DeclarationError: If an entry has another form.
    """
    where = f"{provider_id}.{attribute}"
    _require_mapping(where, declared, "{name: {'source': nickname, 'query': sql}}")
    return tuple(_parse_entry(f"{where}[{name!r}]", name, declared[name]) for name in declared)


def _parse_entry(where: str, name: object, entry: Any) -> SourceSpec:
    if not isinstance(name, str) or not name:
        raise DeclarationError(f"{where}: the name of a source must be a non-empty string.")
    _require_mapping(where, entry, "{'source': nickname, 'query': sql} or {'url': address}")
    kind = _kind(where, name, entry)
    _check_keys(where, entry, kind)
    group = entry.get("group")
    if group is not None and not isinstance(group, str | int):
        raise DeclarationError(f"{where}['group'] is {group!r}; give a string.", source=name)
    group = None if group is None else str(group)
    depends_on = _asset_keys(f"{where}['depends_on']", entry.get("depends_on", ()))
    if kind == "asset":
        return AssetSource(name, _asset_key(f"{where}['asset']", entry["asset"]), depends_on)
    if kind == "source":
        nickname, query = (_require_string(where, entry, key) for key in ("source", "query"))
        watermark = _require_string(where, entry, "watermark") if "watermark" in entry else ""
        spec: ExternalSource = SqlSource(
            name, nickname, query, group, depends_on, watermark=watermark
        )
    else:
        spec = replace(_parse_url(where, name, entry, group), depends_on=depends_on)
    return replace(spec, observe_seconds=_seconds(where, entry.get("observe_seconds", 0)))


def _seconds(where: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value < float("inf"):
        raise DeclarationError(
            f"{where}['observe_seconds'] is {value!r}; give the least time between two "
            "observations in seconds, such as 3600."
        )
    return value


def _kind(where: str, name: str, entry: Mapping[str, Any]) -> str:
    """Return the one key of an entry that says what it reads."""
    kinds = [kind for kind in _KEYS if kind in entry]
    if len(kinds) == 1:
        return kinds[0]
    found = " and ".join(map(repr, kinds))
    state = f"has {found}" if kinds else "has none of 'source', 'url' and 'asset'"
    close = "".join(did_you_mean(str(key), _KEYS) for key in entry if key not in _KEYS)
    raise DeclarationError(
        f"{where} {state}; keep one: 'source' with 'query' for a database, 'url' for a file, "
        "'asset' for the value of a Dagster asset." + ("" if kinds else close),
        source=name,
    )


def _asset_keys(where: str, declared: Any) -> tuple[AssetKey, ...]:
    if isinstance(declared, str) or not isinstance(declared, Iterable):
        raise DeclarationError(f"{where} is {declared!r}; give a list of keys, like ['a/b', 'c'].")
    return tuple(dict.fromkeys(_asset_key(where, key) for key in declared))


def _asset_key(where: str, declared: Any) -> AssetKey:
    """Return the parts of a key that is given as ``a/b`` or as a list of parts."""
    parts = declared.split("/") if isinstance(declared, str) else declared
    is_list = isinstance(parts, list | tuple) and len(parts) > 0
    if not is_list or not all(isinstance(part, str) and part.strip() for part in parts):
        raise DeclarationError(
            f"{where}: {declared!r} is no key of an asset; give one like 'analytics/orders'."
        )
    return tuple(parts)


def _check_keys(where: str, entry: Mapping[str, Any], kind: str) -> None:
    """Refuse keys that are probably misspelt; warn of others, such as notes of the author."""
    for key in entry:
        if key in _KEYS[kind]:
            continue
        if key in set().union(*_KEYS.values()) or did_you_mean(str(key), _KEYS[kind]):
            require_known_keys(where, entry, _KEYS[kind], kind)
        logger.warning("%s: %r is not known beside %r, and is ignored", where, key, kind)


def require_known_keys(
    where: str, entry: Mapping[str, Any], known: Collection[str], kind: str
) -> None:
    """Raise a DeclarationError if an entry of this kind has a key that is not among `known`."""
    for key in entry:
        if key not in known:
            raise DeclarationError(
                f"{where}: {key!r} is not known beside {kind!r}; known: "
                f"{', '.join(sorted(known))}.{did_you_mean(str(key), known)}",
                key=str(key),
            )


def _parse_url(where: str, name: str, entry: Mapping[str, Any], group: str | None) -> UrlSource:
    url = _require_string(where, entry, "url")
    declared = entry.get("params")
    if declared is not None:
        _require_mapping(f"{where}['params']", declared, "the arguments of the pandas reader")
    params = copy.deepcopy(dict(declared or {}))
    storage = params.get("storage_options") or {}
    remember_secrets(
        secrets_of(url) | secret_values(params) | secret_values(storage, all_long=True)
    )
    shown = shown_address(url)
    format_, compression = _suffixes(path_part(url))
    if "format" in params:
        format_ = str(params.pop("format")).lower().lstrip(".")
    format_ = _OTHER_SUFFIXES.get(format_, format_)
    if format_ not in FORMATS:
        raise DeclarationError(
            f"{where}: {shown} has no known format ({format_ or 'no suffix'!r}); known: "
            f"{', '.join(FORMATS)}, also with {', '.join('.' + one for one in COMPRESSIONS)}. "
            f"Declare it: 'params': {{'format': 'csv'}}.{did_you_mean(format_, FORMATS)}",
            source=name,
        )
    requested = params.get("compression", "infer")
    if requested != "infer":  # pandas knows forms with more parameters
        compression = _COMPRESSION_NAMES.get(requested) if isinstance(requested, str) else None
    if compression or requested in ("infer", None):
        params.pop("compression", None)
    return UrlSource(name, url, format_, compression, params, group)


def compression_of(path: str) -> Compression | None:
    """Return the compression that the suffix of a path means."""
    return _suffixes(path)[1]


def _suffixes(path: str) -> tuple[str, Compression | None]:
    file_name = path.rstrip("/").rpartition("/")[2].lower()
    stem, _, last = file_name.rpartition(".")
    for compression in COMPRESSIONS:
        if last == compression:
            return stem.rpartition(".")[2] if "." in stem else "", compression
    return last if stem else "", None


def _require_mapping(where: str, value: object, example: str) -> None:
    if not isinstance(value, Mapping):
        raise DeclarationError(f"{where} is a {type(value).__name__}; give a dict: {example}.")


def _require_string(where: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str) or not value.strip():
        empty = value is None or (isinstance(value, str) and not value.strip())
        state = "is missing or empty" if empty else f"is a {type(value).__name__}"
        raise DeclarationError(f"{where}[{key!r}] {state}; give a string.")
    return value
