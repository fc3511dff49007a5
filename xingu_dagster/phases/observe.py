"""External data as observable assets: ``sources/<dp>/<source>`` with the version of the data."""

import warnings
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from xingu.errors import DeclarationError
from xingu.masking import masked_errors
from xingu.sources import AssetSource, SourceSpec, observe_source, parse_sources
from xingu.sources.parameters import bind_partition
from xingu.sources.spec import ExternalSource
from xingu_dagster.metadata import namespaced
from xingu_dagster.partitions import latest_partition
from xingu_dagster.phases.sources import origin_metadata
from xingu_dagster.spec import BATCH_SOURCES, TRAIN_SOURCES, ProviderSpec


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
        with masked_errors():
            for key in (key for key in keys if key in context.selected_asset_keys):
                batch, name = keys[key]
                hook, attribute = BATCH_SOURCES if batch else TRAIN_SOURCES
                # Read again: a hook may return other queries every day.
                declared = provider.read_declarations(hook, attribute)
                definition = provider.batch_partitions if batch else None
                partition = latest_partition(definition, context.instance)
                if definition is not None and partition is None:
                    context.log.info(f"{name} is not observed: the batch has no partition yet.")
                    continue
                specs = bind_partition(
                    f"{provider.id}.{attribute}",
                    parse_sources(provider.id, attribute, declared),
                    partition,
                )
                spec = _external(specs, name)
                workspace.databases.check(provider.id, attribute, [spec])
                version = observe_source(provider.id, spec, workspace.databases, declared=specs)
                yield dg.ObserveResult(
                    asset_key=key,
                    data_version=dg.DataVersion(version),
                    metadata=namespaced(origin_metadata(workspace, spec)),
                )

    return sources


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
