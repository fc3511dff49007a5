"""Build the assets of a DataProvider."""

from collections.abc import Sequence

import dagster as dg

from xingu.errors import DeclarationError
from xingu.names import key_part
from xingu.provider.base import DataProvider
from xingu_dagster.phases.batch import build_batch, build_batch_raw
from xingu_dagster.phases.deploy import build_deploys
from xingu_dagster.phases.evaluate import build_evaluate
from xingu_dagster.phases.fit import build_fit
from xingu_dagster.phases.observe import build_sources
from xingu_dagster.phases.prepare import build_prepare
from xingu_dagster.phases.sinks import build_sinks
from xingu_dagster.phases.tune import build_tune
from xingu_dagster.project_resource import ProjectResource
from xingu_dagster.spec import ProviderSpec
from xingu_dagster.translator import XinguTranslator

BROKEN = "Cannot be used: "
"""Beginning of the description of an asset that stands for what cannot be used."""


def build_provider_assets(
    cls: type[DataProvider],
    translator: XinguTranslator | None = None,
    resource: ProjectResource | None = None,
) -> list[dg.AssetsDefinition]:
    """Build the assets of one DataProvider: its external data, then one definition per phase.

    Args:
        cls: The DataProvider.
        translator: Names the assets; None: `XinguTranslator`.
        resource: The resource that steps work with; None: any with the key ``xingu``.

    Raises:
        DeclarationError: If a declaration cannot be used.
    """
    provider = ProviderSpec(cls, translator, resource)
    sources = build_sources(provider)
    phases = [
        build_prepare(provider),
        build_tune(provider),
        build_fit(provider),
        build_evaluate(provider),
    ]
    if provider.batch_sources:
        phases += [build_batch_raw(provider), build_batch(provider)]
    if provider.sinks:
        phases.append(build_sinks(provider))
    phases += build_deploys(provider)
    return [sources, *phases] if sources else phases


def broken_asset(
    name: str, error: DeclarationError, key_prefix: Sequence[str] = ()
) -> dg.AssetsDefinition:
    """Build the asset that stands for a file or a DataProvider that cannot be used.

    Args:
        name: Name of the module or the class.
        error: Why; the materialization of the asset raises it.
        key_prefix: First parts of its key.
    """
    key = [*key_prefix, "broken", key_part(name)]

    @dg.asset(key=key, group_name="broken", description=f"{BROKEN}{error}")
    def broken() -> None:
        raise error

    return broken


def is_broken(spec: dg.AssetSpec) -> bool:
    """Return whether `broken_asset` has built the asset."""
    return spec.key.path[0] == "broken" and str(spec.description).startswith(BROKEN)
