"""The composition root: from settings to stores, databases and folders.

Every entry point (the Dagster project, the `xingu` command, `Coach`, methods of `xingu.Model`)
makes one Workspace from its settings; everybody else receives values from it. Nothing is opened
before it is used, and what a command does not use is not imported.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from upath import UPath

from xingu.config import Settings
from xingu.model import Model
from xingu.records import PictureFormat
from xingu.registry.pins import pinned_trains
from xingu.registry.store import ModelStore
from xingu.values import ValueStore

if TYPE_CHECKING:
    from xingu.sources import Databases, SourceCache
    from xingu.tracking.database import ControlDB


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Settings that phases receive as values; see `xingu.config.Settings`."""

    source_workers: int
    hyperopt_workers: int
    train_session_id: str | None
    preferred_trains: tuple[str, ...]
    save_sets: bool
    save_estimations: bool
    picture_formats: tuple[PictureFormat, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the options that `settings` describe."""
        return cls(
            source_workers=settings.datasource_workers,
            hyperopt_workers=settings.hyperopt_workers,
            train_session_id=settings.train_session_id,
            preferred_trains=settings.preferred_trains,
            save_sets=settings.save_sets,
            save_estimations=settings.save_estimations,
            picture_formats=tuple(one for one in settings.plots_format if one != "html"),
        )


class Workspace:
    """Stores, databases and folders of one project.

    Args:
        settings: The settings of the project.
        model_class: Class of the Models that are fitted and loaded.

    Attributes:
        options: Settings that phases receive as values.
        home: The project's folder, absolute.
        plots: Folder or URL of the plots.
        cache_folder: Folder or URL of the source cache; None: nothing is cached.
    """

    def __init__(self, settings: Settings, model_class: type[Model] = Model) -> None:
        self._settings = settings
        self.options = RunOptions.of(settings)
        self.model_class = model_class
        self.home = settings.project_home.resolve()
        self.plots: UPath = settings.place(settings.plots)
        cache = settings.datasource_cache
        self.cache_folder: UPath | None = settings.place(cache) if cache else None

    @cached_property
    def values(self) -> ValueStore:
        """The values of assets."""
        return ValueStore(self._settings.place(self._settings.values), self._settings.keep_values)

    @cached_property
    def models(self) -> ModelStore:
        """The model packages; the project's inventory file may pin trains."""
        pins = pinned_trains(self.home)
        return ModelStore(self._settings.place(self._settings.models), pins, self.model_class)

    @cached_property
    def databases(self) -> "Databases":
        """The databases that sources may name; ``xingu`` is the control DB."""
        from xingu.sources import Databases

        return Databases(self._settings.source_databases(), self.home)

    @cached_property
    def control(self) -> "ControlDB":
        """The control DB."""
        from xingu.tracking.database import ControlDB

        return ControlDB(self.databases, self._settings.table_prefix)

    @property
    def folders(self) -> tuple[UPath, ...]:
        """Folders or URLs of the packages, the values and the plots."""
        return self.models.root, self.values.root, self.plots

    def cache(self, *, refresh: bool = False) -> "SourceCache":
        """Return the source cache; with `refresh`, sources are read again."""
        from xingu.sources import SourceCache

        return SourceCache(self.cache_folder, refresh)
