"""Manifest of a model package: ids, parameters, provenance, and a checksum of every file.

`manifest.json` contains its own digest. It is written last, so a package without it is incomplete.
Ids and names of files in it cannot lead out of the folder of the package. Packages of earlier
versions stay readable: new fields need a default, and a change that old readers cannot ignore needs
another `format`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from upath import UPath

from xingu.errors import CorruptPackageError, StorageError, text_of
from xingu.files.atomic import read_small_file, sha256_of
from xingu.files.sealed import reason_of, unseal
from xingu.names import key_part

MANIFEST, SIGNATURE, VERDICT = "manifest.json", "signature.json", "verdict.json"
UNLISTED = (SIGNATURE, VERDICT)
"""Files beside the manifest that it cannot list, because they are made from it; see `signing`."""


class FileRecord(BaseModel):
    """Checksum and size of one file of a package."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    bytes: int


class ProviderRecord(BaseModel):
    """Class of the DataProvider.

    Attributes:
        module: Its module.
        name: Its qualified name.
        code_version: Hash of its code at the time of the train; see `provider.code_version`.
        has_source: Whether the package holds its code.
    """

    model_config = ConfigDict(frozen=True)

    module: str
    name: str
    code_version: str
    has_source: bool


class Manifest(BaseModel):
    """Description of a saved Model, readable without loading the Model.

    Attributes:
        format: Version of the layout of the package.
        dataprovider_id: Id of the DataProvider.
        train_id: Id of the train.
        train_session_id: Id of its session.
        run_id: Id of the run that trained it.
        trained: Time of the fit (UTC).
        provider: Class of the DataProvider.
        estimator_class: Dotted name of the Estimator; None for a hollow DataProvider.
        algorithm: Name of the algorithm; of a wrapper, with the one that it wraps.
        algo_params: `params` and `hyperparams` of the Estimator.
        hyperparams_origin: Origin of the hyperparameters; see `tuning.resolve.Hyperparameters`.
        features: Dtypes of the features of the outside world, by name.
        estimator_features: Features of the Estimator, in order.
        target: Column of the target.
        set_rows: Number of rows of each set.
        classes: Labels of a classifier, empty for others; labels that JSON lacks are texts. None:
            the package is older than this field.
        estimated_class: Position in `classes` of the class that estimations and metrics are of.
        provenance: Fields of `xingu.model.provenance.Provenance`.
        values: Ids of the stored values that it was trained on, by asset key.
        sources: Fields of `xingu.records.SourceRecord` of each source.
        pre_reqs: The `train_id` of each prerequisite, whose package is below `pre_reqs/`.
        scores: Built-in metrics of the evaluation set by set and name, the main one first.
        reference: Distributions of features and estimations; see `xingu.model.reference`.
        files: Checksum and size of each file, by relative path.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    dataprovider_id: str
    train_id: str
    train_session_id: str
    run_id: str
    trained: datetime | None
    provider: ProviderRecord
    estimator_class: str | None
    algorithm: str | None = None
    algo_params: dict[str, dict[str, Any]]
    hyperparams_origin: str
    features: dict[str, str]
    estimator_features: list[str]
    target: str | None
    set_rows: dict[str, int]
    classes: list[bool | int | float | str] | None = None
    estimated_class: int | None = None
    provenance: dict[str, Any]
    values: dict[str, str]
    sources: list[dict[str, Any]] = Field(default_factory=list)
    pre_reqs: dict[str, str]
    scores: dict[str, dict[str, float]] = Field(default_factory=dict)
    reference: dict[str, Any] | None = None
    files: dict[str, FileRecord] = Field(default_factory=dict)

    @property
    def sampled(self) -> bool:
        """Whether it was trained on samples of its sources, so that it never becomes current."""
        return bool(self.provenance.get("sample_rows"))

    @field_validator("train_id")
    @classmethod
    def _inside_trains(cls, train_id: str) -> str:
        return _require_inside(train_id, folders=False)

    @field_validator("pre_reqs")
    @classmethod
    def _trains_inside(cls, pre_reqs: dict[str, str]) -> dict[str, str]:
        for train_id in pre_reqs.values():
            _require_inside(train_id, folders=False)
        return pre_reqs

    @field_validator("files")
    @classmethod
    def _files_inside(cls, files: dict[str, FileRecord]) -> dict[str, FileRecord]:
        for name in files:
            if _require_inside(name) in (MANIFEST, *UNLISTED):
                raise ValueError(f"{name} cannot be listed in it")
        return files


def _require_inside(name: str, *, folders: bool = True) -> str:
    """Return the name of a file or folder, if every platform takes it as one below a folder."""
    parts = name.split("/") if folders else [name]
    if any(part in ("", ".", "..") or re.search(r"[/\\\0]|^[A-Za-z]:", part) for part in parts):
        raise ValueError(f"{name!r} leads out of the folder of the package")
    return name


def read_manifest(package: UPath) -> Manifest:
    """Return the manifest of the package in a folder.

    Raises:
        CorruptPackageError: If it is missing or cannot be parsed.
        StorageError: If the storage refuses to read it.
    """
    return parse_manifest(package, manifest_bytes(package))


def manifest_bytes(package: UPath) -> bytes:
    """Return the content of the manifest of a package; see `read_manifest`."""
    try:
        return read_small_file(package / MANIFEST)
    except FileNotFoundError as error:
        raise CorruptPackageError(
            f"{package} is no model package: it has no {MANIFEST}; train again, or name another "
            "train.",
            package=str(package),
        ) from error
    except Exception as error:  # storages raise errors of their own
        raise unreadable(MANIFEST, error).error(package) from error


def parse_manifest(package: UPath, data: bytes) -> Manifest:
    """Return the manifest with this content.

    Raises:
        CorruptPackageError: If it cannot be parsed, or a name in it leads out of the package.
    """
    try:
        return Manifest.model_validate_json(unseal(data))
    except ValueError as error:
        raise CorruptPackageError(
            f"{package / MANIFEST} cannot be read ({reason_of(error)}); train again, or name "
            "another train.",
            package=str(package),
        ) from error


def require_train(manifest: Manifest, package: UPath, dp_id: str, train_id: str) -> Manifest:
    """Return the manifest of a package, unless it is that of another train.

    Raises:
        CorruptPackageError: If it is that of another train.
    """
    if (key_part(manifest.dataprovider_id), manifest.train_id) != (key_part(dp_id), train_id):
        raise CorruptPackageError(
            f"{package / MANIFEST} is that of {manifest.dataprovider_id}/{manifest.train_id}; "
            "restore the package, or name another train.",
            package=str(package),
        )
    return manifest


def describe_files(folder: Path) -> dict[str, FileRecord]:
    """Return checksum and size of every file below `folder`, by relative path."""
    return {
        path.relative_to(folder).as_posix(): FileRecord(
            sha256=sha256_of(UPath(path)), bytes=path.stat().st_size
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass(frozen=True, slots=True)
class Fault:
    """A defect of one file of a package.

    Attributes:
        file: Its relative path.
        problem: What is wrong, in words that follow the name of the file.
        unreadable: Whether it could not be read, so it may be undamaged.
    """

    file: str
    problem: str
    unreadable: bool = False

    def error(self, package: UPath) -> StorageError:
        """Return the exception that refuses the package."""
        facts = {"package": str(package), "file": self.file}
        if self.unreadable:
            return StorageError(f"{package}: {self.file} {self.problem}", **facts)
        return CorruptPackageError(
            f"{package}: {self.file} {self.problem}. Nothing was loaded; restore the package, or "
            "load another train.",
            **facts,
        )


def missing(file: str) -> Fault:
    """Return the fault of a file that is not there."""
    return Fault(file, "is missing")


def different(file: str) -> Fault:
    """Return the fault of a file with other content."""
    return Fault(file, "is not what was saved (its SHA-256 differs)")


def unreadable(file: str, error: Exception) -> Fault:
    """Return the fault of a file whose reading raised an error of the storage."""
    if isinstance(error, PermissionError):
        problem = (
            f"may not be read: the storage refused it ({text_of(error)}). Check the credentials "
            "of this process, and their permissions to read and to list this folder (without the "
            "second, S3 also refuses files that do not exist)."
        )
    else:
        problem = (
            f"cannot be read ({type(error).__name__}: {text_of(error)}). Check that the storage "
            "can be reached, and try again."
        )
    return Fault(file, problem, unreadable=True)


@contextmanager
def reading(package: UPath, file: str) -> Iterator[None]:
    """Convert what reading a file of a package raises.

    Raises:
        CorruptPackageError: If the file is missing.
        StorageError: If it cannot be read.
    """
    try:
        yield
    except StorageError:
        raise
    except FileNotFoundError as error:
        raise missing(file).error(package) from error
    except Exception as error:  # storages raise errors of their own
        raise unreadable(file, error).error(package) from error


def faults(
    package: UPath, manifest: Manifest, selected: Callable[[str], bool] = lambda _: True
) -> Iterator[Fault]:
    """Compare files of a package with the checksums of its manifest.

    Args:
        package: Folder or URL of the package.
        manifest: Its manifest.
        selected: Whether the file with this relative path is compared.

    Yields:
        Each file that is missing, differs or cannot be read.
    """
    for name, expected in manifest.files.items():
        if not selected(name):
            continue
        try:
            digest = sha256_of(file_of(package, name))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            yield missing(name)
        except Exception as error:  # noqa: BLE001 - storages raise errors of their own
            yield unreadable(name, error)
        else:
            if digest != expected.sha256:
                yield different(name)


def file_of(package: UPath, name: str) -> UPath:
    """Return the path of a file of a package."""
    return package.joinpath(*name.split("/"))


def verify(
    package: UPath, manifest: Manifest, selected: Callable[[str], bool] = lambda _: True
) -> None:
    """Refuse a package with any of `faults`.

    Raises:
        CorruptPackageError: If a file is missing or differs; the message names it.
        StorageError: If one cannot be read.
    """
    for fault in faults(package, manifest, selected):
        raise fault.error(package)
