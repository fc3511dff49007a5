"""Composition root: create stores, databases and folders from settings.

Each entry point (the Dagster project, the `xingu` command, `Coach`, methods of `xingu.Model`)
creates one Workspace; all other code receives values from it. Stores and databases are opened, and
their libraries imported, on first use.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from upath import UPath

from xingu.config import Settings
from xingu.errors import SettingsError, StorageError
from xingu.model import Model
from xingu.records import PictureFormat
from xingu.registry.pins import pinned_trains
from xingu.registry.store import ModelStore
from xingu.values import ValueStore

if TYPE_CHECKING:
    from xingu.sources import Databases, SourceCache
    from xingu.tracking.database import ControlDB

PREFIXED = ("models", "plots")
"""Settings of folders that have a folder for each key prefix."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Settings that are passed to phases as values; see `xingu.config.Settings`."""

    source_workers: int
    hyperopt_workers: int
    train_session_id: str | None
    preferred_trains: tuple[str, ...]
    save_sets: bool
    save_estimations: bool
    picture_formats: tuple[PictureFormat, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the options of `settings`."""
        return cls(
            source_workers=settings.datasource_workers,
            hyperopt_workers=settings.hyperopt_workers,
            train_session_id=settings.train_session_id,
            preferred_trains=settings.preferred_trains,
            save_sets=settings.save_sets,
            save_estimations=settings.save_estimations,
            picture_formats=tuple(name for name in settings.plots_format if name != "html"),
        )


class Workspace:
    """Stores, databases and folders of one project.

    Args:
        settings: The settings of the project.
        model_class: Class of the Models that are fitted and loaded.
        connections: Databases that are given as engines or functions, by nickname.

    Attributes:
        options: Settings that are passed to phases as values.
        model_class: Class of the Models that are fitted and loaded.
        home: Folder of the project, absolute.
        plots: Folder or URL of the plots.
        notebooks: Local folder of the notebooks that show plots in the UI, and of plotly.js. The
            code server shows notebooks in its working folder only.
        cache_folder: Folder or URL of the source cache; None disables the cache.
        inventory: Folder of the inventory file, which pins trains.
    """

    def __init__(
        self,
        settings: Settings,
        model_class: type[Model] = Model,
        connections: Mapping[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._connections = connections
        self._parts: dict[tuple[str, ...], Workspace] = {}
        self.options = RunOptions.of(settings)
        self.model_class = model_class
        self.home = settings.project_home.resolve()
        self.plots: UPath = settings.place(settings.plots)
        self.notebooks = self.home / ".xingu" / "plots"
        cache = settings.datasource_cache
        self.cache_folder: UPath | None = settings.place(cache) if cache else None
        self.inventory = self.home

    def below(self, prefix: tuple[str, ...]) -> "Workspace":
        """Return the workspace of assets with a key prefix; without one, this workspace.

        Its models, plots and pins are in a folder of that name, and its tables have the prefix.
        Values need neither, because they are stored by key.
        """
        if not prefix:
            return self
        if prefix not in self._parts:
            below = {name: "/".join((getattr(self._settings, name), *prefix)) for name in PREFIXED}
            tables = "_".join((self._settings.table_prefix + prefix[0], *prefix[1:], ""))
            settings = self._settings.model_copy(update={**below, "table_prefix": tables})
            part = Workspace(settings, self.model_class, self._connections)
            part.notebooks = self.notebooks.joinpath(*prefix)
            part.inventory = self.home.joinpath(*prefix)
            self._parts[prefix] = part
        return self._parts[prefix]

    @cached_property
    def values(self) -> ValueStore:
        """Store of the values of assets."""
        with _named("XINGU_VALUES_PATH"):
            place = self._settings.place(self._settings.values)
            return ValueStore(place, self._settings.keep_values)

    @cached_property
    def models(self) -> ModelStore:
        """Store of the model packages, with the pins of the project's inventory file.

        Raises:
            SettingsError: If the inventory file cannot be parsed, or the path is below a file.
        """
        pins = pinned_trains(self.inventory)
        with _named("TRAINED_MODELS_PATH"):
            place, verify = (
                self._settings.place(self._settings.models),
                self._settings.verify_packages,
            )
            return ModelStore(place, pins, self.model_class, verify=verify)

    @cached_property
    def databases(self) -> "Databases":
        """Databases by nickname; ``xingu`` is the control DB."""
        from xingu.sources import Databases

        urls = self._settings.source_databases()
        return Databases(urls, self.home, given=self._connections)

    @cached_property
    def control(self) -> "ControlDB":
        """Control DB of the project."""
        from xingu.tracking.database import ControlDB

        return ControlDB(self.databases, self._settings.table_prefix)

    @property
    def plot_folders(self) -> tuple[UPath, UPath]:
        """Folders or URLs of plots and of their notebooks."""
        return self.plots, UPath(self.notebooks)

    def cache(self, *, refresh: bool = False) -> "SourceCache":
        """Return the source cache; with `refresh`, cached sources are read again."""
        from xingu.sources import SourceCache

        return SourceCache(self.cache_folder, refresh)


@contextmanager
def _named(setting: str) -> Iterator[None]:
    """Name the setting in errors of a path.

    Raises:
        SettingsError: If the path cannot be used.
    """
    try:
        yield
    except StorageError as error:
        raise SettingsError(f"{setting}: {error}") from error
