"""Dependents of a table, a column or an asset: sources, features, targets and models.

The answer comes from declarations and their SQL. What hooks make of the columns of a source is not
traced: a feature is listed if it has the name of a column that comes from the table or column.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from xingu.errors import DeclarationError, UnknownDatabaseError, did_you_mean
from xingu.model.source_declarations import BATCH_SOURCES, TRAIN_SOURCES, declared_sources
from xingu.provider.base import DataProvider
from xingu.sources import AssetSource, SourceSpec, SqlSource, parse_sources
from xingu.sources.lineage import trace_source
from xingu.sources.sql_names import STAR, Lineage, SqlColumn, SqlTable

Classes = Mapping[str, type[DataProvider]]
Purpose = Literal["train", "batch"]

_PART = re.compile(r'"([^"]+)"|([^."]+)')


@dataclass(frozen=True, slots=True)
class AffectedSource:
    """A source that reads the table, column or asset.

    Attributes:
        purpose: Whether it is a source of the train or of the batch.
        name: Its name.
        certain: False: the query may read it, for example by a ``*`` or from a schema that it does
            not name.
        columns: Columns of the source that come from it; None: they are not known.
    """

    purpose: Purpose
    name: str
    certain: bool
    columns: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class AffectedModel:
    """A model that depends on the table, column or asset.

    Attributes:
        dataprovider_id: Its DataProvider.
        sources: Its own sources that read it.
        features: Its features with the name of an affected column.
        target: Its target column, if that is affected.
        through: Prerequisites that are affected, which it depends on.
    """

    dataprovider_id: str
    sources: tuple[AffectedSource, ...] = ()
    features: tuple[str, ...] = ()
    target: str | None = None
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """Dependents of a table, a column or an asset.

    Attributes:
        address: As it was asked for.
        table: The table; None: an asset.
        column: The column; None: any.
        models: The models, prerequisites first.
        unread: Declarations that could not be read, with the reason.
        tables: All tables of the database that any query reads.
    """

    address: str
    table: SqlTable | None
    column: str | None
    models: tuple[AffectedModel, ...]
    unread: tuple[str, ...]
    tables: tuple[SqlTable, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A source with the lineage of its query; None if it has no query on the database."""

    dataprovider_id: str
    purpose: Purpose
    spec: SourceSpec
    lineage: Lineage | None


def impact_of(
    address: str, classes: Classes, backend: Callable[[str], str] = lambda _: ""
) -> Impact:
    """Return what depends on a table, a column, or an asset.

    Args:
        address: ``NICK.table``, ``NICK.schema.table`` or ``NICK.catalog.schema.table``, each with
            an optional ``.column``. Parts may be in double quotes, and letter case does not matter.
            With a ``/``: the key of an asset.
        classes: The DataProviders by id.
        backend: Returns the first part of the URL of a database, which decides the dialect;
            `Databases.backend`.

    Raises:
        UnknownDatabaseError: If no source reads a database of this nickname.
    """
    unread: list[str] = []
    reads = [one for cls in classes.values() for one in _reads(cls, backend, unread)]
    if "/" in address and not address.startswith('"'):
        key = tuple(address.split("/"))
        own = _models(reads, classes, lambda read: _of_asset(read, key))
        return Impact(address, None, None, _with_dependent(own, classes), tuple(unread))
    nickname, *parts = [quoted or plain for quoted, plain in _PART.findall(address)] or [""]
    nicknames = {one.spec.database for one in reads if isinstance(one.spec, SqlSource)}
    if nickname not in nicknames or not parts:
        raise UnknownDatabaseError(
            f"{address!r}: give NICK.table or NICK.schema.table, with an optional .column, or the "
            f"key of an asset; nicknames in sources: {', '.join(sorted(nicknames)) or 'none'}."
            f"{did_you_mean(nickname, nicknames - {nickname})}",
            nickname=nickname,
        )
    on_it = [one for one in reads if isinstance(one.spec, SqlSource)
             and one.spec.database == nickname]  # fmt: skip
    tables = sorted({table for one in on_it if one.lineage for table in one.lineage.tables})
    table, column = _meant(parts, tables)
    own = _models(on_it, classes, lambda read: _of_table(read, table, column))
    models = _with_dependent(own, classes)
    return Impact(address, table, column, models, tuple(unread), tuple(tables))


def _reads(
    cls: type[DataProvider], backend: Callable[[str], str], unread: list[str]
) -> Iterator[_Read]:
    declarations: Sequence[tuple[Purpose, tuple[str, str]]] = (
        ("train", TRAIN_SOURCES),
        ("batch", BATCH_SOURCES),
    )
    for purpose, (hook, attribute) in declarations:
        try:
            specs = parse_sources(str(cls.id), attribute, declared_sources(cls, hook, attribute))
        except DeclarationError as error:
            unread.append(str(error))
            continue
        for spec in specs:
            lineage = trace_source(spec, specs, backend) if isinstance(spec, SqlSource) else None
            if lineage is not None and not lineage.parsed:
                unread.append(f"{cls.id}.{attribute}[{spec.name!r}]: not all of it can be parsed.")
            yield _Read(str(cls.id), purpose, spec, lineage)


def _meant(parts: Sequence[str], tables: Sequence[SqlTable]) -> tuple[SqlTable, str | None]:
    """Return the table and the column that the parts of an address mean."""
    whole = SqlTable(*parts[::-1][:3])
    if len(parts) == 1 or (len(parts) < 4 and any(map(whole.may_be, tables))):
        return whole, None
    shorter = SqlTable(*parts[-2::-1][:3])
    if len(parts) < 4 and not any(map(shorter.may_be, tables)):
        return whole, None
    return shorter, parts[-1]


def _of_asset(read: _Read, key: tuple[str, ...]) -> AffectedSource | None:
    if isinstance(read.spec, AssetSource) and read.spec.asset == key:
        return AffectedSource(read.purpose, read.spec.name, True, None)
    if key in read.spec.depends_on:
        return AffectedSource(read.purpose, read.spec.name, True, None)
    return None


def _of_table(read: _Read, table: SqlTable, column: str | None) -> AffectedSource | None:
    lineage = read.lineage or Lineage()
    found = [one for one in lineage.tables if one.may_be(table)]
    if not found:
        return None
    name = column.casefold() if column else None

    def is_it(one: SqlColumn, *, star: bool = False) -> bool:
        same = name is None or one.name.casefold() == name or (star and one.name == STAR)
        return one.table in found and same

    used = any(map(is_it, lineage.used))
    if name and not used and not any(is_it(one, star=True) for one in lineage.possible):
        return None
    named = any(len(one.parts) >= len(table.parts) for one in found)
    columns = None
    if lineage.columns is not None:
        # A column of unknown origin may come from it.
        columns = tuple(
            one.name
            for one in lineage.columns
            if one.origins is None or any(map(is_it, one.origins))
        )
    elif column:
        columns = (column,)
    return AffectedSource(read.purpose, read.spec.name, named and (used or not name), columns)


def _models(
    reads: Sequence[_Read], classes: Classes, affected: Callable[[_Read], AffectedSource | None]
) -> dict[str, AffectedModel]:
    """Return the models with affected sources of their own."""
    models: dict[str, AffectedModel] = {}
    for dp_id, cls in classes.items():
        mine = (affected(read) for read in reads if read.dataprovider_id == dp_id)
        sources = tuple(one for one in mine if one)
        if not sources:
            continue
        unknown = any(one.columns is None for one in sources)
        names = {name.casefold() for one in sources for name in one.columns or ()}

        def is_in(name: str, names: set[str] = names, unknown: bool = unknown) -> bool:
            return unknown or name.casefold() in names

        features, target = _declared_columns(cls)
        models[dp_id] = AffectedModel(
            dp_id,
            sources,
            tuple(name for name in map(str, features) if is_in(name)),
            target if target and is_in(target) else None,
        )
    return models


def _declared_columns(cls: type[DataProvider]) -> tuple[list[str], str | None]:
    """Return features and target; those of the attributes if a hook needs what a train sets."""
    try:
        dp = cls()
        features = [*dp.get_features_list(), *dp.get_estimator_features_list()]
        target = dp.get_target()
    except Exception:  # noqa: BLE001 - of users' hooks
        features, target = [*cls.x_features, *cls.x_estimator_features], cls.y
    return [*dict.fromkeys(features)], target


def _with_dependent(own: dict[str, AffectedModel], classes: Classes) -> tuple[AffectedModel, ...]:
    """Add the models that have an affected prerequisite, directly or through others."""
    models: dict[str, AffectedModel] = {}
    for dp_id, cls in classes.items():  # prerequisites first
        through = tuple(sorted(set(cls.pre_req) & set(models)))
        if dp_id in own or through:
            models[dp_id] = replace(own.get(dp_id, AffectedModel(dp_id)), through=through)
    return tuple(models.values())
