"""Find the DataProviders of a project, in the order of their prerequisites.

Modules whose names begin with an underscore are skipped; classes without an `id` are base classes.
Modules of the folder and of its parent can be imported by their plain names, as in Xingu 2.0.
Modules are imported, but no data is read. A file or a class that cannot be used does not prevent
the use of others.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from xingu.directions import check_directions, check_tolerances
from xingu.errors import (
    DeclarationError,
    DuplicateProviderError,
    PrerequisiteCycleError,
    UnknownProviderError,
    did_you_mean,
)
from xingu.names import key_part
from xingu.provider.base import DataProvider
from xingu.provider.classes import check_class_index
from xingu.provider.folders import check_plain_imports, package_of, put_on_path
from xingu.provider.importing import import_file
from xingu.provider.methods import BUILTIN_PLOTS, near_misses
from xingu.provider.misspelt import misspelt_names, used_names
from xingu.provider.project_code import remember_sources

logger = logging.getLogger(__name__)

ProviderClass = type[DataProvider]
IMPORT_SECONDS = 120.0


class DataProviderFactory:
    """The requested DataProviders, prerequisites first.

    Args:
        providers_list: Ids to find in the folder, or classes; None: all in the folder.
        providers_folder: Folder of the modules that declare DataProviders.
        import_seconds: Time limit of the import of each module; 0: none.
        elsewhere: Classes that may be prerequisites, and are defined elsewhere.
        extra: Classes that are there besides those of the folder.

    Attributes:
        known: All classes found, by id, also prerequisites that were not requested.
        classes: The requested classes by id, prerequisites first.
        broken: Why a module of the folder cannot be imported, a class of it declares something
            invalid, or needs one of these; by dotted name. They are logged as errors.

    Raises:
        UnknownProviderError: If an id of the list, or of a `pre_req`, does not exist.
        DuplicateProviderError: If two ids are equal, or map to the same asset key.
        PrerequisiteCycleError: If DataProviders are prerequisites of each other.
        DeclarationError: If a class of the list declares something invalid.
    """

    def __init__(
        self,
        providers_list: Sequence[str | ProviderClass] | None = None,
        providers_folder: str | Path | None = None,
        import_seconds: float = IMPORT_SECONDS,
        elsewhere: Sequence[ProviderClass] = (),
        extra: Sequence[ProviderClass] = (),
    ) -> None:
        items = list(providers_list or [])
        given = [*extra, *(item for item in items if isinstance(item, type))]
        self.broken: dict[str, DeclarationError] = {}
        found: list[ProviderClass] = []
        if providers_folder is not None and not (items and all(isinstance(i, type) for i in items)):
            in_folder = classes_in(Path(providers_folder), import_seconds, self.broken)
            found = [cls for cls in in_folder if cls not in given]
        remember_sources()
        for cls in given:
            check_provider(cls)
        known = _by_id([*given, *self._sound(found), *elsewhere])
        self._leave_out_dependents(known)
        for error in self.broken.values():
            logger.error("%s", error)
        requested = [str(item.id) if isinstance(item, type) else item for item in items]
        for provider_id in requested:
            where = f"The list of DataProviders names {provider_id!r}"
            _require(provider_id, known, where, unusable=self.broken)
        self.known: Mapping[str, ProviderClass] = known
        sorted_ids = _sorted_ids(known)
        self.classes: Mapping[str, ProviderClass] = {
            provider_id: known[provider_id]
            for provider_id in sorted_ids
            if (not requested or provider_id in requested) and known[provider_id] not in elsewhere
        }

    def check(self) -> None:
        """Raise a DeclarationError with all reasons if anything of the folder is broken."""
        raise_broken(self.broken)

    def _sound(self, classes: Iterable[ProviderClass]) -> Iterator[ProviderClass]:
        for cls in classes:
            try:
                check_provider(cls)
            except DeclarationError as error:
                self.broken[_qualname(cls)] = error
            else:
                yield cls

    def _leave_out_dependents(self, known: dict[str, ProviderClass]) -> None:
        """Remove classes with a prerequisite that a broken file may declare."""
        while self.broken and (
            lost := [
                (cls, pre_req)
                for cls in known.values()
                for pre_req in cls.pre_req
                if pre_req not in known
            ]
        ):
            for cls, pre_req in lost:
                known.pop(str(cls.id), None)
                self.broken[_qualname(cls)] = UnknownProviderError(
                    f"{cls.id}.pre_req names {pre_req!r}: no DataProvider that can be used is "
                    f"called so; there are errors in {', '.join(self.broken)}.",
                    dataprovider_id=str(cls.id),
                )

    def __iter__(self) -> Iterator[str]:
        return iter(self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    def create(self, provider_id: str) -> DataProvider:
        """Return a new instance of the DataProvider called `provider_id`."""
        where = f"DataProvider {provider_id!r}"
        return _require(provider_id, self.known, where, unusable=self.broken)()


def raise_broken(broken: Mapping[str, DeclarationError]) -> None:
    """Raise a DeclarationError with all reasons, if there are any."""
    if broken:
        raise DeclarationError("\n".join(map(str, broken.values())), broken=sorted(broken))


def _require(
    provider_id: str,
    known: Mapping[str, ProviderClass],
    where: str,
    unusable: Iterable[str] = (),
) -> ProviderClass:
    if provider_id not in known:
        names = ", ".join(unusable)
        raise UnknownProviderError(
            f"{where}: there is no such DataProvider; known: "
            f"{', '.join(sorted(known)) or 'none'}.{did_you_mean(provider_id, known)}"
            f"{f' There are errors in {names}.' if names else ''}",
            dataprovider_id=provider_id,
        )
    return known[provider_id]


def errors_of(cls: ProviderClass) -> Iterator[DeclarationError]:
    """Yield everything that a class declares invalid by itself."""
    for check in _CHECKS:
        try:
            check(cls)
        except DeclarationError as error:
            yield error


def contradictions(
    classes: Iterable[ProviderClass], unusable: Iterable[str] = ()
) -> Iterator[DeclarationError]:
    """Yield everything that is invalid in classes together: ids, prerequisites, cycles of them.

    Args:
        classes: The classes.
        unusable: Modules that cannot be imported, which may declare prerequisites.
    """
    unusable = list(unusable)
    by_key: dict[str, ProviderClass] = {}
    for cls in classes:
        other = by_key.setdefault(_key(cls), cls)
        if other is not cls:
            yield _duplicate(other, cls)
    known = {str(cls.id): cls for cls in by_key.values()}
    graph: dict[str, list[str]] = {provider_id: [] for provider_id in sorted(known)}
    for provider_id, needed in graph.items():
        for pre_req in sorted(known[provider_id].pre_req):
            try:
                where = f"{provider_id}.pre_req names {pre_req!r}"
                _require(pre_req, known, where, unusable)
            except UnknownProviderError as error:
                error.facts["dataprovider_id"] = provider_id
                yield error
            else:
                needed.append(pre_req)
    while True:
        try:
            _sorted(graph)
        except PrerequisiteCycleError as error:
            yield error
            first, second, *_ = error.facts["cycle"]  # type: ignore[misc]
            graph[first].remove(second)
        else:
            return


def _by_id(classes: Iterable[ProviderClass]) -> dict[str, ProviderClass]:
    by_key: dict[str, ProviderClass] = {}
    for cls in classes:
        if (other := by_key.setdefault(_key(cls), cls)) is not cls:
            raise _duplicate(other, cls)
    return {str(cls.id): cls for cls in by_key.values()}


def _key(cls: ProviderClass) -> str:
    # Lower case, because the key is also a folder, and some file systems ignore case.
    return key_part(str(cls.id)).lower()


def _duplicate(one: ProviderClass, other: ProviderClass) -> DuplicateProviderError:
    return DuplicateProviderError(
        f"DataProviders {one.id!r} ({_qualname(one)}) and {other.id!r} ({_qualname(other)}) both "
        f"become the asset key {key_part(str(other.id))!r}; rename one of them.",
        dataprovider_ids=(one.id, other.id),
    )


def check_provider(cls: ProviderClass) -> None:
    """Raise a DeclarationError if a class declares something invalid by itself."""
    for check in _CHECKS:
        check(cls)


def _check_id(cls: ProviderClass) -> None:
    if not isinstance(cls.id, str) or not cls.id.strip():
        raise DeclarationError(f"{_qualname(cls)}: id must be a non-empty string, not {cls.id!r}.")
    if key_part(cls.id) == "sources":
        raise DeclarationError(
            f"{_qualname(cls)}: id {cls.id!r} is reserved for asset keys of sources; rename it.",
            dataprovider_id=cls.id,
        )


def _check_pre_req(cls: ProviderClass) -> None:
    if isinstance(cls.pre_req, str):
        raise DeclarationError(
            f"{cls.id}.pre_req must be a set of ids; write {{{cls.pre_req!r}}}.",
            dataprovider_id=cls.id,
        )


def _check_names(cls: ProviderClass) -> None:
    """Check for misspelt names of attributes and methods."""
    own = {name for name in {*dir(cls)} - {*dir(DataProvider)} if callable(getattr(cls, name))}
    unused = [pair for pair in near_misses(own) if pair[0] not in used_names(cls, besides=pair[0])]
    if missed := dict([*misspelt_names(cls), *unused]):
        texts = [
            f"{cls.id}.{wrong} is no name that Xingu knows. Did you mean {right!r}?"
            for wrong, right in missed.items()
        ]
        raise DeclarationError(
            f"{' '.join(texts)} If it is a helper, begin its name with an underscore.",
            dataprovider_id=cls.id,
            methods=missed,
        )


def _check_plots(cls: ProviderClass) -> None:
    for name in cls.builtin_plots_off:
        if isinstance(cls.builtin_plots_off, str) or name not in BUILTIN_PLOTS:
            raise DeclarationError(
                f"{cls.id}.builtin_plots_off is {cls.builtin_plots_off!r}; it must be a set of "
                f"names out of {', '.join(BUILTIN_PLOTS)}.{did_you_mean(name, BUILTIN_PLOTS)}",
                dataprovider_id=cls.id,
            )


_CHECKS: Sequence[Callable[[ProviderClass], None]] = (
    _check_id,
    _check_pre_req,
    _check_names,
    _check_plots,
    lambda cls: check_directions(str(cls.id), cls.metric_directions),
    lambda cls: check_tolerances(str(cls.id), cls.metric_tolerances),
    lambda cls: check_class_index(str(cls.id), cls.proba_class_index),
)


def _sorted_ids(known: Mapping[str, ProviderClass]) -> list[str]:
    for provider_id, cls in known.items():
        for pre_req in cls.pre_req:
            _require(pre_req, known, f"{provider_id}.pre_req names {pre_req!r}")
    return _sorted({one: sorted(known[one].pre_req) for one in sorted(known)})


def _sorted(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the keys of a graph, prerequisites first."""
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        raise PrerequisiteCycleError(
            f"pre_req has a cycle: {' needs '.join(cycle)}; remove one of these prerequisites.",
            cycle=cycle,
        ) from error


def classes_in(
    folder: Path, seconds: float, broken: dict[str, DeclarationError]
) -> list[ProviderClass]:
    """Return the classes of a folder.

    Args:
        folder: Folder of the modules that declare DataProviders.
        seconds: Time limit of the import of each module; 0: none.
        broken: Receives errors of modules, by dotted name.

    Raises:
        DeclarationError: If there is no such folder.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise DeclarationError(
            f"There is no folder of DataProviders at {folder}; set DATAPROVIDER_FOLDER, or run "
            "from the project's root.",
            folder=str(folder),
        )
    package = package_of(folder)
    put_on_path(folder)
    classes: list[ProviderClass] = []
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        if any(part.startswith(("_", ".")) for part in parts):
            continue
        name = ".".join((package, *parts))
        try:
            check_plain_imports(file, folder)
            module = import_file(name, file, seconds)
        except DeclarationError as error:
            broken[name] = error
            continue
        classes += [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, DataProvider)
            and value.__module__ == module.__name__
            and value.id is not None
            and value not in classes
        ]
    return classes


def _qualname(cls: ProviderClass) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
