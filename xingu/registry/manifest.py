"""The manifest of a model package: what it is, where it came from, and a checksum of every file."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from upath import UPath

from xingu.errors import CorruptPackageError
from xingu.files.atomic import sha256_of

MANIFEST = "manifest.json"


class FileRecord(BaseModel):
    """One file of a package."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    bytes: int


class ProviderRecord(BaseModel):
    """Which class the DataProvider is, and whether its module is packaged as `provider.py`."""

    model_config = ConfigDict(frozen=True)

    module: str
    name: str
    code_version: str
    has_source: bool


class Manifest(BaseModel):
    """Everything that is known of a saved Model without loading it."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    dataprovider_id: str
    train_id: str
    train_session_id: str
    run_id: str
    trained: datetime | None
    provider: ProviderRecord
    estimator_class: str | None
    algo_params: dict[str, dict[str, Any]]
    hyperparams_origin: str
    features: dict[str, str]
    estimator_features: list[str]
    target: str | None
    set_rows: dict[str, int]
    provenance: dict[str, Any]
    values: dict[str, str]
    sources: list[dict[str, Any]] = Field(default_factory=list)
    pre_reqs: dict[str, str]
    reference: dict[str, Any] | None = None
    """What features and estimations looked like in training: `xingu.model.reference`."""
    files: dict[str, FileRecord] = Field(default_factory=dict)


def read_manifest(package: UPath) -> Manifest:
    """Return the manifest of the package in a folder.

    Raises:
        CorruptPackageError: If it is not there or cannot be read.
    """
    try:
        return Manifest.model_validate_json((package / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise CorruptPackageError(
            f"{package} is no model package: it has no {MANIFEST}; train again, or name another "
            "train.",
            package=str(package),
        ) from error
    except ValueError as error:
        raise CorruptPackageError(
            f"{package / MANIFEST} cannot be read ({error}); train again, or name another train.",
            package=str(package),
        ) from error


def describe_files(folder: Path) -> dict[str, FileRecord]:
    """Return the checksum and size of every file below `folder`, by relative path."""
    return {
        path.relative_to(folder).as_posix(): FileRecord(
            sha256=sha256_of(UPath(path)), bytes=path.stat().st_size
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def verify(
    package: UPath, manifest: Manifest, wanted: Callable[[str], bool] = lambda _: True
) -> None:
    """Compare every file of `package` that is `wanted` with `manifest`.

    Raises:
        CorruptPackageError: If a file is missing or differs; the message names it.
    """
    for name, expected in manifest.files.items():
        if not wanted(name):
            continue
        path = package.joinpath(*name.split("/"))
        problem = None
        if not path.is_file():
            problem = "is missing"
        elif sha256_of(path) != expected.sha256:
            problem = "is not what was saved (its SHA-256 differs)"
        if problem:
            raise CorruptPackageError(
                f"{package}: {name} {problem}. Nothing of it was loaded; restore the package, or "
                "load another train.",
                package=str(package),
                file=name,
            )
