"""Write the files of a new project, or those that an existing folder lacks.

The files are templates in `xingu_dagster/templates`; ``@name@`` and the like are replaced. A new
folder gets its name once it is complete, and no file is ever replaced.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from xingu.errors import StorageError
from xingu.files.atomic import new_folder, write_once
from xingu.version import __version__
from xingu_dagster.example import for_sale, sold

TEMPLATES = Path(__file__).parent / "templates"
# Names that tools would take for files of this repository.
_RENAMED = {
    "gitignore": ".gitignore",
    "env.example": ".env.example",
    "pyproject.txt": "pyproject.toml",
}
CI_FILES: Mapping[str, tuple[str, str]] = {
    "github": (".github/workflows/train.yml", "github.yml"),
    "gitlab": (".gitlab-ci.yml", "gitlab.yml"),
    "jenkins": ("Jenkinsfile", "Jenkinsfile"),
}
"""File in a project and its template, by name of the service."""
_SOLD, _FOR_SALE = "data/apartments_sold.csv", "data/apartments_for_sale.csv"
_EXAMPLE = ("dataproviders/apartments.py", _SOLD, _FOR_SALE)
_TAKEN = {"xingu", "xingu-core", "dagster"}
"""Distributions that the project depends on, so that its own cannot have their names."""


@dataclass(frozen=True, slots=True)
class Scaffolding:
    """The outcome of `write_project`.

    Attributes:
        folder: Folder of the project.
        location: Name of its code location.
        written: Files that were written, relative to the folder.
        kept: Files that were there before and were not changed.
        example: Whether the example was written; it is not where there are DataProviders.
        hints: What files that were kept lack, a sentence each.
    """

    folder: Path
    location: str
    written: tuple[str, ...]
    kept: tuple[str, ...]
    example: bool
    hints: tuple[str, ...]


def location_name(name: str) -> str:
    """Return the name of a code location for a folder: ASCII letters, digits and ``_``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "project"


def write_project(folder: Path, ci: str | None = None, *, docker: bool = False) -> Scaffolding:
    """Write a project to a new folder, or what an existing folder lacks.

    Args:
        folder: Folder of the project.
        ci: A key of `CI_FILES`: whose workflow file is written; None: none.
        docker: Whether a Dockerfile is written.

    Raises:
        StorageError: If the folder is a file or cannot be written.
        StorageFullError: If the disk is full. In both cases nothing was written.
    """
    folder = Path(folder).resolve()
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file; name a folder.", folder=str(folder))
    location = location_name(folder.name)
    example = not any((folder / "dataproviders").glob("[!_]*.py"))
    files = dict(_files(folder.name, location, ci, docker=docker))
    if not example:
        files = {name: text for name, text in files.items() if name not in _EXAMPLE}
    kept = tuple(name for name in files if (folder / name).exists())
    hints = tuple(_hints(folder, files)) if kept else ()
    if folder.exists():
        written = tuple(_add(folder, files))
    else:
        with new_folder(UPath(folder.parent), folder.name) as target:
            written = tuple(_add(Path(str(target)), files))
    return Scaffolding(folder, location, written, kept, example, hints)


def _files(name: str, location: str, ci: str | None, *, docker: bool) -> Iterator[tuple[str, str]]:
    """Yield path and content of all files of a project."""
    distribution = location.replace("_", "-").lower()
    values = {
        "name": name,
        "location": location,
        "distribution": f"{distribution}-project" if distribution in _TAKEN else distribution,
        "version": __version__,
    }

    def text(template: Path) -> str:
        content = template.read_text("utf-8")
        return re.sub(f"@({'|'.join(values)})@", lambda at: values[at[1]], content)

    root = TEMPLATES / "project"
    for template in sorted(root.rglob("*")):
        if template.is_file() and template.suffix != ".pyc":
            path = template.relative_to(root).as_posix()
            yield _RENAMED.get(path, path), text(template)
    yield _SOLD, sold()
    yield _FOR_SALE, for_sale()
    if ci is not None:
        path, template_name = CI_FILES[ci]
        yield path, text(TEMPLATES / "ci" / template_name)
    if docker:
        yield "Dockerfile", text(TEMPLATES / "docker" / "Dockerfile")
        yield ".dockerignore", text(TEMPLATES / "docker" / "dockerignore")


def _add(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write the files that do not exist; if one cannot be written, remove the others again."""
    written: list[str] = []
    try:
        for name, text in files.items():
            if not (folder / name).exists() and write_once(UPath(folder / name), text.encode()):
                written.append(name)
    except BaseException:
        for name in written:
            (folder / name).unlink(missing_ok=True)
        raise
    return written


def _hints(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Yield what the existing pyproject.toml and .gitignore of a folder lack."""
    pyproject, ignored = folder / "pyproject.toml", folder / ".gitignore"
    if pyproject.is_file():
        text = pyproject.read_text("utf-8", errors="replace")
        lacking = [name for name in ("tool.dagster", "tool.dg") if f"[{name}]" not in text]
        if lacking:
            tables = " and ".join(f"[{name}]" for name in lacking)
            yield f"pyproject.toml has no {tables}; for `dg`, add what a new project has there."
    if ignored.is_file():
        lines = {line.strip(" /\r") for line in ignored.read_text("utf-8", "replace").splitlines()}
        needed = [one for one in files[".gitignore"].splitlines() if one and one[0] != "#"]
        missing = [one for one in needed if one.strip(" /") not in lines]
        if missing:
            yield f".gitignore lacks {' '.join(missing)}"
