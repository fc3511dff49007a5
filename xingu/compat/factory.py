"""`xingu.DataProviderFactory`: the DataProviders of a project, with the names of Xingu 2.0."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xingu.config import ConfigManager, Settings
from xingu.provider.base import DataProvider
from xingu.provider.class_logger import ClassLogger
from xingu.provider.discovery import IMPORT_SECONDS, ProviderClass
from xingu.provider.discovery import DataProviderFactory as Discovery
from xingu.provider.folders import put_on_path
from xingu.provider.simple import READERS, simple_class


class DataProviderFactory(Discovery):
    """The requested DataProviders, prerequisites first.

    Args:
        *given: The arguments below without their names, in any order: a path is the folder, ids and
            classes are the list, objects are extra ones.
        providers_folder: Folder of the modules that declare DataProviders; None: that of the
            settings, unless only classes are given.
        providers_list: Ids to find in the folder, or classes; None: those of the settings, by
            default all.
        providers_extra_objects: One DataProvider or several, such as a `DPSimple`, that are added.
        import_seconds: Time limit of the import of each module; 0: none.

    Attributes:
        known: All classes found, by id, also prerequisites that were not requested; also `dps`.
        classes: The requested classes by id, prerequisites first.
        providers_folder: The folder; None if none was read.
        config: The `ConfigManager`.

    Raises:
        UnknownProviderError: If an id of the list, or of a `pre_req`, does not exist.
        DuplicateProviderError: If two ids are equal, or map to the same asset key.
        PrerequisiteCycleError: If DataProviders are prerequisites of each other.
        DeclarationError: If a class of the list declares something invalid.
    """

    logger: logging.Logger = ClassLogger()  # type: ignore[assignment]
    config = ConfigManager

    def __init__(
        self,
        *given: Any,
        providers_folder: str | Path | None = None,
        providers_list: Sequence[str | ProviderClass] | str | None = None,
        providers_extra_objects: DataProvider | Iterable[DataProvider] | None = None,
        import_seconds: float = IMPORT_SECONDS,
    ) -> None:
        extra = _listed(providers_extra_objects)
        for one in given:
            if isinstance(one, str | Path):
                providers_folder = one
            elif isinstance(one, DataProvider):
                extra.append(one)
            elif one is not None:
                extra += [item for item in one if isinstance(item, DataProvider)]
                providers_list = [item for item in one if not isinstance(item, DataProvider)]
        classes, items = [*map(class_of, extra)], _names(providers_list)
        if providers_folder is None and not (items and all(isinstance(one, type) for one in items)):
            settings = Settings.load()
            items = items or list(settings.dataproviders)
            providers_folder = folder_of(settings, classes)
            import_seconds = settings.import_seconds
        self.providers_folder = providers_folder
        super().__init__(items, providers_folder, import_seconds, extra=classes)

    @property
    def dps(self) -> Mapping[str, ProviderClass]:
        """All classes found, by id."""
        return self.known

    @property
    def providers_list(self) -> list[str]:
        """Ids of the requested DataProviders, prerequisites first."""
        return list(self.classes)

    def produce(self) -> Iterator[DataProvider]:
        """Yield a new instance of each requested DataProvider."""
        return (cls() for cls in self.classes.values())

    def get_pre_req(self, dp: DataProvider | str) -> set[str]:
        """Return the ids of all prerequisites of a DataProvider, also of those of prerequisites."""
        cls = self.known[dp] if isinstance(dp, str) else type(dp)
        found: set[str] = set()
        waiting = list(cls.pre_req)
        while waiting:
            dp_id = waiting.pop()
            if dp_id not in found:
                found.add(dp_id)
                waiting += self.known[dp_id].pre_req
        return found

    def __repr__(self) -> str:
        return f"DataProviderFactory({', '.join(self.known)})"


def factory_of(settings: Settings) -> Discovery:
    """Return the DataProviders that settings ask for, with the one that SIMPLEDP_ID declares.

    Raises:
        DeclarationError: If a setting of that one is missing or cannot be used, or as `Discovery`.
    """
    extra = simple_of(settings)
    folder = folder_of(settings, extra)
    return Discovery(settings.dataproviders, folder, settings.import_seconds, extra=extra)


def simple_of(settings: Settings) -> list[ProviderClass]:
    """Return the DataProvider that SIMPLEDP_ID declares, if it is set.

    Raises:
        DeclarationError: If another of its settings is missing or cannot be used.
    """
    if not settings.simpledp_id:
        return []
    fields = type(settings).model_fields
    values = {str(field.alias): getattr(settings, name) for name, field in fields.items()}
    put_on_path(settings.project_home / settings.dataproviders_folder)
    return [simple_class({name: values[name] for name in (*READERS, "BASE_CLASS")})]


def folder_of(settings: Settings, extra: Sequence[ProviderClass]) -> Path | None:
    """Return the folder of DataProviders; None if there is none, and it is not needed.

    Args:
        settings: The settings of the project.
        extra: DataProviders that are not in the folder.
    """
    folder = settings.project_home / settings.dataproviders_folder
    return folder if folder.is_dir() or not extra else None


def class_of(provider: DataProvider | ProviderClass) -> ProviderClass:
    """Return a class that makes DataProviders like this one."""
    if isinstance(provider, type):
        return provider
    cls = type(provider)
    own = dict(vars(provider))
    return type(cls.__name__, (cls,), {**own, "__module__": cls.__module__}) if own else cls


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return [given] if isinstance(given, DataProvider) else list(given)


def _names(given: Any) -> list[Any]:
    items = given.split(",") if isinstance(given, str) else list(given or ())
    names = [one.strip() if isinstance(one, str) else one for one in items]
    return [one for one in names if one]
