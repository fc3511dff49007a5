"""Find the modules of a project that a DataProvider needs: its own, and those that they import.

A module belongs to the project if it is neither Xingu, nor of the standard library, nor in a folder
of installed distributions. Imports are read from syntax trees, also those inside functions; names
that are computed at run time are not found.

The source of a loaded module is the text that was imported: its file may have been edited since.
"""

import ast
import importlib.util
import logging
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from pathlib import Path

from xingu.provider.syntax import parse

logger = logging.getLogger(__name__)

OURS = frozenset({"xingu", "xingu_dagster", "__main__"})
PACKAGED = "xingu_package_"
"""Beginning of the top-level name of modules that come from a model package."""
_LIBRARY_FOLDERS = frozenset({"site-packages", "dist-packages"})
_imported_sources: dict[str, tuple[ModuleSpec, bytes]] = {}
"""Sources of loaded modules, by name; another spec means that the module was imported again."""


def is_project_spec(spec: ModuleSpec) -> bool:
    """Return whether a module is code of a project; packages without a file are not."""
    root = spec.name.partition(".")[0]
    if root in OURS or root.startswith(PACKAGED) or not spec.has_location or spec.origin is None:
        return False
    return _is_project_file(spec.origin, spec.name.count("."))


@cache
def _is_project_file(file: str, depth: int) -> bool:
    """Return whether a module's file belongs to a project; `depth` is that of its package."""
    path = Path(file)
    depth = min(depth + (path.stem == "__init__"), len(path.parents) - 1)
    return not _is_of_libraries(path.parents[depth])


@cache
def _is_of_libraries(folder: Path) -> bool:
    """Return whether a folder of the import path holds the standard library or distributions."""
    standard = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    return (
        not _LIBRARY_FOLDERS.isdisjoint(folder.parts)
        or any(folder == one or one in folder.parents for one in standard)
        or any(folder.glob("*.dist-info"))  # `pip install --target`
    )


def find_module(name: str) -> ModuleSpec | None:
    """Return the spec of a module; unlike `importlib.util.find_spec`, import no parent of it."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return getattr(loaded, "__spec__", None)
    path, parent = None, name.rpartition(".")[0]
    if parent:
        package = find_module(parent)
        path = package.submodule_search_locations if package else None
        if path is None:
            return None
    for finder in sys.meta_path:
        if spec := finder.find_spec(name, path):
            return spec
    return None


def project_sources(names: Iterable[str], roots: Collection[str] = ()) -> dict[str, bytes]:
    """Return sources of the modules `names` and of all project modules that they import.

    Args:
        names: Dotted names; those of libraries are ignored.
        roots: Top-level packages that count as code of the project wherever they are installed.

    Returns:
        Sources by path relative to the import path, for example ``dataproviders/_shared.py``;
        modules without Python source are left out.
    """
    sources: dict[str, bytes] = {}
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        spec = find_module(name)
        if spec is None or not (is_project_spec(spec) or name.partition(".")[0] in roots):
            continue
        waiting += _parents(name)
        source = imported_source(spec)
        if source is None:
            continue
        if (file := _file_of(spec)) and file.read_bytes() != source:
            logger.warning(
                "%s was changed after its import: the change has no effect here, and the package "
                "of the model holds the code that was imported",
                file,
            )
        sources[_relative_path(spec)] = source
        waiting += _imported(source, spec)
    return dict(sorted(sources.items()))


def remember_sources() -> None:
    """Read the sources of the modules of projects that are loaded, before they are edited."""
    for module in [*sys.modules.values()]:
        spec = getattr(module, "__spec__", None)
        if isinstance(spec, ModuleSpec) and is_project_spec(spec):
            with suppress(ImportError, OSError):  # the file is gone, or cannot be read any more
                imported_source(spec)


def imported_source(spec: ModuleSpec) -> bytes | None:
    """Return the source of a module, of a loaded one as it was when it was first asked for.

    None: it has none, for example because it is compiled.
    """
    remembered = _imported_sources.get(spec.name)
    if remembered and remembered[0] is spec:
        return remembered[1]
    source = _read_source(spec)
    if source is not None and getattr(sys.modules.get(spec.name), "__spec__", None) is spec:
        _imported_sources[spec.name] = spec, source
    return source


def _read_source(spec: ModuleSpec) -> bytes | None:
    if file := _file_of(spec):
        return file.read_bytes()
    if isinstance(spec.loader, InspectLoader):  # for example that of a zip file
        text = spec.loader.get_source(spec.name)
        return text.encode() if text else None
    return None


def _file_of(spec: ModuleSpec) -> Path | None:
    """Return the existing file of Python code that a module is imported from."""
    file = Path(str(spec.origin))
    return file if file.suffix == ".py" and file.is_file() else None


def _relative_path(spec: ModuleSpec) -> str:
    path = spec.name.replace(".", "/")
    return f"{path}/__init__.py" if spec.submodule_search_locations is not None else f"{path}.py"


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _imported(source: bytes, spec: ModuleSpec) -> Iterator[str]:
    """Yield names that a module imports; of ``from a import b``, both `a` and `a.b`."""
    package = spec.name if spec.submodule_search_locations is not None else spec.parent
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
