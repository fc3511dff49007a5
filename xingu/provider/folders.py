"""Find the dotted name under which the modules of a folder are imported.

It is the name of the folder, after those of the packages that it lies in. If another folder has
taken that name in this process, the names of folders above come first, so that two projects with
the same names of folders and files can be loaded side by side.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from xingu.errors import DeclarationError
from xingu.provider.project_code import find_module
from xingu.provider.syntax import parse


def package_of(folder: Path) -> str:
    """Return the dotted name of a folder; its root is put on the import path.

    Raises:
        DeclarationError: If the names of all folders above are taken.
    """
    for name, root in _candidates(folder):
        if _is_free(root / name.partition(".")[0]):
            if str(root) not in sys.path:
                sys.path.insert(0, str(root))
            return name
    raise DeclarationError(
        f"The modules of {folder} cannot be imported, because other folders are imported under "
        "its name and the names of all folders above; rename it.",
        folder=str(folder),
    )


def is_own_name(folder: Path, name: str) -> bool:
    """Return whether a name from `package_of` is the one that a folder has without others."""
    return name == next(_candidates(folder))[0]


def check_absolute_imports(file: Path, folder: Path) -> None:
    """Check that what a file imports absolutely is not hidden by another project.

    Args:
        file: A module of `folder`.
        folder: A folder whose own name was taken.

    Raises:
        DeclarationError: If an import means a module beside or below `folder`, and Python finds
            another one.
    """
    for name in _absolute_imports(file):
        for place in (folder.parent / name, folder / name):
            if (place.is_dir() or place.with_suffix(".py").is_file()) and not _is_free(place):
                raise DeclarationError(
                    f"{file} imports {name!r}, which is {place} for its author, but another "
                    "project has been imported under this name here; import it relatively "
                    f"(from . import …), or rename {place.name}.",
                    file=str(file),
                )


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
    return {Path(one).resolve() for one in spec.submodule_search_locations} == {place}


def _absolute_imports(file: Path) -> set[str]:
    """Return the first parts of what a file imports absolutely."""
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
