"""Copy model packages between folders and object storages.

Files are streamed in pieces of `CHUNK` bytes, several files at a time, and their SHA-256 is
computed meanwhile: a file whose content differs from the manifest never appears at the target.
Between folders of the same S3 account the storage copies, and the copy is read to verify it. The
manifest is written last, so a copy that was interrupted is no package; repeating it copies only
what is missing or differs. Processes that copy the same package at once write the same files.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock

from upath import UPath

from xingu.errors import CorruptPackageError, StorageError, XinguError, text_of
from xingu.files.atomic import (
    CHUNK,
    chunks_of,
    new_file,
    read_small_file,
    sha256_of,
    write_atomically,
)
from xingu.registry.manifest import (
    MANIFEST,
    UNLISTED,
    FileRecord,
    Manifest,
    different,
    file_of,
    manifest_bytes,
    missing,
    parse_manifest,
    reading,
    unreadable,
)

WORKERS = 4
"""Number of files that are copied at the same time."""
_S3 = ("s3", "s3a")
_ABSENT = (FileNotFoundError, IsADirectoryError, NotADirectoryError)

Report = Callable[[int], None]
"""Is told a number of bytes that were copied, or found at the target."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """Result of a copy.

    Attributes:
        files: Number of files that were copied.
        bytes: Their size.
        skipped: Number of files that were at the target already.
    """

    files: int
    bytes: int
    skipped: int


def copy_package(
    source: UPath,
    target: UPath,
    manifest: Manifest,
    *,
    workers: int = WORKERS,
    on_bytes: Report | None = None,
) -> Transferred:
    """Copy the files that a manifest lists, the signature if there is one, and the manifest last.

    Args:
        source: Folder or URL of the package.
        target: Folder or URL of the copy, which may hold parts of it.
        manifest: The manifest of `source`.
        workers: Number of files that are copied at the same time, from 1.
        on_bytes: Called with numbers of bytes, whenever some were copied or found at the target;
            from several threads, one call at a time.

    Raises:
        CorruptPackageError: If a file of `source` is missing or differs from the manifest.
        StorageError: If a file cannot be read or written, or `target` is another package.
        StorageFullError: If the target is full.
    """
    data = manifest_bytes(source)
    if parse_manifest(source, data).files != manifest.files:
        raise different(MANIFEST).error(source)
    complete = _has_manifest(target, data)
    copied = copy_files(source, target, manifest.files, workers=workers, on_bytes=on_bytes)
    for name in UNLISTED:
        try:
            with reading(source, name):
                content = read_small_file(source / name)
        except CorruptPackageError:  # there is none
            continue
        write_atomically(target / name, content)
    if not complete:
        write_atomically(target / MANIFEST, data)
    return copied


def copy_files(
    source: UPath,
    target: UPath,
    files: Mapping[str, FileRecord],
    *,
    workers: int = WORKERS,
    on_bytes: Report | None = None,
) -> Transferred:
    """Copy files of a package, and verify them; see `copy_package`.

    Args:
        source: Folder or URL of the package.
        target: Folder or URL of the copy.
        files: The files by relative path.
        workers: Number of files that are copied at the same time, from 1.
        on_bytes: See `copy_package`.
    """
    lock = Lock()

    def report(size: int) -> None:
        with lock:
            if on_bytes:
                on_bytes(size)

    copy = partial(_copy_file, source, target, report)
    if workers == 1 or len(files) == 1:
        copied = [copy(name, record) for name, record in files.items()]
    else:
        with ThreadPoolExecutor(workers) as pool:
            pending = [pool.submit(copy, name, record) for name, record in files.items()]
            try:
                copied = [one.result() for one in pending]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    sizes = [record.bytes for record, new in zip(files.values(), copied, strict=True) if new]
    return Transferred(len(sizes), sum(sizes), len(files) - len(sizes))


def _has_manifest(target: UPath, data: bytes) -> bool:
    """Return whether the target has this manifest already.

    Raises:
        StorageError: If it has that of another package, which processes may be reading.
    """
    try:
        found = read_small_file(target / MANIFEST)
    except _ABSENT:
        return False
    except Exception as error:  # storages raise errors of their own
        raise unreadable(MANIFEST, error).error(target) from error
    if found == data:
        return True
    try:
        parse_manifest(target, found)
    except CorruptPackageError:  # no process can read it, so it is replaced
        return False
    raise StorageError(
        f"{target} has another package of the same name, and packages never change: remove that "
        "folder, or train again.",
        package=str(target),
    )


def _copy_file(source: UPath, target: UPath, report: Report, name: str, record: FileRecord) -> bool:
    """Copy one file; return False if it was at the target already."""
    copy = file_of(target, name)
    if _is_copied(target, name, record):
        report(record.bytes)
        return False
    try:
        if _is_same_account(source, target):
            _copy_within(source, name, record, copy)
            report(record.bytes)
        else:
            _stream(_verified_chunks(source, name, record, report), record, copy)
    except XinguError:
        raise
    except Exception as error:  # storages raise errors of their own
        raise StorageError(
            f"{copy} cannot be written ({type(error).__name__}: {text_of(error)}). Check that the "
            "storage can be reached, and try again: what was copied is kept.",
            package=str(target),
            file=name,
        ) from error
    return True


def _is_copied(target: UPath, name: str, record: FileRecord) -> bool:
    path = file_of(target, name)
    try:
        return path.stat().st_size == record.bytes and sha256_of(path) == record.sha256
    except _ABSENT:
        return False
    except Exception as error:  # storages raise errors of their own
        raise unreadable(name, error).error(target) from error


def _is_same_account(source: UPath, target: UPath) -> bool:
    """Return whether S3 can copy from `source` to `target` itself."""
    options = [
        {name: value for name, value in one.storage_options.items() if name != "use_listings_cache"}
        for one in (source, target)
    ]
    return source.protocol in _S3 and target.protocol in _S3 and options[0] == options[1]


def _copy_within(source: UPath, name: str, record: FileRecord, copy: UPath) -> None:
    try:
        copy.fs.cp_file(file_of(source, name).path, copy.path)
    except FileNotFoundError as error:
        raise missing(name).error(source) from error
    except PermissionError as error:
        raise StorageError(
            f"{source}: {name} may not be copied to {copy}: the storage refused it "
            f"({text_of(error)}). Check the permissions to read the one and to write the other.",
            package=str(source),
            file=name,
        ) from error
    if sha256_of(copy) != record.sha256:
        copy.unlink(missing_ok=True)
        raise different(name).error(source)


def _verified_chunks(
    source: UPath, name: str, record: FileRecord, report: Report
) -> Iterator[bytes]:
    """Yield the content of a file of a package.

    Raises:
        CorruptPackageError: Instead of ending, if it is not what the manifest says.
    """
    digest, left = hashlib.sha256(), record.bytes
    chunks = chunks_of(file_of(source, name))
    while True:
        with reading(source, name):
            chunk = next(chunks, b"")
        digest.update(chunk)
        left -= len(chunk)
        if left < 0 or (not chunk and (left or digest.hexdigest() != record.sha256)):
            raise different(name).error(source)
        if not chunk:
            return
        yield chunk
        report(len(chunk))


def _stream(chunks: Iterator[bytes], record: FileRecord, copy: UPath) -> None:
    if record.bytes < CHUNK:
        write_atomically(copy, *chunks)
        return
    with new_file(copy, record.bytes) as file:
        for chunk in chunks:
            file.write(chunk)
