"""Read declared sources inside a phase; each asset is materialized when its rows arrive."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import dagster as dg

from xingu.errors import EmptySourceError
from xingu.records import SourceRecord
from xingu.sources import SourceSpec, SqlSource, parse_sources, read_sources
from xingu.values import Facts, Label, Record
from xingu_dagster.metadata import frame_metadata
from xingu_dagster.phases.step import PhaseStep


def make_raw_assets(
    step: PhaseStep,
    parts: tuple[str, ...],
    declared: Mapping[str, Any],
    attribute: str,
) -> Iterator[dg.MaterializeResult]:
    """Materialize the selected raw assets.

    Args:
        step: The running step.
        parts: The key before the source's name: ``("raw",)`` or ``("batch", "raw")``.
        declared: What the hook returned.
        attribute: How the declaration is called in errors.

    Raises:
        SourceError: If outside data cannot be had.
        EmptySourceError: If a train source without a group has no rows.
    """
    specs = parse_sources(step.spec.id, attribute, declared)
    by_name = {spec.name: spec for spec in specs}
    known = step.spec.batch_sources if parts[0] == "batch" else step.spec.train_sources
    keys = {name: part for part, name in known.items()}
    wanted = [name for name in by_name if name in keys and step.selected(*parts, keys[name])]
    if not wanted:
        return
    place = step.workspace
    place.databases.check(step.spec.id, attribute, specs)
    cache = place.cache(refresh=step.config["refresh_sources"])
    results = read_sources(
        step.spec.id,
        specs,
        place.databases,
        cache,
        names=wanted,
        max_workers=place.options.source_workers,
    )
    for result in results:
        spec = by_name[result.name]
        if parts[0] != "batch" and result.frame.empty and not spec.group:
            raise EmptySourceError(
                f"{step.spec.id}.{attribute}[{spec.name!r}] gave no rows; look at its filters.",
                source=spec.name,
            )
        metadata = {
            **frame_metadata(result.frame),
            "from cache": result.cached,
            **_origin(step, spec),
        }
        rows, cached = len(result.frame), result.cached
        record = SourceRecord(result.name, _declared(step, spec), "", rows, cached)
        label = Label(facts=Facts(sources=(record,)))
        asset = (*parts, keys[result.name])
        yield step.keep(asset, result.frame, label, result.seconds, metadata, "open")


def source_records(records: Iterable[Record]) -> tuple[SourceRecord, ...]:
    """Return what a train records of raw values: query, data version, number of rows."""
    return tuple(
        replace(source, data_version=record.data_version)
        for record in records
        for source in record.facts.sources
    )


def _declared(step: PhaseStep, spec: SourceSpec) -> str:
    if isinstance(spec, SqlSource):
        return f"{step.workspace.databases.identity(spec.database)}: {spec.query}"
    return spec.label


def _origin(step: PhaseStep, spec: SourceSpec) -> dict[str, Any]:
    if isinstance(spec, SqlSource):
        return {
            "database": step.workspace.databases.identity(spec.database),
            "query": dg.MetadataValue.md(f"```sql\n{spec.query}\n```"),
        }
    return {"address": spec.label}
