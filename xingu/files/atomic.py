"""Write files and folders atomically, on a local disk or in object storage.

On a local disk, bytes are written to a scratch file in the target folder, whose name begins with a
dot and ends with ``.tmp``, which is then renamed; object storage shows an object once it is
complete. A function returns when the file, its name and its folders are on the disk (fsync), so
that what is reported afterwards survives a power failure too.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from upath import UPath

from xingu.errors import StorageError
from xingu.files.remote import with_retries
from xingu.files.write_errors import storage_errors

CHUNK = 8 * 2**20
"""Number of bytes of a large file that are in memory at a time."""
_PARTS = 9_000
"""Number of parts of an upload; S3 takes 10,000."""
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)
"""Errors of file systems that have no fsync of folders."""
_LOCAL_PROTOCOLS = ("", "file", "local")
_SCRATCH = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
ABANDONED_SECONDS = 24 * 3600
"""Age of the newest change, in seconds, after which a scratch file counts as abandoned."""


def local_path(path: UPath) -> Path | None:
    """Return `path` as a path of the local disk; None for any other storage."""
    return Path(path.path) if path.protocol in _LOCAL_PROTOCOLS else None


def storage_root(folder: str | UPath) -> UPath:
    """Return `folder` without a cache of listings, because other processes write to it.

    Requests to S3 are repeated as `xingu.files.remote` says.

    Raises:
        StorageError: If it is or lies below a file, or its name is too long.
    """
    path = UPath(folder)
    if local := local_path(path):
        _require_folder(local)
    if path.protocol in (*_LOCAL_PROTOCOLS, "memory"):
        return path
    options = {**path.storage_options, "use_listings_cache": False}
    return UPath(str(path), **with_retries(path.protocol, options))


def _require_folder(path: Path) -> None:
    try:
        existing = next((one for one in (path, *path.parents) if one.exists()), None)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be used ({error.strerror}); name another folder.", folder=str(path)
        ) from error
    if existing is not None and not existing.is_dir():
        raise StorageError(
            f"{path} cannot be a folder, because {existing} is a file; name another folder.",
            folder=str(path),
        )


def sha256_of(path: UPath) -> str:
    """Return the SHA-256 of a file in hexadecimal; the file is read in chunks."""
    digest = hashlib.sha256()
    for chunk in chunks_of(path):
        digest.update(chunk)
    return digest.hexdigest()


def chunks_of(path: UPath) -> Iterator[bytes]:
    """Yield the content of a file in pieces of `CHUNK` bytes, the last one shorter."""
    # By default s3fs keeps 50 MB of each open file.
    options = {} if local_path(path) else {"block_size": CHUNK, "cache_type": "none"}
    with path.open("rb", **options) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def read_small_file(path: UPath) -> bytes:
    """Return the content of a file, with one request where `UPath.read_bytes` sends two.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if local := local_path(path):
        return local.read_bytes()
    try:
        # With a start, s3fs asks for no size first.
        return path.fs.cat_file(path.path, start=0)  # type: ignore[return-value]
    except FileNotFoundError:
        raise
    except OSError:  # S3 has no range of an empty object
        return path.read_bytes()


def write_atomically(path: UPath, *data: bytes) -> None:
    """Write `data` to `path`, replacing an existing file.

    Concurrent readers see the previous content or all of `data`.

    Args:
        path: File to write; missing parent folders are created.
        data: Chunks of the content, in order.

    Raises:
        StorageFullError: If the storage is full; `path` is unchanged.
    """
    with storage_errors(f"writing {path.name}", path.parent):
        local = local_path(path)
        if local is None:
            path.write_bytes(b"".join(data))
            return
        _make_folder(local.parent)
        scratch = _scratch_path(local)
        try:
            with scratch.open("wb") as file:
                file.writelines(data)
            _sync(scratch)
            scratch.replace(local)
            _sync(local.parent)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise


@contextmanager
def new_file(path: UPath, size: int) -> Iterator[Any]:
    """Yield a binary file to write to, which appears at `path` when the block ends.

    If the block raises, `path` is unchanged. Object storage gets the file in parts while it is
    written; `write_atomically` is faster for files below `CHUNK`.

    Args:
        path: The file; missing parent folders are created, and an existing file is replaced.
        size: Expected size in bytes.

    Raises:
        StorageFullError: If the storage is full.
        StorageError: If the storage may not be written.
    """
    local = local_path(path)
    writing = _uploaded(path, size) if local is None else _scratch_file(local)
    with storage_errors(f"writing {path.name}", path.parent), writing as file:
        yield file


@contextmanager
def _scratch_file(path: Path) -> Iterator[Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = _scratch_path(path)
    try:
        with scratch.open("wb") as file:
            yield file
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


@contextmanager
def _uploaded(path: UPath, size: int) -> Iterator[Any]:
    block = max(CHUNK, size // _PARTS)
    file: Any = path.fs.open(path.path, "wb", block_size=block, autocommit=False)
    try:
        yield file
        file.close()  # sends the last part
        file.commit()
    except BaseException:
        file.discard()
        file.closed = True  # so that the garbage collector does not send what is left
        raise


def write_once(path: UPath, data: bytes) -> bool:
    """Write `data` to `path` unless it exists.

    Of several concurrent processes, exactly one succeeds.

    Returns:
        Whether the file was written.

    Raises:
        StorageFullError: If the storage is full; `path` does not exist.
    """
    with storage_errors(f"writing {path.name}", path.parent):
        local = local_path(path)
        if local:
            _make_folder(local.parent)
        try:
            if local is None:
                path.fs.pipe_file(path.path, data, mode="create")
            else:
                _link(local, data)
        except FileExistsError:
            return False
        return True


def _link(path: Path, data: bytes) -> None:
    scratch = _scratch_path(path)
    try:
        scratch.write_bytes(data)
        _sync(scratch)
        path.hardlink_to(scratch)  # unlike a rename, this fails if `path` exists
    finally:
        scratch.unlink(missing_ok=True)
    _sync(path.parent)


def _make_folder(folder: Path) -> None:
    """Create a folder and its parents, if they are missing."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        _sync(one.parent)


def _sync(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_file():
            raise
        return  # some platforms do not open folders
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC or path.is_file():
            raise
    finally:
        os.close(descriptor)


def children(folder: UPath) -> Iterable[UPath]:
    """Return the entries of a folder without hidden ones; none if there is no such folder."""
    try:
        return [child for child in folder.iterdir() if not child.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def remove_folder(folder: UPath) -> None:
    """Remove a folder and its content, if it exists."""
    local = local_path(folder)
    if local is not None:
        shutil.rmtree(local, ignore_errors=True)
    elif files := _files_below(folder):
        folder.fs.rm(sorted(files))


def leftovers(root: UPath) -> list[UPath]:
    """Return scratch files and folders of killed processes below a local folder, sorted.

    A folder in which any file has changed within `ABANDONED_SECONDS` is not returned: a process
    may still write it. Object storage has no scratch files.
    """
    local = local_path(root)
    found: list[UPath] = []
    for folder, folders, files in os.walk(local) if local else ():
        scratch = [name for name in (*folders, *files) if _SCRATCH.fullmatch(name)]
        folders[:] = [name for name in folders if name not in scratch]
        found += (path for name in scratch if is_abandoned(path := UPath(folder) / name))
    return sorted(found)


def remove_leftover(path: UPath) -> None:
    """Remove a file or folder that `leftovers` returned."""
    if path.is_dir():
        remove_folder(path)
    else:
        path.unlink(missing_ok=True)


def is_abandoned(path: UPath) -> bool:
    """Return whether a file, or all of a folder, has not changed within `ABANDONED_SECONDS`."""
    local = local_path(path)
    paths = (path, *path.rglob("*")) if local is None else (local, *local.rglob("*"))
    try:
        newest = max(one.stat().st_mtime for one in paths if local or one.is_file())
    except (FileNotFoundError, ValueError):  # it gets its name, or is cleaned up, right now
        return False
    return newest < time.time() - ABANDONED_SECONDS


@contextmanager
def new_folder(parent: UPath, name: str) -> Iterator[UPath]:
    """Yield a folder to write to that becomes `parent` / `name` when the block ends.

    If the block raises, everything that it wrote is removed. On a local disk the folder appears
    only once it is complete. Object storage has no folders and shows each file once it is written:
    write the file that readers look for (a manifest) last, and use a name that does not exist.

    Args:
        parent: Folder of the new folder; created if missing.
        name: Name of the new folder.

    Raises:
        StorageError: If a local folder of that name exists and is not empty.
        StorageFullError: If the storage is full; nothing of the folder is left.
    """
    local = local_path(parent)
    writing = _objects(parent / name) if local is None else _renamed(local / name)
    with storage_errors(f"writing {name}", parent), writing as folder:
        yield folder


def _scratch_path(path: Path) -> Path:
    # tempfile would restrict permissions to this user, and a rename preserves them.
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


@contextmanager
def _renamed(folder: Path) -> Iterator[UPath]:
    _make_folder(folder.parent)
    scratch = _scratch_path(folder)
    scratch.mkdir()
    try:
        yield UPath(scratch)
        for written in (*scratch.rglob("*"), scratch):
            _sync(written)
        _rename(scratch, folder)
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _rename(scratch: Path, folder: Path) -> None:
    try:
        scratch.rename(folder)
    except OSError as error:
        if not folder.exists():
            raise
        raise StorageError(
            f"{folder} exists, and a stored folder is never replaced: write below another name, "
            "or remove it.",
            folder=str(folder),
        ) from error


@contextmanager
def _objects(folder: UPath) -> Iterator[UPath]:
    before = _files_below(folder)
    try:
        yield folder
    except BaseException:
        if left := _files_below(folder) - before:
            folder.fs.rm(sorted(left))
        raise


def _files_below(folder: UPath) -> set[str]:
    folder.fs.invalidate_cache()  # fsspec caches listings, and other processes write too
    return set(folder.fs.find(folder.path))
