"""Digests that detect damaged files: BLAKE2b with 128 bits, in hexadecimal.

They detect flipped, missing and swapped bytes. Where files can be forged, SHA-256 is used instead
(`xingu.files.atomic.sha256_of`).
"""

import hashlib

from upath import UPath

from xingu.files.atomic import local_path

_SIZE = 16
"""Size of a digest in bytes."""


def digest_of(path: UPath) -> str:
    """Return the digest of a file; a local file is read in chunks, a remote one at once.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    local = local_path(path)
    if local is None:
        # One request for the whole object; a streamed read would be one for every few megabytes.
        return digest_of_bytes(path.read_bytes())
    with local.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_SIZE)).hexdigest()


def digest_of_bytes(data: bytes) -> str:
    """Return the digest of `data`, equal to that of a file with this content."""
    return hashlib.blake2b(data, digest_size=_SIZE).hexdigest()
