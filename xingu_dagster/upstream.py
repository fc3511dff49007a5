"""The assets that the data of a source comes from, read from its declaration and its SQL.

A source whose data other assets make has these upstream. Any other has its external data, the asset
`sources/<dp>/<source>`, upstream. A query on both kinds of tables has both.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from xingu.sources import AssetSource, SourceSpec, SqlSource
from xingu.sources.lineage import trace_source
from xingu.sources.sql_names import SqlTable
from xingu_dagster.translator import XinguTranslator

Backends = Callable[[str], str]
"""Returns the first part of the URL of a database, by nickname; empty: it is not known."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the data of one source comes from.

    Attributes:
        assets: Keys of other assets.
        external: Whether it comes from outside of the graph, too.
    """

    assets: tuple[dg.AssetKey, ...] = ()
    external: bool = True


def upstream_of(
    specs: Sequence[SourceSpec], translator: XinguTranslator, backends: Backends
) -> dict[str, Upstream]:
    """Return where the data of each source comes from, by name.

    SQL is parsed only if the translator maps tables to assets.
    """
    return {spec.name: _upstream(spec, specs, translator, backends) for spec in specs}


def _upstream(
    spec: SourceSpec, specs: Sequence[SourceSpec], translator: XinguTranslator, backends: Backends
) -> Upstream:
    declared = [dg.AssetKey(key) for key in spec.depends_on]
    if isinstance(spec, AssetSource):
        return Upstream(_unique([dg.AssetKey(spec.asset), *declared]), external=False)
    mapped: Mapping[SqlTable, dg.AssetKey | None] = {}
    if isinstance(spec, SqlSource) and translator.maps_tables:
        found = trace_source(spec, specs, backends, with_columns=False)
        mapped = {one: translator.table_asset_key(spec.database, one) for one in found.tables}
    keys = [key for key in mapped.values() if key is not None]
    known = bool(declared) or (bool(keys) and len(keys) == len(mapped))
    return Upstream(_unique([*declared, *keys]), external=not known)


def asset_of_table(
    spec: SqlSource, table: SqlTable, translator: XinguTranslator
) -> dg.AssetKey | None:
    """Return the asset that makes a table; None: no asset of the graph does, as far as is known.

    The translator says so, or the name of the table is the last part of the key of one asset in
    `depends_on`.
    """
    if (key := translator.table_asset_key(spec.database, table)) is not None:
        return key
    named = [key for key in spec.depends_on if key[-1].casefold() == table.name.casefold()]
    return dg.AssetKey(named[0]) if len(named) == 1 else None


def _unique(keys: Collection[dg.AssetKey]) -> tuple[dg.AssetKey, ...]:
    return tuple(dict.fromkeys(keys))
