"""External data as observable assets: ``sources/<dp>/<source>`` with the version of the data."""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from xingu.errors import DeclarationError, SourceError
from xingu.masking import masked_errors
from xingu.records import Observed
from xingu.sources import AssetSource, SourceSpec, Watched, observe_sources, parse_sources
from xingu.sources.spec import ExternalSource
from xingu.workspace import Workspace
from xingu_dagster.metadata import Metadata, namespaced
from xingu_dagster.phases.sources import origin_metadata
from xingu_dagster.phases.upstream import VERSION
from xingu_dagster.spec import BATCH_SOURCES, TRAIN_SOURCES, ProviderSpec

_HOW = {
    "watermark": "watermark query",
    "rows": "hash of the rows",
    "file": "ETag, or size and time",
    "content": "hash of the content",
}
"""Text of `Observed.how`."""


def build_sources(provider: ProviderSpec) -> dg.AssetsDefinition | None:
    """Build the external data of one DataProvider; None if all comes from other assets."""
    keys: Mapping[dg.AssetKey, tuple[bool, str]] = {
        provider.source_key(part, batch=batch): (batch, name)
        for batch, sources in _sources(provider)
        for part, name in sources.items()
    }
    if not keys:
        return None

    with warnings.catch_warnings():
        # The decorator is marked as beta, and users cannot act on the warning.
        warnings.simplefilter("ignore")
        return _build(provider, keys)


def _build(
    provider: ProviderSpec, keys: Mapping[dg.AssetKey, tuple[bool, str]]
) -> dg.AssetsDefinition:
    @dg.multi_observable_source_asset(
        name=provider.step_name("sources"),
        specs=[
            provider.source_spec(part, batch=batch)
            for batch, sources in _sources(provider)
            for part in sources
        ],
        can_subset=True,
        required_resource_keys={provider.resource.key},
    )
    def sources(context: dg.AssetExecutionContext) -> Iterator[dg.ObserveResult]:
        workspace = provider.workspace(context.resources)
        selected = {key: keys[key] for key in keys if key in context.selected_asset_keys}
        with masked_errors():
            watched = _watched(provider, workspace, selected)
            yield from _observe(context.instance, workspace, watched)

    return sources


def _watched(
    provider: ProviderSpec, workspace: Workspace, keys: Mapping[dg.AssetKey, tuple[bool, str]]
) -> dict[dg.AssetKey, Watched]:
    """Return what is observed; the hooks are called, which may return other queries every day."""
    watched: dict[dg.AssetKey, Watched] = {}
    for of_batch, hook, attribute in ((False, *TRAIN_SOURCES), (True, *BATCH_SOURCES)):
        names = {key: name for key, (batch, name) in keys.items() if batch is of_batch}
        if names:
            declared = provider.read_declarations(hook, attribute)
            specs = parse_sources(provider.id, attribute, declared)
            chosen = {key: _external(specs, name) for key, name in names.items()}
            workspace.databases.check(provider.id, attribute, [*chosen.values()])
            watched |= {key: Watched(provider.id, spec, specs) for key, spec in chosen.items()}
    return watched


def _observe(
    instance: dg.DagsterInstance, workspace: Workspace, watched: Mapping[dg.AssetKey, Watched]
) -> Iterator[dg.ObserveResult]:
    """Yield the observations, and raise the reasons of those that could not be made.

    Raises:
        SourceError: If any source could not be observed; the others are observed.
    """
    events = {key: _latest(instance, key) for key in watched}
    before = {key: observed for key, (observed, _) in events.items() if observed.version}
    kept = {
        key: time_
        for key, (_, time_) in events.items()
        if 0 <= time.time() - time_ < watched[key].spec.observe_seconds
    }
    asked = {key: one for key, one in watched.items() if key not in kept}
    limits = workspace.observe_limits
    found = observe_sources(asked, workspace.databases, limits=limits, before=before)
    reasons: list[str] = []
    for key, one in watched.items():
        seen = before[key] if key in kept else found[key]
        if isinstance(seen, str):
            reasons.append(f"{key.to_user_string()} was not observed: {seen}")
            continue
        metadata = _metadata(seen, kept.get(key, time.time()))
        yield dg.ObserveResult(
            asset_key=key,
            data_version=dg.DataVersion(seen.version),
            metadata=namespaced({**metadata, **origin_metadata(workspace, one.spec)}),
        )
    if reasons:
        raise SourceError("\n".join(reasons))


def _metadata(seen: Observed, observed_at: float) -> Metadata:
    """Return what an observation found; `_latest` reads it again."""
    facts: Metadata = {
        "version found by": _HOW.get(seen.how, seen.how),
        "observed at": dg.MetadataValue.timestamp(observed_at),
    }
    if seen.rows is not None:
        facts["dagster/row_count"] = seen.rows
    if seen.watermark is not None:
        facts["watermark"] = seen.watermark
    if seen.rewritten is not None:
        facts["rewritten"] = seen.rewritten
    return facts


def _latest(instance: dg.DagsterInstance, key: dg.AssetKey) -> tuple[Observed, float]:
    """Return the latest observation, and its time in seconds since the epoch."""
    records = instance.fetch_observations(key, limit=1).records
    event: Any = records[0].asset_observation if records else None
    if event is None or VERSION not in (event.tags or {}):
        return Observed(""), 0.0
    facts = {name: value.value for name, value in event.metadata.items()}
    how = {text: name for name, text in _HOW.items()}
    seen = Observed(
        event.tags[VERSION],
        facts.get("dagster/row_count"),
        facts.get("xingu/watermark"),
        how=how.get(str(facts.get("xingu/version found by")), ""),
    )
    return seen, facts.get("xingu/observed at") or 0.0


def _sources(provider: ProviderSpec) -> Iterator[tuple[bool, Mapping[str, str]]]:
    """Yield the sources with data from outside of the graph, and whether they are of the batch."""
    for batch, sources in ((False, provider.train_sources), (True, provider.batch_sources)):
        yield (
            batch,
            {
                part: name
                for part, name in sources.items()
                if provider.upstream(part, batch=batch).external
            },
        )


def _external(specs: Sequence[SourceSpec], name: str) -> ExternalSource:
    spec = next(one for one in specs if one.name == name)
    if isinstance(spec, AssetSource):
        raise DeclarationError(
            f"{name!r} is the asset {spec.label} now; reload the code location, whose graph was "
            "built with other sources."
        )
    return spec
