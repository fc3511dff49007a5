"""Find the modules of a project that a DataProvider needs: its own, and those that they import.

A module belongs to the project if it is neither Xingu, nor of the standard library, nor in a folder
of installed distributions. Imports are read from syntax trees, also those inside functions; names
that are computed at run time are not found.
"""

import ast
import importlib.util
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from pathlib import Path

from xingu.provider.syntax import parse

OURS = frozenset({"xingu", "xingu_dagster", "__main__"})
PACKAGED = "xingu_package_"
"""Beginning of the top-level name of modules that come from a model package."""
_LIBRARY_FOLDERS = frozenset({"site-packages", "dist-packages"})


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
        source = _source_of(spec) if spec.has_location else None
        if source is None:
            continue
        sources[_relative_path(spec)] = source
        waiting += _imported(source, spec)
    return dict(sorted(sources.items()))


def _source_of(spec: ModuleSpec) -> bytes | None:
    """Return the source of a module; None: it has none, for example because it is compiled."""
    path = Path(str(spec.origin))
    if path.suffix == ".py" and path.is_file():
        return path.read_bytes()
    if isinstance(spec.loader, InspectLoader):  # for example that of a zip file
        text = spec.loader.get_source(spec.name)
        return text.encode() if text else None
    return None


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
