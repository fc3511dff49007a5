"""Read local and remote files, folders and patterns into frames.

A remote file is downloaded completely before it is parsed, so that errors of both can be
distinguished; only folders of parquet files are read in parts. TXT means tab-separated, as for
`pandas.read_table`; `params` may override it.
"""

import bz2
import copy
import gzip
import hashlib
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd

from xingu.errors import MissingFileError, SourceError
from xingu.masking import masked
from xingu.records import Observed
from xingu.sources.addresses import (
    DIGEST,
    FoundFile,
    Place,
    digest_of_content,
    find_files,
    is_web,
    resolve,
    stated_version,
)
from xingu.sources.combine import concatenate, read_parquet_folder
from xingu.sources.delimited import read_delimited
from xingu.sources.exact import with_exact_integers
from xingu.sources.json_text import read_json
from xingu.sources.retrying import transient_facts
from xingu.sources.spec import Compression, UrlSource, compression_of

_MAGIC: Mapping[Compression, bytes] = {
    "gz": b"\x1f\x8b",
    "bz2": b"BZh",
    "xz": b"\xfd7zXZ",
    "zst": b"\x28\xb5\x2f\xfd",
    "zip": b"PK",
}
_OPENERS: Mapping[Compression, Callable[[IO[bytes]], Any]] = {
    "gz": gzip.open,
    "bz2": bz2.open,
    "xz": lzma.open,
}


def read_file(provider_id: str, spec: UrlSource, home: Path) -> tuple[pd.DataFrame, Observed]:
    """Read a file into a frame, or all files of a folder or a pattern into one.

    Args:
        provider_id: Id of the DataProvider, for errors.
        spec: The file.
        home: Folder that relative paths are relative to.

    Returns:
        The frame, and what `observe_file` would have returned before it was read.

    Raises:
        MissingFileError: If there is no such file.
        SourceError: If a file cannot be accessed, or parsed as its format, or if the files do not
            have the same columns.
    """
    source = _Source(provider_id, spec)
    options = copy.deepcopy(dict(spec.params))
    place, found = source.find(home, options.pop("storage_options", None) or {})
    versions = _stated(source, place, found)
    if found[0].name and spec.format == "parquet":
        folder = found[0].path.removesuffix(found[0].name)
        with source.accessing():
            observed = _observed(place, found, versions)
        with source.reading():
            frame = read_parquet_folder(place.files, folder, [one.name for one in found], options)
            return frame, observed
    frames: dict[str, pd.DataFrame] = {}
    for one in found:
        with source.accessing(one.name):
            content = _content(place, one)
        if isinstance(content, bytes) and versions[one.name] is None:
            versions[one.name] = digest_of_content(content)
        with source.reading(one.name):
            frames[one.name] = _parse(source, content, one.name, options)
    with source.reading():
        frame = concatenate(frames) if len(frames) > 1 else frames[found[0].name]
    return frame, _observed(place, found, versions)


def observe_file(provider_id: str, spec: UrlSource, home: Path) -> Observed:
    """Observe the content of all files: ETag, or size and time, else a digest of the content.

    Raises:
        MissingFileError: If there is no such file.
        SourceError: If a file cannot be accessed.
    """
    source = _Source(provider_id, spec)
    place, found = source.find(home, spec.params.get("storage_options") or {})
    versions = _stated(source, place, found)
    with source.accessing():
        return _observed(place, found, versions)


def _stated(source: "_Source", place: Place, found: Sequence[FoundFile]) -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for one in found:
        with source.accessing(one.name):
            versions[one.name] = stated_version(place, one)
    return versions


def _observed(
    place: Place, found: Sequence[FoundFile], versions: Mapping[str, str | None]
) -> Observed:
    """Return the observation of files; the content of those without a version is hashed."""
    whole = [
        (one.name, versions[one.name] or digest_of_content(place.files.cat_file(one.path)))
        for one in found
    ]
    how = "content" if any(version.startswith(DIGEST) for _, version in whole) else "file"
    facts = whole if found[0].name else whole[0][1]
    return Observed(hashlib.sha256(repr(facts).encode()).hexdigest(), how=how)


def look_at_file(spec: UrlSource, home: Path) -> None:
    """Look whether there is a file, and whether it can be read, without reading it.

    Args:
        spec: The file; errors name its address only.
        home: Folder that relative paths are relative to.

    Raises:
        MissingFileError: If there is none.
        SourceError: If the first one cannot be accessed.
    """
    source = _Source("", spec)
    place, found = source.find(home, spec.params.get("storage_options") or {})
    first = found[0]
    with source.accessing(first.name):
        if place.is_local:
            Path(first.path).open("rb").close()
        elif not first.info:
            place.files.info(first.path)


def _hidden_by(error: FileNotFoundError) -> Exception | None:
    """Return what fsspec reports as a missing page: no answer of a server, or a refusal."""
    cause = error.__cause__
    missing = getattr(cause, "status", None) in (404, 410)
    return None if missing or not isinstance(cause, Exception) else cause


@dataclass(frozen=True, slots=True)
class _Source:
    """A source, for errors that name it; `name` is that of a file in a folder."""

    provider_id: str
    spec: UrlSource

    def where(self, name: str) -> str:
        address = f"{self.spec.label}: {name}" if name else self.spec.label
        if not self.provider_id:
            return address
        return f"{self.provider_id}: source {self.spec.name!r}: {address}"

    def find(self, home: Path, storage: Mapping[str, Any]) -> tuple[Place, list[FoundFile]]:
        with self.accessing():
            place = resolve(self.spec.url, home, storage)
            return place, find_files(place)

    @contextmanager
    def accessing(self, name: str = "") -> Iterator[None]:
        """Raise errors of the storage as SourceError."""
        try:
            yield
        except FileNotFoundError as error:
            real = _hidden_by(error) if is_web(self.spec.url) else None
            if real is not None:
                raise self._refused(real, self.where(name)) from None
            pattern = "*" in self.spec.url and not is_web(self.spec.url)
            what = "matches no file" if pattern else "does not exist"
            raise MissingFileError(
                f"{self.where(name)} {what}; correct the URL (a relative path starts at the "
                "project's home) or put the file there.",
                **self._facts(),
            ) from None
        except Exception as error:  # noqa: BLE001 - raised again
            raise self._refused(error, self.where(name)) from None

    @contextmanager
    def reading(self, name: str = "") -> Iterator[None]:
        """Raise errors of the parser as SourceError."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again
            what = f"{self.where(name)} cannot be read as {self.spec.format}"
            advice = "Check the file, and `params` of the source"
            raise self._error(error, what, advice) from None

    def _refused(self, error: Exception, where: str) -> SourceError:
        """Return the error of a storage that does not give the file."""
        advice = "Check the URL and your access to it"
        if isinstance(error, PermissionError) or getattr(error, "status", None) in (401, 403):
            advice = (
                "The storage forbids it: check the credentials of this process, and their "
                "permissions to read and to list there"
            )
        return self._error(error, f"{where} cannot be accessed", advice)

    def _error(self, error: Exception, what: str, advice: str) -> SourceError:
        """Return an error without the secrets and the traceback of `error`."""
        kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
        no_s3 = isinstance(error, ImportError) and self.spec.url.startswith("s3")
        missing = " (pip install 'xingu[s3]')" if no_s3 else ""
        text = masked(f"{kind}{error}")
        facts = {**self._facts(), **transient_facts(error)}
        return SourceError(f"{what}: {text}{missing}. {advice}.", **facts)

    def _facts(self) -> dict[str, Any]:
        facts = {"dataprovider_id": self.provider_id, "source": self.spec.name}
        return {**facts, "url": self.spec.label}


def _content(place: Place, found: FoundFile) -> Path | bytes:
    if not place.is_local:
        return place.files.cat_file(found.path)
    path = Path(found.path)
    path.stat()
    return path


def _parse(
    source: _Source, content: Path | bytes, name: str, options: Mapping[str, Any]
) -> pd.DataFrame:
    spec = source.spec
    compression = compression_of(name) if name and not spec.compression else spec.compression
    if isinstance(content, Path):
        if spec.format == "parquet" and not compression:
            return _read_parquet(content, options)
        opened: IO[bytes] = content.open("rb")
    else:
        if compression and is_web(spec.url) and not content.startswith(_MAGIC[compression]):
            compression = None  # a .gz file sent with "Content-Encoding: gzip" is decompressed
        opened = io.BytesIO(content)
    with opened as file:
        plain: Any = _decompress(file, compression) if compression else file
        if spec.format == "parquet":
            return _read_parquet(io.BytesIO(plain.read()), options)
        if spec.format in ("json", "jsonl"):
            lines = {"lines": True} if spec.format == "jsonl" else {}
            return read_json(plain.read(), {**lines, **options})
        read = pd.read_csv if spec.format == "csv" else pd.read_table
        return read_delimited(plain, read, options, source.where(name))


def _read_parquet(file: Path | IO[bytes], options: Mapping[str, Any]) -> pd.DataFrame:
    def reread(columns: list[Any]) -> pd.DataFrame:
        nullable = {"columns": columns, "dtype_backend": "numpy_nullable"}
        return pd.read_parquet(file, **{**options, **nullable})

    return with_exact_integers(pd.read_parquet(file, **options), reread)


def _decompress(file: IO[bytes], compression: Compression) -> IO[bytes]:
    if compression in _OPENERS:
        return _OPENERS[compression](file)
    if compression == "zst":
        import pyarrow as pa

        return io.BytesIO(pa.CompressedInputStream(file, "zstd").read())
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise ValueError(f"the archive has {len(names)} files; it must have one")
    return archive.open(names[0])
