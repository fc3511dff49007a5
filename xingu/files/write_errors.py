"""Convert what writing to a storage raises: full, forbidden, or no folder."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from upath import UPath

from xingu.errors import StorageError, StorageFullError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNUSABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
)


def _errors_of_writing() -> tuple[type[Exception], ...]:
    """Return what writing raises; called when something was raised, so pyarrow is imported late."""
    from pyarrow import ArrowException

    return OSError, ArrowException


@contextmanager
def storage_errors(what: str, where: UPath) -> Iterator[None]:
    """Convert errors of a storage that is full or cannot be written; other errors propagate.

    Args:
        what: Description of the operation, for example ``writing features``.
        where: File or folder that is written to.

    Raises:
        StorageFullError: If the block fails because the storage is full.
        StorageError: If it fails because the storage may not be written, or is no folder.
    """
    try:
        yield
    except _errors_of_writing() as error:
        reason = _why_full(error)
        if reason is None and _is_unusable(error):
            raise StorageError(
                f"{what}: {where} cannot be written ({error}): check its permissions, or set the "
                "path of this storage elsewhere (TRAINED_MODELS_PATH, XINGU_VALUES_PATH, "
                "PLOTS_PATH).",
                where=str(where),
            ) from error
        if reason is None:
            raise
        raise StorageFullError(
            f"{what}: no space left on {where} ({reason}): nothing was changed; free space there, "
            "or set the path of this storage elsewhere.",
            where=str(where),
        ) from error


def _is_unusable(error: Exception) -> bool:
    # Object storage gives no number with a refusal.
    return isinstance(error, PermissionError) or getattr(error, "errno", None) in _UNUSABLE


def _why_full(error: Exception) -> str | None:
    """Return the operating system's message if `error` means a full storage, else None."""
    code = getattr(error, "errno", None)
    # Arrow passes most operating system errors on as text only.
    full = (os.strerror(full) for full in _FULL if code == full or os.strerror(full) in str(error))
    return next(full, None)
