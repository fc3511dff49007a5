"""From settings to Dagster definitions; touches neither network nor database nor data folder."""

from collections.abc import Mapping

import dagster as dg

from xingu.config import Settings
from xingu.dataprovider import DataProvider
from xingu.discovery import DataProviderFactory
from xingu_dagster.collector import without_collections
from xingu_dagster.engine.executor import build_executor
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.io_managers import XinguIOManager
from xingu_dagster.resources import Workplace


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
    workplace, strategy = Workplace.from_settings(settings), settings.hyperopt_strategy
    with without_collections():
        assets = [
            assets for cls in classes.values() for assets in build_provider_assets(cls, strategy)
        ]
    return dg.Definitions(
        assets=assets,
        resources={"xingu": workplace, "xingu_io": XinguIOManager(workplace)},
        executor=build_executor(
            settings.executor,
            settings.max_steps,
            settings.worker_memory_mb,
            settings.worker_steps,
        ),
    )
