"""XinguProject: DataProviders as assets, resources and definitions of Dagster.

Building them touches neither network nor database nor data folder. Nothing is read from the
environment, except by `XinguProject.from_environment`.
"""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

import dagster as dg

from xingu.api import Model
from xingu.compat.factory import factory_of
from xingu.config import Settings
from xingu.errors import (
    DeclarationError,
    DuplicateProviderError,
    UnknownProviderError,
    did_you_mean,
)
from xingu.provider.base import DataProvider
from xingu.provider.discovery import DataProviderFactory, check_provider, raise_broken
from xingu.workspace import Workspace
from xingu_dagster.alerts import Watched, alert_sensor, is_configured
from xingu_dagster.automation import (
    SensorOptions,
    build_sensors,
    has_policy,
    sensor_options,
)
from xingu_dagster.collector import without_collections
from xingu_dagster.engine.executor import build_executor
from xingu_dagster.engine.limits import work_limits
from xingu_dagster.factory import broken_asset, build_provider_assets
from xingu_dagster.io_managers import io_manager_of
from xingu_dagster.project_resource import ProjectResource
from xingu_dagster.resources import KEY, XinguResource
from xingu_dagster.spec import ProviderSpec
from xingu_dagster.translator import XinguTranslator

logger = logging.getLogger(__name__)

Classes = Mapping[str, type[DataProvider]]
Providers = str | Path | DataProviderFactory | Classes | Iterable[type[DataProvider]]


class XinguProject:
    """The DataProviders of a folder, or given classes, in any Dagster project.

    A file or a DataProvider of a folder that cannot be used becomes an asset of the group
    ``broken``, whose description and failure give the reason; the others work. Dagster's
    validation of definitions refuses them.

    Args:
        dataproviders: A folder, a `DataProviderFactory`, or classes, also by id with prerequisites
            first.
        settings: The resource that steps work with, also one of ``configure_at_launch()``, or
            `Settings`; None: an `XinguResource` with the folder above as `project_home`.
        translator: Names the assets; None: `XinguTranslator`, with the pools of `Settings`.
        resource_key: Key of the resource, and with ``_io`` of the IO manager; None: ``xingu``,
            after the key prefix of the translator. Two projects of one code location need
            different ones.
        sensors: Whether `definitions` has the sensors of `sensors`, and how they are built; None:
            as the settings say, or with the defaults of `SensorOptions`.

    Attributes:
        classes: The DataProviders by id, prerequisites first.
        translator: Names the assets.
        resource_key: Key of the resource.

    Raises:
        DeclarationError: If DataProviders contradict each other, or a given class cannot be used.
    """

    def __init__(
        self,
        dataproviders: Providers,
        *,
        settings: Any = None,
        translator: XinguTranslator | None = None,
        resource_key: str | None = None,
        sensors: bool | SensorOptions | None = None,
    ) -> None:
        if isinstance(dataproviders, str | Path):
            folder = Path(dataproviders).absolute()
            settings = settings or XinguResource(project_home=str(folder.parent))
            dataproviders = DataProviderFactory(providers_folder=folder)
        self._broken: dict[str, DeclarationError] | None = None
        self.classes: Classes
        if isinstance(dataproviders, DataProviderFactory):
            self.classes, self._broken = dataproviders.classes, dict(dataproviders.broken)
        elif isinstance(dataproviders, Mapping):
            self.classes = cast(Classes, dataproviders)
        else:
            self.classes = DataProviderFactory(list(dataproviders)).classes
        self._settings = settings or XinguResource()
        self.translator = translator or XinguTranslator(
            database_pools=settings.database_pools if isinstance(settings, Settings) else None
        )
        self.resource_key = resource_key or "_".join((*self.translator.key_prefix, KEY))
        self._sensors = sensors

    @classmethod
    def from_environment(cls, translator: XinguTranslator | None = None) -> Self:
        """Return the project that the environment and `.env` describe.

        Raises:
            SettingsError: If a setting cannot be used.
            DeclarationError: If DataProviders contradict each other.
        """
        return cls._of_settings(Settings.load(), translator)

    @classmethod
    def _of_settings(cls, settings: Settings, translator: XinguTranslator | None = None) -> Self:
        return cls(factory_of(settings), settings=settings, translator=translator)

    # -- definitions --------------------------------------------------------------------------

    def definitions(self) -> dg.Definitions:
        """Return assets, sensors and resources, for ``dg.Definitions.merge``.

        They contain no executor, because a code location has one; see `executor`.

        Raises:
            DeclarationError: While definitions are validated, if a DataProvider cannot be used.
        """
        assets = self.assets()
        if os.environ.get("DAGSTER_IS_DEFS_VALIDATION_CLI"):
            raise_broken(self._broken or {})
        sensors = [] if self._sensors is False else self.sensors()
        return dg.Definitions(assets=assets, resources=self.resources(), sensors=sensors)

    def assets(self, select: str | Iterable[str] | None = None) -> list[dg.AssetsDefinition]:
        """Return the assets of all DataProviders, or of some.

        Args:
            select: Ids, or patterns as ``price_*``; None: all.

        Raises:
            UnknownProviderError: If there is no such DataProvider.
            DuplicateProviderError: If the translator gives one key to two assets.
        """
        if select is None:
            assets = [one for some in self._assets.values() for one in some]
            prefix = self.translator.key_prefix
            errors = (self._broken or {}).items()  # known once the assets are built
            return assets + [broken_asset(name, error, prefix) for name, error in errors]
        selected = self._selected([select] if isinstance(select, str) else list(select))
        return [one for dp_id in selected for one in self._assets[dp_id]]

    def checks(self) -> list[dg.AssetCheckKey]:
        """Return the keys of the checks, for selections; the checks themselves are in `assets`."""
        assets = (one for some in self._assets.values() for one in some)
        return [key for one in assets for key in one.check_keys]

    def sensors(self) -> list[dg.SensorDefinition]:
        """Return the sensors that act by the policies of DataProviders, and the one of alerts.

        ``<resource key>_retrain`` trains models (`DataProvider.retrain`), and
        ``<resource key>_batch_predict`` estimates batches (`batch_predict_when`); they do not exist
        without a policy, and the one of alerts does not without a channel.
        """
        options = self._sensors if isinstance(self._sensors, SensorOptions) else None
        options = options or sensor_options(self._settings)
        resource = ProjectResource.of(self.resource(), self.resource_key)
        specs = {
            ProviderSpec(cls, self.translator, resource): self._assets[dp_id]
            for dp_id, cls in self.classes.items()
            if dp_id in self._assets and has_policy(cls)
        }
        alerts = [alert_sensor(self._watched)] if is_configured(self._settings) else []
        return [*build_sensors(specs, self.resource_key, options), *alerts]

    def resources(self) -> dict[str, Any]:
        """Return the resource and the IO manager by key."""
        io_manager = io_manager_of(self.resource_key, self.translator.key_prefix)
        return {self.resource_key: self.resource(), f"{self.resource_key}_io": io_manager}

    def resource(self) -> Any:
        """Return the resource that steps work with: an XinguResource, or a Workspace."""
        return self._resource

    def executor(self) -> dg.ExecutorDefinition:
        """Return the executor of the settings: by default the pool, as `xingu_executor`."""
        settings = self._settings
        if not isinstance(settings, Settings):
            return build_executor("pool")
        return build_executor(
            settings.executor,
            settings.max_steps,
            settings.worker_memory_mb,
            settings.worker_steps,
            work_limits(settings.train_workers, settings.load_workers),
        )

    @property
    def _watched(self) -> Watched:
        return Watched.of(self._assets, self.resource_key, self.translator.key_prefix)

    @cached_property
    def _resource(self) -> Any:
        settings = self._settings
        return Workspace(settings, Model) if isinstance(settings, Settings) else settings

    @cached_property
    def _assets(self) -> dict[str, list[dg.AssetsDefinition]]:
        resource = ProjectResource.of(self.resource(), self.resource_key)
        assets: dict[str, list[dg.AssetsDefinition]] = {}
        with without_collections():
            for dp_id, cls in self.classes.items():
                try:
                    assets[dp_id] = build_provider_assets(cls, self.translator, resource)
                except DeclarationError as error:
                    if self._broken is None:
                        raise
                    logger.error("%s", error)
                    self._broken[dp_id] = error
        _check_keys(assets, type(self.translator).__name__)
        return assets

    def _selected(self, patterns: Sequence[str]) -> list[str]:
        for pattern in patterns:
            if not any(fnmatchcase(dp_id, pattern) for dp_id in self._assets):
                raise UnknownProviderError(
                    f"select={pattern!r}: no DataProvider is called so; known: "
                    f"{', '.join(self._assets) or 'none'}.{did_you_mean(pattern, self._assets)}",
                    dataprovider_id=pattern,
                )
        return [one for one in self._assets if any(fnmatchcase(one, p) for p in patterns)]


def build_xingu_assets(
    dataprovider: type[DataProvider],
    *,
    translator: XinguTranslator | None = None,
    resource_key: str = KEY,
    settings: Any = None,
) -> list[dg.AssetsDefinition]:
    """Return the assets of one DataProvider, without resources.

    Args:
        dataprovider: Its class.
        translator: Names the assets; None: `XinguTranslator`.
        resource_key: Key of the `XinguResource` that its steps work with; ``<resource_key>_io`` is
            that of a `XinguIOManager`.
        settings: That resource. Its databases decide the dialect of queries; its options are the
            defaults in the launchpad, which all assets with this key have to share. None: those of
            an `XinguResource` without options.

    Raises:
        DeclarationError: If a declaration cannot be used.
    """
    check_provider(dataprovider)
    resource = ProjectResource.of(settings, resource_key)
    return build_provider_assets(dataprovider, translator, resource)


def build_definitions(settings: Settings) -> dg.Definitions:
    """Build the definitions of a project, with its executor; see `XinguProject`."""
    return _with_executor(XinguProject._of_settings(settings))


def definitions_of(settings: Settings, classes: Classes) -> dg.Definitions:
    """Build the definitions of DataProviders that are found already, with the executor.

    Raises:
        DeclarationError: If a declaration cannot be used.
    """
    return _with_executor(XinguProject(classes, settings=settings))


def _with_executor(project: XinguProject) -> dg.Definitions:
    return dg.Definitions.merge(project.definitions(), dg.Definitions(executor=project.executor()))


def _check_keys(assets: Mapping[str, Sequence[dg.AssetsDefinition]], translator: str) -> None:
    """Raise a DuplicateProviderError if two DataProviders have an asset with the same key."""
    owners: dict[str, str] = {}
    for dp_id, some in assets.items():
        for key in (key for one in some for key in one.keys):
            # In lower case, because the key is also a folder, and some file systems ignore case.
            owner = owners.setdefault("/".join(key.path).lower(), dp_id)
            if owner != dp_id:
                raise DuplicateProviderError(
                    f"{translator} gives the key {key.to_user_string()} to an asset of {owner!r} "
                    f"and to one of {dp_id!r}; let the id be a part of the key.",
                    dataprovider_ids=(owner, dp_id),
                )
