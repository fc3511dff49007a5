"""Bind the partition of a batch to queries and addresses.

A query names what it needs as ``:partition_key``, ``:partition_start`` and ``:partition_end``. The
database gets values apart from the SQL, as its driver takes parameters; only the placeholders are
written as the driver spells them. Names in strings, quoted names and comments are no parameters.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from xingu.errors import DataError, DeclarationError
from xingu.records import BatchPartition
from xingu.sources.spec import SourceSpec, SqlSource, UrlSource
from xingu.sources.statements import QUOTED

NAMES = ("partition_key", "partition_start", "partition_end")
PLACE = "{partition_key}"
"""Stands for the key of the partition in the address of a file."""
_PARAMETER = re.compile(
    rf"{QUOTED} | :: | :(?P<parameter>{'|'.join(NAMES)})\b | %", re.VERBOSE | re.DOTALL
)
_MARKS = {
    "named": ":{name}",
    "qmark": "?",
    "format": "%s",
    "pyformat": "%({name})s",
    "numeric": ":{number}",
    "numeric_dollar": "${number}",
    "dollar": "${name}",
}
"""Placeholders by the paramstyle of the DB-API; ``dollar`` is DuckDB's."""
_BY_NAME = ("named", "pyformat", "dollar")


def parameters_of(sql: str) -> list[str]:
    """Return the parameters that a query names, in order."""
    if ":partition_" not in sql:
        return []
    return [found["parameter"] for found in _PARAMETER.finditer(sql) if found["parameter"]]


def with_placeholders(
    sql: str, values: Mapping[str, Any], paramstyle: str, *, times_as_text: bool = False
) -> tuple[str, dict[str, Any] | tuple[Any, ...] | None]:
    """Return a query with the placeholders of a driver, and its parameters; None: it has none.

    Args:
        sql: The query.
        values: Values by name of the parameter; may have more than the query names.
        paramstyle: As in the DB-API, or ``dollar``.
        times_as_text: Give times as texts, to SQLite, which has no type for them.

    Raises:
        TypeError: If the driver takes parameters in another way.
    """
    names = [name for name in parameters_of(sql) if name in values]
    if not names:
        return sql, None
    if paramstyle not in _MARKS:
        raise TypeError(f"the driver takes parameters in an unknown way ({paramstyle or 'none'})")
    mark, count = _MARKS[paramstyle], iter(range(1, len(names) + 1))
    percent = "%%" if "%" in mark else "%"

    def spell(found: re.Match[str]) -> str:
        name = found["parameter"]
        if name in values:
            return mark.format(name=name, number=next(count))
        return found[0].replace("%", percent)

    shown = {name: _text(values[name]) if times_as_text else values[name] for name in names}
    given = shown if paramstyle in _BY_NAME else tuple(shown[name] for name in names)
    return _PARAMETER.sub(spell, sql), given


def _text(value: Any) -> Any:
    if not isinstance(value, dt.datetime):
        return value
    plain = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    return plain.isoformat(sep=" ")


def uses_partition(spec: SourceSpec) -> bool:
    """Return whether what a source reads depends on the partition."""
    if isinstance(spec, SqlSource):
        return bool(_named(spec))
    return isinstance(spec, UrlSource) and PLACE in spec.url


def same_rows(provider_id: str) -> str:
    """Return the warning that each partition of a batch reads the same rows."""
    return (
        f"{provider_id}.batch_partitions: no source of the batch depends on the partition, so each "
        "partition reads the same rows; write :partition_key, :partition_start or :partition_end "
        f"into a query, or {PLACE} into a url."
    )


def bind_partition(
    where: str, specs: Sequence[SourceSpec], partition: BatchPartition | None
) -> list[SourceSpec]:
    """Return sources that read one partition.

    Args:
        where: Name of the declaration, for errors.
        specs: Its sources.
        partition: The partition; None: there are none.

    Raises:
        DeclarationError: If a query names what there is not.
        DataError: If the key cannot be a part of an address.
    """
    return [_bound(f"{where}[{spec.name!r}]", spec, partition) for spec in specs]


def _bound(where: str, spec: SourceSpec, partition: BatchPartition | None) -> SourceSpec:
    if not uses_partition(spec):
        return spec
    if partition is None:
        used = f":{_named(spec)[0]}" if isinstance(spec, SqlSource) else PLACE
        raise DeclarationError(
            f"{where} uses {used}, which only sources of a batch with partitions have; declare "
            "batch_partitions, or remove it.",
            source=spec.name,
        )
    if isinstance(spec, SqlSource):
        known = {
            "partition_key": partition.key,
            "partition_start": partition.start,
            "partition_end": partition.end,
        }
        values = {name: known[name] for name in sorted({*_named(spec)})}
        for name, value in values.items():
            if value is None:
                raise DeclarationError(
                    f"{where} uses :{name}, but the partition {partition.key!r} is no period of "
                    "time; use :partition_key.",
                    source=spec.name,
                )
        return replace(spec, parameters=values)
    return replace(spec, url=address_of(where, spec.url, partition))  # type: ignore[union-attr]


def _named(spec: SqlSource) -> list[str]:
    """Return the parameters that the queries of a source name."""
    return [*parameters_of(spec.query), *parameters_of(spec.watermark)]


def address_of(where: str, address: str, partition: BatchPartition) -> str:
    """Return the address of a file of one partition.

    Raises:
        DataError: If the key would lead to another folder.
    """
    key = partition.key
    if PLACE in address and (key in ("", ".", "..") or re.search(r"[/\\\x00-\x1f]", key)):
        raise DataError(
            f"{where}: the partition {key!r} cannot be a part of an address; it must not have / "
            "or \\, and must not be . or ..",
            partition=key,
        )
    return address.replace(PLACE, key)
