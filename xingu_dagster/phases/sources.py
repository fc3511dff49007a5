"""Read declared sources inside a phase; each asset is materialized when its rows arrive."""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import dagster as dg

from xingu.checks.check import AssetPath
from xingu.checks.subjects import SourceRows
from xingu.errors import DeclarationError, EmptySourceError
from xingu.masking import masked
from xingu.records import SourceRecord
from xingu.sources import (
    AssetSource,
    SourceResult,
    SourceSpec,
    SqlSource,
    parse_sources,
    read_sources,
)
from xingu.sources.parameters import bind_partition
from xingu.sources.sample import sample_of
from xingu.sources.spec import ExternalSource
from xingu.sources.watermark import upstream_version
from xingu.values import Facts, Label, Record
from xingu.workspace import Workspace
from xingu_dagster.metadata import Metadata, frame_metadata
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.phases.upstream import data_versions, lineage_metadata, read_asset


def make_raw_assets(
    step: PhaseStep,
    parts: tuple[str, ...],
    declared: Mapping[str, Any],
    attribute: str,
) -> Iterator[dg.MaterializeResult]:
    """Materialize the selected raw assets.

    Args:
        step: The running step.
        parts: Path before the name of the source: ``("raw",)`` or ``("batch", "raw")``.
        declared: Declarations by name, as the hook returned them.
        attribute: Name of the declaration in errors.

    Raises:
        DeclarationError: If the hook returned other sources than when the graph was built.
        SourceError: If external data cannot be read.
        EmptySourceError: If a train source without a group has no rows.
    """
    specs = bind_partition(
        f"{step.spec.id}.{attribute}",
        parse_sources(step.spec.id, attribute, declared),
        step.partition if parts[0] == "batch" else None,
    )
    by_name = {spec.name: spec for spec in specs}
    known = step.spec.batch_sources if parts[0] == "batch" else step.spec.train_sources
    keys = {name: part for part, name in known.items()}
    _check_names(f"{step.spec.id}.{attribute}", by_name, keys)
    selected = [name for name in by_name if step.selected(*parts, keys[name])]
    if not selected:
        return
    place = step.workspace
    place.databases.check(step.spec.id, attribute, specs)
    versions = _versions(step, parts, keys)
    with closing(_results(step, specs, selected, versions)) as results:
        for result in results:
            spec = by_name[result.name]
            if parts[0] != "batch" and result.frame.empty and not spec.group:
                raise EmptySourceError(
                    f"{step.spec.id}.{attribute}[{spec.name!r}] gave no rows; look at its filters.",
                    source=spec.name,
                )
            path = (*parts, keys[result.name])
            more = lineage_metadata(step, path, spec, specs, result.frame)
            if versions[spec.name]:
                more["data versions upstream"] = versions[spec.name]
            yield _keep(step, path, spec, result, more)


def _versions(
    step: PhaseStep, parts: AssetPath, keys: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return the data versions of the assets that each source comes from, by name and key."""
    batch = parts[0] == "batch"
    return {
        name: data_versions(step, step.spec.upstream(part, batch=batch).assets)
        for name, part in keys.items()
    }


def _results(
    step: PhaseStep,
    specs: Sequence[SourceSpec],
    names: Sequence[str],
    versions: Mapping[str, Mapping[str, str]],
) -> Generator[SourceResult, None, None]:
    """Yield the results of sources: of other assets first, then of databases and files."""
    external: list[ExternalSource] = []
    for spec in specs:
        if not isinstance(spec, AssetSource):
            known = sorted(versions[spec.name].items())
            external.append(replace(spec, version=repr(known) if known else ""))
        elif spec.name in names:
            yield read_asset(step, spec)
    place = step.workspace
    others = read_sources(
        step.spec.id,
        external,
        place.databases,
        place.cache(refresh=step.options.refresh_sources),
        names=set(names) & {one.name for one in external},
        max_workers=place.source_workers,
    )
    with closing(others):
        yield from others


def _keep(
    step: PhaseStep, path: AssetPath, spec: SourceSpec, result: SourceResult, more: Metadata
) -> dg.MaterializeResult:
    frame, cached = sample_of(result.frame, step.options.sample_rows), result.cached
    sampled = {"sampled from rows": len(result.frame)} if frame is not result.frame else {}
    metadata = {
        **frame_metadata(frame),
        **sampled,
        **({} if isinstance(spec, AssetSource) else {"from cache": cached}),
        **origin_metadata(step.workspace, spec),
        **more,
    }
    versions = more.get("data versions upstream", {})
    declared = _declared(step, spec, versions)
    # A source that comes from other assets is watched by their data versions.
    seen = upstream_version(versions) if versions else result.observed
    record = SourceRecord(
        *(result.name, declared, "", len(frame), cached), seen.version, seen.rows, seen.watermark
    )
    label = Label(facts=Facts(sources=(record,), options=step.used_options))
    return step.keep(path, frame, label, result.seconds, metadata, "open")


def _check_names(where: str, names: Collection[str], built: Collection[str]) -> None:
    if set(names) != set(built):
        raise DeclarationError(
            f"{where}: the hook returned the sources {', '.join(names) or 'none'}, but the graph "
            f"was built with {', '.join(built)}; return the same names in every call, or reload "
            "the code location."
        )


def source_records(records: Iterable[Record]) -> tuple[SourceRecord, ...]:
    """Return the sources of raw values, with data versions, as a train records them."""
    return tuple(
        replace(source, data_version=record.data_version)
        for record in records
        for source in record.facts.sources
    )


def source_rows(step: PhaseStep, path: AssetPath) -> SourceRows:
    """Return the number of rows of each source of the value at `path`."""
    sources = step.stored(*path).record.facts.sources
    return SourceRows({source.source: source.rows for source in sources})


def _declared(step: PhaseStep, spec: SourceSpec, versions: Mapping[str, str]) -> str:
    if isinstance(spec, SqlSource):
        return masked(f"{step.workspace.databases.address(spec.database)}: {spec.query}")
    if isinstance(spec, AssetSource):
        return f"asset {spec.label}, data version {versions.get(spec.label, 'unknown')}"
    return spec.label


def origin_metadata(workspace: Workspace, spec: SourceSpec) -> Metadata:
    """Return the database and query, or the address, of a source."""
    if isinstance(spec, SqlSource):
        return {
            "database": workspace.databases.address(spec.database),
            "query": dg.MetadataValue.md(f"```sql\n{masked(spec.query)}\n```"),
            **{name: str(value) for name, value in spec.parameters.items()},
        }
    return {"asset" if isinstance(spec, AssetSource) else "address": spec.label}
