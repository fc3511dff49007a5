"""Open a model package: read its manifest once, and verify signature and checksums before use."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from upath import UPath

from xingu.files.atomic import local_path
from xingu.registry.manifest import Manifest, manifest_bytes, parse_manifest, verify
from xingu.registry.transfer import copy_files

if TYPE_CHECKING:
    from xingu.registry.signing import TrustedKey

PRE_REQS = "pre_reqs"
"""Folder of a package with the packages of its prerequisites."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The manifest of a package that is about to be loaded.

    Attributes:
        manifest: The manifest.
        sha256: SHA-256 of its content.
        signer: The trusted key that has signed it; None: signatures were not verified.
    """

    manifest: Manifest
    sha256: str
    signer: str | None


def open_package(package: UPath, trusted: Sequence["TrustedKey"] = ()) -> Opened:
    """Read the manifest of a package, once, so that what is verified is what is used.

    Args:
        package: Folder or URL of the package.
        trusted: Public keys, one of which must have signed it; empty: no signature is verified.

    Raises:
        CorruptPackageError: If the manifest is missing or cannot be read.
        SignatureError: If no trusted key has signed it.
    """
    data, signer = manifest_bytes(package), None
    if trusted:
        from xingu.registry.signing import verify_signature

        signer = verify_signature(package, trusted, data)
    return Opened(parse_manifest(package, data), sha256(data).hexdigest(), signer)


@contextmanager
def verified_copy(package: UPath, opened: Opened) -> Iterator[Path]:
    """Yield a local folder with the files of a package, without those of its prerequisites.

    It is the package itself, or a temporary copy that no other user can write: of a remote package,
    and of one whose signature counts, which others could change after it was verified. A copy holds
    the files of the manifest only.

    Raises:
        CorruptPackageError: If a file is missing or differs from what was saved.
    """
    files = {
        name: record
        for name, record in opened.manifest.files.items()
        if not name.startswith(f"{PRE_REQS}/")
    }
    local = local_path(package)
    if local is not None and opened.signer is None:
        verify(package, opened.manifest, files.__contains__)
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="xingu-") as folder:
        copy_files(package, UPath(folder), files)
        yield Path(folder)
