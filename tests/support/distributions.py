"""Declarations of both pyproject.toml files, read without building anything."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from xingu.extras import OPTIONAL

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Distribution:
    """A distribution of this repository.

    Attributes:
        name: Name of the distribution.
        folder: Folder of its pyproject.toml.
        package: Name of the Python package in it.
    """

    name: str
    folder: Path
    package: str

    @cached_property
    def content(self) -> dict:
        return tomllib.loads((self.folder / "pyproject.toml").read_text())

    @property
    def dependencies(self) -> list[Requirement]:
        hooks = self.content["tool"]["hatch"].get("metadata", {}).get("hooks", {})
        declared = self.content["project"].get("dependencies") or hooks["custom"]["dependencies"]
        return [Requirement(text) for text in declared]

    @property
    def extras(self) -> dict[str, list[Requirement]]:
        extras = self.content["project"]["optional-dependencies"]
        return {name: [Requirement(text) for text in extras[name]] for name in extras}

    def requirements(self) -> Iterator[Requirement]:
        """Yield those of dependencies and extras that users install, but not of the extra `dev`."""
        yield from self.dependencies
        for extra, requirements in self.extras.items():
            if extra != "dev":
                yield from requirements

    def names(self) -> set[str]:
        """Return the names of distributions that it may import."""
        return {canonicalize_name(one.name) for one in self.requirements()}

    @property
    def modules(self) -> list[Path]:
        return sorted((ROOT / self.package).rglob("*.py"))


CORE = Distribution("xingu-core", ROOT / "core", "xingu")
DAGSTER = Distribution("xingu", ROOT, "xingu_dagster")
BOTH = (CORE, DAGSTER)


def build(source: Path, target: Path, kind: str) -> Path:
    """Build a ``wheel`` or an ``sdist`` of the folder `source` into `target`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [archive] = target.iterdir()
    return archive


def rooms_with_an_extra() -> set[str]:
    """Packages that do nothing without the extra of their name."""
    rooms = {name for name in CORE.extras if (ROOT / "xingu" / name / "__init__.py").exists()}
    return rooms - OPTIONAL
