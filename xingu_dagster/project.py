"""From settings to Dagster definitions; touches neither network nor database nor data folder."""

from collections.abc import Mapping

import dagster as dg

from xingu.api import Model
from xingu.config import Settings
from xingu.provider.base import DataProvider
from xingu.provider.discovery import DataProviderFactory
from xingu.workspace import Workspace
from xingu_dagster.collector import without_collections
from xingu_dagster.engine.executor import build_executor
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.io_managers import XinguIOManager


def build_definitions(settings: Settings) -> dg.Definitions:
    """Build the definitions of a project: of all DataProviders that the settings ask for.

    Raises:
        SettingsError: If a setting cannot be used.
        DeclarationError: If a DataProvider declares something impossible.
    """
    folder = settings.project_home / settings.dataproviders_folder
    return definitions_of(settings, DataProviderFactory(settings.dataproviders, folder).classes)


def definitions_of(settings: Settings, classes: Mapping[str, type[DataProvider]]) -> dg.Definitions:
    """Build the definitions of DataProviders that are found already, by id."""
    workspace, strategy = Workspace(settings, Model), settings.hyperopt_strategy
    with without_collections():
        assets = [
            assets for cls in classes.values() for assets in build_provider_assets(cls, strategy)
        ]
    return dg.Definitions(
        assets=assets,
        resources={"xingu": workspace, "xingu_io": XinguIOManager(workspace)},
        executor=build_executor(
            settings.executor,
            settings.max_steps,
            settings.worker_memory_mb,
            settings.worker_steps,
        ),
    )
