"""What a phase works with: stores, databases and folders, made from settings once.

It is a plain object, not a configurable resource, so that no URL appears in a launchpad.
"""

from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from xingu.config import Settings
from xingu.inventory.database import ControlDB
from xingu.inventory.file import pinned_trains
from xingu.plots.pictures import PictureFormat
from xingu.sources import Databases, SourceCache
from xingu.storage.packages import ModelStore
from xingu.storage.values import ValueStore


@dataclass(frozen=True)
class Workplace:
    """The outside world of a phase."""

    home: Path
    values: ValueStore
    models: ModelStore
    plots: UPath
    picture_formats: tuple[PictureFormat, ...]
    databases: Databases
    control: ControlDB
    cache_folder: UPath | None
    source_workers: int
    hyperopt_workers: int
    train_session_id: str | None
    preferred_trains: tuple[str, ...]
    save_sets: bool
    save_estimations: bool

    @classmethod
    def from_settings(cls, settings: Settings) -> "Workplace":
        """Make it; opens nothing yet."""
        home = settings.project_home.resolve()
        cache = settings.datasource_cache
        databases = Databases(settings.source_databases(), home)
        return cls(
            home=home,
            values=ValueStore(settings.place(settings.values), settings.keep_values),
            models=ModelStore(settings.place(settings.models), pinned_trains(home)),
            plots=settings.place(settings.plots),
            picture_formats=tuple(one for one in settings.plots_format if one != "html"),
            databases=databases,
            control=ControlDB(databases, settings.table_prefix),
            cache_folder=settings.place(cache) if cache else None,
            source_workers=settings.datasource_workers,
            hyperopt_workers=settings.hyperopt_workers,
            train_session_id=settings.train_session_id,
            preferred_trains=settings.preferred_trains,
            save_sets=settings.save_sets,
            save_estimations=settings.save_estimations,
        )

    def cache(self, *, refresh: bool = False) -> SourceCache:
        """Return the cache of sources; `refresh` reads the outside data anew."""
        return SourceCache(self.cache_folder, refresh)
