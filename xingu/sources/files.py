"""Read local and remote files into DataFrames.

A remote file is downloaded completely before it is parsed, so that errors of both can be
distinguished. TXT means tab-separated, as for `pandas.read_table`; `params` may override it.
"""

import bz2
import copy
import gzip
import hashlib
import io
import lzma
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.parse import unquote, urlsplit

import pandas as pd

from xingu.errors import MissingFileError, SourceError
from xingu.sources.frames import exact_integers
from xingu.sources.spec import Compression, UrlSource

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
_CHECK_ACCESS = "Check the URL and your access to it"


def read_file(provider_id: str, spec: UrlSource, home: Path) -> pd.DataFrame:
    """Read a file into a frame.

    Args:
        provider_id: Id of the DataProvider, for errors.
        spec: The file.
        home: Folder that relative paths are relative to.

    Raises:
        MissingFileError: If the file does not exist.
        SourceError: If it cannot be accessed, or parsed as its format.
    """
    options = copy.deepcopy(dict(spec.params))
    storage = options.pop("storage_options", None) or {}
    try:
        content = _content(spec, home, storage)
    except Exception as error:  # noqa: BLE001 - raised again
        _raise_source_error(provider_id, spec, error, "cannot be accessed", _CHECK_ACCESS)
    try:
        frame = _parse(spec, content, options)
        if spec.format in ("json", "jsonl"):  # pandas rounds these before it knows the dtype
            return frame
        nullable = {**options, "dtype_backend": "numpy_nullable"}
        return exact_integers(frame, lambda: _parse(spec, content, nullable))
    except Exception as error:  # noqa: BLE001 - raised again
        advice = "Check the file, and `params` of the source"
        _raise_source_error(provider_id, spec, error, f"cannot be read as {spec.format}", advice)


def local_path(url: str, home: Path) -> Path | None:
    """Return the path of a local file; None for any other URL."""
    scheme, colon, rest = url.partition(":")
    if colon and scheme.lower() == "file":
        return home / unquote(urlsplit(url).path if rest.startswith("//") else rest)
    if "://" in url or "::" in url:
        return None
    return home / url


def file_version(provider_id: str, spec: UrlSource, home: Path) -> str:
    """Return a version of the content: size and time or ETag, else a digest.

    Raises:
        MissingFileError: If the file does not exist.
        SourceError: If it cannot be accessed.
    """
    storage = spec.params.get("storage_options") or {}
    try:
        path = local_path(spec.url, home)
        if path is not None:
            status = path.stat()
            return f"{status.st_size} {status.st_mtime_ns}"
        filesystem, remote = _filesystem(spec.url, storage)
        filesystem.invalidate_cache()
        info = filesystem.info(remote)
        names = ("ETag", "Content-MD5", "Digest", "LastModified", "Last-Modified", "mtime")
        facts = [str(info[name]) for name in names if info.get(name)]
        if facts:
            return " ".join([str(info.get("size")), *facts])
        return hashlib.sha256(filesystem.cat_file(remote)).hexdigest()
    except Exception as error:  # noqa: BLE001 - raised again
        _raise_source_error(provider_id, spec, error, "cannot be accessed", _CHECK_ACCESS)


def _content(spec: UrlSource, home: Path, storage: Mapping[str, Any]) -> Path | bytes:
    path = local_path(spec.url, home)
    if path is not None:
        path.stat()
        return path
    filesystem, remote = _filesystem(spec.url, storage)
    return filesystem.cat_file(remote)


def _filesystem(url: str, storage: Mapping[str, Any]) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    options = dict(storage)
    if url.lower().startswith("http"):
        # aiohttp ignores the proxy of the environment by default.
        options["client_kwargs"] = {"trust_env": True, **options.get("client_kwargs", {})}
    return url_to_fs(url, **options)


def _parse(spec: UrlSource, content: Path | bytes, options: dict[str, Any]) -> pd.DataFrame:
    if isinstance(content, Path):
        if spec.format == "parquet" and not spec.compression:
            return pd.read_parquet(content, **options)
        with content.open("rb") as file:
            return _read(spec, file, options, spec.compression)
    compression = spec.compression
    if compression and spec.url.lower().startswith("http"):
        # A .gz file sent with "Content-Encoding: gzip" is decompressed already.
        compression = compression if content.startswith(_MAGIC[compression]) else None
    return _read(spec, io.BytesIO(content), options, compression)


def _read(
    spec: UrlSource, file: IO[bytes], options: dict[str, Any], compression: Compression | None
) -> pd.DataFrame:
    plain: Any = _decompress(file, compression) if compression else file
    if spec.format == "parquet":
        return pd.read_parquet(io.BytesIO(plain.read()) if compression else plain, **options)
    if spec.format == "csv":
        return pd.read_csv(plain, **options)
    if spec.format == "txt":
        return pd.read_table(plain, **options)
    if spec.format == "jsonl":
        options = {"lines": True, **options}
    return pd.read_json(plain, **options)


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


def _raise_source_error(
    provider_id: str, spec: UrlSource, error: Exception, what: str, advice: str
) -> NoReturn:
    """Raise a SourceError for `error`, without its traceback."""
    where = f"{provider_id}: source {spec.name!r}: {spec.label}"
    facts = {"dataprovider_id": provider_id, "source": spec.name, "url": spec.label}
    if isinstance(error, FileNotFoundError):
        raise MissingFileError(
            f"{where} does not exist; correct the URL (a relative path starts at the "
            "project's home) or put the file there.",
            **facts,
        ) from None
    text = f"{type(error).__name__}: {error}"
    no_s3 = isinstance(error, ImportError) and spec.url.startswith("s3")
    missing = " (pip install 'xingu[s3]')" if no_s3 else ""
    raise SourceError(f"{where} {what}: {text}{missing}. {advice}.", **facts) from None
