"""Data that other assets make: read the value of one, and describe what a raw asset comes from."""

import time
from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg
import pandas as pd

from xingu.errors import SourceError, text_of
from xingu.sources import AssetSource, SourceResult, SourceSpec, SqlSource
from xingu.sources.lineage import trace_source
from xingu.sources.sql_names import Lineage, SqlColumn, SqlTable
from xingu.sources.values import frame_of, frame_of_parts
from xingu_dagster.engine.asset_values import AssetValue, UndefinedAssetError, loaded_value
from xingu_dagster.metadata import Metadata
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.upstream import asset_of_table

VERSION = "dagster/data_version"


def read_asset(step: PhaseStep, spec: AssetSource) -> SourceResult:
    """Read the value of another asset, through its IO manager.

    Raises:
        SourceError: If there is no value, or it is no table; the text says what to do instead.
    """
    key, started = dg.AssetKey(spec.asset), time.perf_counter()
    try:
        definition, one = step.spec.batch_partitions, step.partition
        chosen = (definition, one.key) if definition and one else None
        with loaded_value(step.context, key, chosen) as loaded:
            frame = _frame(loaded)
    except UndefinedAssetError:
        raise _refused(
            step,
            spec,
            "the definitions of this run have only its key, so no IO manager of it is known. Add "
            "its definition to them, for example `dg.AssetSpec(key).with_io_manager_key(…)`",
        ) from None
    except Exception as error:
        cause = f"{type(error).__name__}: {text_of(error).rstrip('.')}"
        raise _refused(
            step, spec, f"its IO manager gave no table ({cause}). Materialize it"
        ) from error
    return SourceResult(spec.name, frame, time.perf_counter() - started, cached=False)


def _refused(step: PhaseStep, spec: AssetSource, reason: str) -> SourceError:
    return SourceError(
        f"{step.spec.id}: source {spec.name!r}: the asset {spec.label} cannot be read: {reason}; "
        "or, if it writes a table or a file itself, read that and only depend on the asset: "
        f"{{'source': nickname, 'query': sql, 'depends_on': [{spec.label!r}]}}.",
        dataprovider_id=step.spec.id,
        source=spec.name,
        asset=spec.label,
    )


def _frame(loaded: AssetValue) -> pd.DataFrame:
    if loaded.value is None:
        raise TypeError("its value is None")
    if loaded.partitions is not None and isinstance(loaded.value, Mapping):
        parts = {name: loaded.value.get(name) for name in loaded.partitions}
        return frame_of_parts({name: one for name, one in parts.items() if one is not None})
    return frame_of(loaded.value)


def data_versions(step: PhaseStep, keys: Collection[dg.AssetKey]) -> dict[str, str]:
    """Return the latest data versions of assets that have one, by key."""
    return latest_data_versions(step.context.instance, keys)


def latest_data_versions(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetKey]
) -> dict[str, str]:
    """Return the latest data versions of assets that have one, by key."""
    found: dict[str, str] = {}
    for key in keys:
        entry = instance.get_latest_materialization_event(key)
        event: Any = entry.asset_materialization if entry else None
        if event is None:
            observed = instance.fetch_observations(key, limit=1).records
            event = observed[0].asset_observation if observed else None
        if event is not None and VERSION in (event.tags or {}):
            found[key.to_user_string()] = event.tags[VERSION]
    return found


def lineage_metadata(
    step: PhaseStep, path: tuple[str, ...], spec: SourceSpec, specs: Collection[SourceSpec],
    frame: pd.DataFrame,
) -> Metadata:  # fmt: skip
    """Return the tables that a raw asset comes from, and the origin of each column if it is known.

    Args:
        step: The running step.
        path: Path of the raw asset.
        spec: Its source.
        specs: All sources of the declaration.
        frame: Its rows.
    """
    if isinstance(spec, AssetSource):
        key = dg.AssetKey(spec.asset)
        names = [str(name) for name in frame.columns]
        same = {name: [dg.TableColumnDep(asset_key=key, column_name=name)] for name in names}
        return {"dagster/column_lineage": dg.TableColumnLineage(same)}
    if not isinstance(spec, SqlSource):
        return {}
    lineage = trace_source(spec, [*specs], step.workspace.databases.backend)
    if not lineage.tables:
        return {}
    metadata: Metadata = {"tables": ", ".join(map(str, lineage.tables))}
    if len(lineage.tables) == 1:
        metadata["dagster/table_name"] = str(lineage.tables[0])
    columns = _column_lineage(step, path, spec, lineage, frame)
    if columns is None:
        unknown = "not known; name the columns and their tables in the query, in place of `*`"
        return {**metadata, "column lineage": unknown}
    return {**metadata, "dagster/column_lineage": columns}


def _column_lineage(
    step: PhaseStep, path: tuple[str, ...], spec: SqlSource, lineage: Lineage, frame: pd.DataFrame
) -> dg.TableColumnLineage | None:
    columns = lineage.columns or ()
    if not lineage.resolved or len(columns) != len(frame.columns):
        return None
    batch = path[0] == "batch"
    upstream = step.spec.upstream(path[-1], batch=batch)
    external = step.spec.source_key(path[-1], batch=batch) if upstream.external else None

    def dep(column: SqlColumn) -> dg.TableColumnDep | None:
        key = _owner(step, spec, column.table, lineage)
        if key is not None:
            return dg.TableColumnDep(asset_key=key, column_name=column.name)
        # The external data of a source has the columns of several tables.
        name = f"{column.table}.{column.name}"
        return external and dg.TableColumnDep(asset_key=external, column_name=name)

    # Names of results are those of the frame: databases differ in the case of letters.
    deps = {
        str(name): [dep(origin) for origin in sorted(column.origins or ())]
        for name, column in zip(frame.columns, columns, strict=True)
    }
    if any(one is None for found in deps.values() for one in found):
        return None
    return dg.TableColumnLineage(
        {name: [one for one in found if one] for name, found in deps.items()}
    )


def _owner(
    step: PhaseStep, spec: SqlSource, table: SqlTable, lineage: Lineage
) -> dg.AssetKey | None:
    key = asset_of_table(spec, table, step.spec.translator)
    if key is None and len(spec.depends_on) == len(lineage.tables) == 1:
        return dg.AssetKey(spec.depends_on[0])
    return key
