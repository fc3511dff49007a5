"""Find the dotted name under which the modules of a folder are imported.

It is the name of the folder, after those of the packages that it lies in. If another folder has
taken that name in this process, the names of folders above come first, so that two projects with
the same names of folders and files can be loaded side by side. A process has one module of each
plain name, though: a file that means another one than that of an earlier project is an error.
"""

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from xingu.errors import DeclarationError
from xingu.provider.project_code import OURS, find_module, is_project_spec
from xingu.provider.syntax import parse

_roots: list[str] = []
"""Folders that were put on the import path, before those that were there."""
_folders: set[Path] = set()
"""Folders of DataProviders of this process."""


def put_on_path(folder: Path) -> None:
    """Let the modules of a folder of DataProviders, and of its parent, be imported."""
    folder = folder.resolve()
    _folders.add(folder)
    _put_first(folder.parent)
    if str(folder) not in sys.path:  # last, so that a file called as a library does not hide it
        sys.path.append(str(folder))


def _put_first(root: Path) -> None:
    """Put a folder on the import path before all others, but after those of earlier projects.

    What these import later, inside functions, has to be their own.
    """
    if str(root) in sys.path:
        return
    earlier = [sys.path.index(one) for one in _roots if one in sys.path]
    sys.path.insert(max(earlier, default=-1) + 1, str(root))
    _roots.append(str(root))


def package_of(folder: Path) -> str:
    """Return the dotted name of a folder; its root is put on the import path.

    Raises:
        DeclarationError: If the names of all folders above are taken.
    """
    for name, root in _candidates(folder):
        top = name.partition(".")[0]
        if top not in sys.modules or _is_free(root / top):
            _put_first(root)
            return name
    raise DeclarationError(
        f"The modules of {folder} cannot be imported, because other folders are imported under "
        "its name and the names of all folders above; rename it.",
        folder=str(folder),
    )


def check_plain_imports(file: Path, folder: Path) -> None:
    """Check that what a file means by absolute imports is not hidden by another project.

    Those of the modules that it imports are checked, too, once there are several projects.

    Args:
        file: A module of `folder`.
        folder: A folder of DataProviders.

    Raises:
        DeclarationError: If an import means a module beside or below `folder`, and Python finds
            another one.
    """
    name, root = next(_candidates(folder))
    own = root / name.partition(".")[0]
    waiting, seen = [file], {file}
    while waiting:
        importing = waiting.pop()
        for name, place in _meant(importing, folder, own):
            if not _is_free(place) and (place == own or _is_of_project(name)):
                raise DeclarationError(
                    f"{importing} imports {name!r}, which is {place} for its author, but another "
                    "project has been imported under this name here; import it relatively "
                    f"(from . import …), or rename {place.name}.",
                    file=str(file),
                )
            if len(_folders) == 1:
                continue
            found = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
            new = {one for one in found if place != own} - seen
            seen |= new
            waiting += sorted(new)


def _meant(file: Path, folder: Path, own: Path) -> Iterator[tuple[str, Path]]:
    """Yield the names that a file imports absolutely and the modules of its project they mean."""
    for name in _absolute_imports(file, file.stat().st_mtime_ns) - OURS:
        places = [own] if name == own.name else [folder.parent / name, folder / name]
        for place in places:
            if place.is_dir() or place.with_suffix(".py").is_file():
                yield name, place
                break


def _is_of_project(name: str) -> bool:
    """Return whether a module is code of a project, also if it is a package without a file."""
    spec = find_module(name)
    return spec is not None and (is_project_spec(spec) or not spec.has_location)


def _candidates(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield names of a folder with the folder that they are relative to, shortest first."""
    name, root = folder.name, folder.parent
    while (root / "__init__.py").is_file():
        name, root = f"{root.name}.{name}", root.parent
    yield name, root
    while root.name.isidentifier():
        name, root = f"{root.name}.{name}", root.parent
        yield name, root


def _is_free(place: Path) -> bool:
    """Return whether the name of a folder or module is not imported from another place."""
    spec = find_module(place.name)
    if spec is None:
        return True
    if spec.submodule_search_locations is None:
        return spec.origin is not None and Path(spec.origin).resolve() == place.with_suffix(".py")
    # Folders without an ``__init__.py`` are searched together: the first one counts.
    first = next(iter(spec.submodule_search_locations), None)
    return first is not None and Path(first).resolve() == place


@lru_cache(maxsize=1024)
def _absolute_imports(file: Path, changed: int) -> set[str]:  # noqa: ARG001 - is part of the key
    """Return the first parts of what a file, as it was when it was changed, imports absolutely."""
    try:
        tree = parse(file.read_bytes())
    except SyntaxError:  # its import says so
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names
