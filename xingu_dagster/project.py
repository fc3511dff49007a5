"""From settings to Dagster definitions; touches neither network nor database nor data folder."""

import logging
import os
from collections.abc import Mapping

import dagster as dg

from xingu.api import Model
from xingu.config import Settings
from xingu.errors import DeclarationError
from xingu.provider.base import DataProvider
from xingu.provider.discovery import DataProviderFactory, raise_broken
from xingu.workspace import Workspace
from xingu_dagster.collector import without_collections
from xingu_dagster.engine.executor import build_executor
from xingu_dagster.engine.limits import work_limits
from xingu_dagster.factory import broken_asset, build_provider_assets
from xingu_dagster.io_managers import XinguIOManager
from xingu_dagster.options import RESOURCE, options_resource

logger = logging.getLogger(__name__)


def build_definitions(settings: Settings) -> dg.Definitions:
    """Build the definitions of a project: of all DataProviders that the settings ask for.

    A file or a DataProvider that cannot be used becomes an asset of the group ``broken``, which
    says why and fails; the others work. Dagster's validation of definitions refuses them.

    Raises:
        SettingsError: If a setting cannot be used.
        DeclarationError: If DataProviders contradict each other, or, while definitions are
            validated, if any of them cannot be used.
    """
    folder = settings.project_home / settings.dataproviders_folder
    factory = DataProviderFactory(settings.dataproviders, folder, settings.import_seconds)
    broken = dict(factory.broken)
    definitions = definitions_of(settings, factory.classes, broken)
    if os.environ.get("DAGSTER_IS_DEFS_VALIDATION_CLI"):
        raise_broken(broken)
    errors = dg.Definitions([broken_asset(name, error) for name, error in broken.items()])
    return dg.Definitions.merge(definitions, errors) if broken else definitions


def definitions_of(
    settings: Settings,
    classes: Mapping[str, type[DataProvider]],
    broken: dict[str, DeclarationError] | None = None,
) -> dg.Definitions:
    """Build the definitions of DataProviders that are found already.

    Args:
        settings: The settings of the project.
        classes: The DataProviders by id.
        broken: Receives errors of DataProviders, which are left out then; None: errors are raised.
    """
    workspace = Workspace(settings, Model)
    assets: list[dg.AssetsDefinition] = []
    with without_collections():
        for dp_id, cls in classes.items():
            try:
                assets += build_provider_assets(cls)
            except DeclarationError as error:
                if broken is None:
                    raise
                logger.error("%s", error)
                broken[dp_id] = error
    return dg.Definitions(
        assets=assets,
        resources={
            "xingu": workspace,
            "xingu_io": XinguIOManager(workspace),
            RESOURCE: options_resource(workspace.options),
        },
        executor=build_executor(
            settings.executor,
            settings.max_steps,
            settings.worker_memory_mb,
            settings.worker_steps,
            work_limits(settings.train_workers, settings.load_workers),
        ),
    )
