"""Write files so that nobody ever reads half of one, on a local disk or in object storage.

Its one idea: bytes become visible in one step, at the end. On a local disk they are written beside
their place, below a name that begins with a dot and ends with ``.tmp``, and renamed; an object
storage shows an object when it is complete. Nothing is flushed to the platter: what is guarded
against is a killed process and a full disk, not a power cut. Knows nothing of what it writes.
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

import pyarrow as pa
from upath import UPath

from xingu.errors import StorageError, StorageFullError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOCAL = ("", "file", "local")
_SCRATCH = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
ABANDONED_SECONDS = 24 * 3600
"""After so long without a byte, whoever was writing is taken for dead."""


def local_path(path: UPath) -> Path | None:
    """Return `path` as a path of the local disk, or None if it is elsewhere."""
    return Path(path.path) if path.protocol in _LOCAL else None


def storage_root(place: str | UPath) -> UPath:
    """Return `place` as a folder whose listings are always fresh: other processes write there."""
    path = UPath(place)
    if path.protocol in (*_LOCAL, "memory"):
        return path
    return UPath(str(path), **{**path.storage_options, "use_listings_cache": False})


def sha256_of(path: UPath) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal; the file is read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def write_atomically(path: UPath, *data: bytes) -> None:
    """Make `path` hold `data`, one piece after the other.

    Readers find what was there before, or all of `data`.

    Raises:
        StorageFullError: If the storage takes no more; `path` is what it was.
    """
    with storage_errors(f"writing {path.name}", path.parent):
        local = local_path(path)
        if local is None:
            path.write_bytes(b"".join(data))
            return
        local.parent.mkdir(parents=True, exist_ok=True)
        scratch = _beside(local)
        try:
            with scratch.open("wb") as file:
                file.writelines(data)
            scratch.replace(local)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise


def write_once(path: UPath, data: bytes) -> bool:
    """Make `path` hold `data` if nothing is there yet; return whether that was so.

    Of several processes that do it at once, one succeeds.

    Raises:
        StorageFullError: If the storage takes no more; nothing of `path` is left.
    """
    with storage_errors(f"writing {path.name}", path.parent):
        local = local_path(path)
        try:
            if local is None:
                path.fs.pipe_file(path.path, data, mode="create")
            else:
                _link(local, data)
        except FileExistsError:
            return False
        return True


def _link(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = _beside(path)
    try:
        scratch.write_bytes(data)
        path.hardlink_to(scratch)  # unlike a rename, this fails if `path` exists
    finally:
        scratch.unlink(missing_ok=True)


def children(folder: UPath) -> Iterable[UPath]:
    """Return what is in a folder, without what is being written; no folder is an empty one."""
    try:
        return [child for child in folder.iterdir() if not child.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def remove_folder(folder: UPath) -> None:
    """Remove a folder with everything in it; one that is not there is removed already."""
    local = local_path(folder)
    if local is not None:
        shutil.rmtree(local, ignore_errors=True)
    elif files := _files_below(folder):
        folder.fs.rm(sorted(files))


def leftovers(root: UPath) -> list[UPath]:
    """Return what killed processes have left half written below a local folder.

    Nothing of which any file has changed within a day: somebody may be writing it. Of object
    storage, nothing: there are no such names there.
    """
    local = local_path(root)
    found: list[UPath] = []
    for folder, folders, files in os.walk(local) if local else ():
        scratch = [name for name in (*folders, *files) if _SCRATCH.fullmatch(name)]
        folders[:] = [name for name in folders if name not in scratch]
        found += (UPath(folder) / name for name in scratch if _is_abandoned(Path(folder) / name))
    return sorted(found)


def remove_leftover(path: UPath) -> None:
    """Remove a file or folder that `leftovers` has found."""
    if path.is_dir():
        remove_folder(path)
    else:
        path.unlink(missing_ok=True)


def _is_abandoned(path: Path) -> bool:
    try:
        newest = max(one.lstat().st_mtime for one in (path, *path.rglob("*")))
    except FileNotFoundError:  # it gets its name, or is cleaned up, right now
        return False
    return newest < time.time() - ABANDONED_SECONDS


@contextmanager
def new_folder(parent: UPath, name: str) -> Iterator[UPath]:
    """Give a folder to write in that becomes `parent` / `name` when the block ends.

    If the block raises, everything that it wrote is removed. On a local disk the folder shows only
    when it is complete. Object storage has no folders and shows each file once it is written, so
    write the file that readers look for (a manifest) last; use a name that is not taken.

    Raises:
        StorageError: If a local folder of that name exists and holds anything.
        StorageFullError: If the storage takes no more; nothing of the folder is left.
    """
    local = local_path(parent)
    writing = _objects(parent / name) if local is None else _renamed(local / name)
    with storage_errors(f"writing {name}", parent), writing as folder:
        yield folder


@contextmanager
def storage_errors(what: str, where: UPath) -> Iterator[None]:
    """Turn errors that say that `where` is full into StorageFullError; others pass.

    Args:
        what: What is being done, for example ``writing features``.
        where: File or folder that is written to.
    """
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = _why_full(error)
        if reason is None:
            raise
        raise StorageFullError(
            f"{what}: no space left on {where} ({reason}): nothing was changed; free space there, "
            "or set the path of this storage elsewhere.",
            where=str(where),
        ) from error


def _why_full(error: Exception) -> str | None:
    """Return the system's word for a full storage, if `error` is that."""
    code = getattr(error, "errno", None)
    # Arrow hands most errors of the system over as text alone.
    full = (os.strerror(full) for full in _FULL if code == full or os.strerror(full) in str(error))
    return next(full, None)


def _beside(path: Path) -> Path:
    # tempfile would make it private to this user, and the rename would keep that.
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


@contextmanager
def _renamed(folder: Path) -> Iterator[UPath]:
    scratch = _beside(folder)
    scratch.mkdir(parents=True)
    try:
        yield UPath(scratch)
        _rename(scratch, folder)
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
            f"{folder} exists, and what is written never changes: write below another name, or "
            "remove it.",
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
    folder.fs.invalidate_cache()  # listings are kept, and other processes write too
    return set(folder.fs.find(folder.path))
