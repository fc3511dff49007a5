"""Manifest of a model package: ids, parameters, provenance, and a checksum of every file.

`manifest.json` contains its own digest. It is written last, so a package without it is incomplete.
Packages of earlier versions stay readable: new fields need a default, and a change that old readers
cannot ignore needs another `format`.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from upath import UPath

from xingu.errors import CorruptPackageError
from xingu.files.atomic import sha256_of
from xingu.files.sealed import unseal

MANIFEST = "manifest.json"


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


def read_manifest(package: UPath) -> Manifest:
    """Return the manifest of the package in a folder.

    Raises:
        CorruptPackageError: If it is missing or cannot be parsed.
    """
    try:
        return Manifest.model_validate_json(unseal((package / MANIFEST).read_bytes()))
    except FileNotFoundError as error:
        raise CorruptPackageError(
            f"{package} is no model package: it has no {MANIFEST}; train again, or name another "
            "train.",
            package=str(package),
        ) from error
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise CorruptPackageError(
            f"{package / MANIFEST} cannot be read ({reason}); train again, or name another train.",
            package=str(package),
        ) from error


def describe_files(folder: Path) -> dict[str, FileRecord]:
    """Return checksum and size of every file below `folder`, by relative path."""
    return {
        path.relative_to(folder).as_posix(): FileRecord(
            sha256=sha256_of(UPath(path)), bytes=path.stat().st_size
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def damage(
    package: UPath, manifest: Manifest, selected: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, str]]:
    """Compare files of a package with the checksums of its manifest.

    Args:
        package: Folder or URL of the package.
        manifest: Its manifest.
        selected: Whether the file with this relative path is compared.

    Yields:
        Each file that is missing or differs, and which of both.
    """
    for name, expected in manifest.files.items():
        path = package.joinpath(*name.split("/"))
        if not selected(name):
            continue
        if not path.is_file():
            yield name, "is missing"
        elif sha256_of(path) != expected.sha256:
            yield name, "is not what was saved (its SHA-256 differs)"


def verify(
    package: UPath, manifest: Manifest, selected: Callable[[str], bool] = lambda _: True
) -> None:
    """Refuse a package that has any `damage`.

    Raises:
        CorruptPackageError: If a file is missing or differs; the message names it.
    """
    for name, problem in damage(package, manifest, selected):
        raise CorruptPackageError(
            f"{package}: {name} {problem}. Nothing was loaded; restore the package, or load "
            "another train.",
            package=str(package),
            file=name,
        )
