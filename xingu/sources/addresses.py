"""Find the files at the address of a source: one file, a folder, or a pattern.

Only ``http(s)`` addresses have queries and fragments; everywhere else ``#``, ``?``, ``%20`` and
``::`` are parts of names. ``*`` stands for a part of a name and ``**`` for any number of folders;
a file whose name contains ``*`` is found by its name. Folders are searched at any depth. As in
Arrow, files and folders whose names begin with ``.`` or ``_`` are skipped, unless the pattern has
that character.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from xingu.files.remote import with_retries
from xingu.masking import without_secrets

_WEB = re.compile(r"(?:[^/]*::)?https?://", re.IGNORECASE)
_WRAPPED = re.compile(
    r"(?:zip|tar|libarchive|simplecache|filecache|blockcache|cached|dir|reference)(?:://.*)?::",
    re.IGNORECASE | re.DOTALL,
)
"""A chained URL of fsspec, for example ``zip://a.csv::s3://bucket/b.zip``."""
_VISIBLE = "(?![._])"
_FACTS = frozenset(
    {"etag", "content-md5", "digest", "mtime", "updated"}
    | {"lastmodified", "last-modified", "last_modified"}
)
DIGEST = "sha256="
"""Beginning of a version that is a digest of the content."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address, resolved to a file system.

    Attributes:
        files: File system of fsspec.
        path: Path in it.
        is_local: Whether it is on the local disk.
        is_web: Whether it is an ``http(s)`` address, which is always that of one file.
    """

    files: Any
    path: str
    is_local: bool
    is_web: bool


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file at an address.

    Attributes:
        path: Path in its file system.
        name: Path below the folder of the address; empty if the address is that of the file.
        info: Metadata by fsspec; empty if they were not needed.
    """

    path: str
    name: str
    info: Mapping[str, Any]


def is_web(url: str) -> bool:
    """Return whether an address has a query and a fragment."""
    return bool(_WEB.match(url))


def path_part(url: str) -> str:
    """Return an address without query, fragment and version of an S3 object."""
    return re.split(r"[?#]" if is_web(url) else r"\?versionId=", url)[0]


def location(url: str) -> str:
    """Return the part of a remote address that decides its content: all but its secrets."""
    return without_secrets(url) if is_web(url) else re.sub(r"//[^/\s]*@", "//", url, count=1)


def local_path(url: str, home: Path) -> Path | None:
    """Return the path of a local file or folder; None for any other address."""
    if url[:5].lower() == "file:":
        rest = url[5:]
        if rest.startswith("//"):
            rest = "/" + rest[2:].partition("/")[2]
        return home / unquote(rest)
    if "://" in url or _WRAPPED.match(url):
        return None
    return home / url


def resolve(url: str, home: Path, storage: Mapping[str, Any]) -> Place:
    """Resolve an address.

    Args:
        url: The address.
        home: Folder that relative paths are relative to.
        storage: Options of the file system.
    """
    import fsspec
    from fsspec.core import url_to_fs

    local = local_path(url, home)
    if local is not None:
        return Place(fsspec.filesystem("file"), str(local), is_local=True, is_web=False)
    if is_web(url):
        # aiohttp ignores the proxy of the environment by default.
        client = {"trust_env": True, **storage.get("client_kwargs", {})}
        storage = {**storage, "client_kwargs": client}
    storage = with_retries(url.partition("://")[0].lower(), storage)
    if "::" in url and not is_web(url) and not _WRAPPED.match(url):
        # `url_to_fs` would take it for a chained URL; the underscore keeps a slash before "::".
        before, _, after = url.partition("::")
        files, path = url_to_fs(f"{before}_", **storage)
        path = f"{path[:-1]}::{after}"
    else:
        files, path = url_to_fs(url, **storage)
    return Place(files, str(path), is_local=False, is_web=is_web(url))


def find_files(place: Place) -> list[FoundFile]:
    """Return the files at a place, sorted by name.

    A file that is reached twice, through links, is returned once.

    Raises:
        FileNotFoundError: If there is none.
    """
    if place.is_web:
        return [FoundFile(place.path, "", {})]
    place.files.invalidate_cache()
    folder, pattern = place.path, "**/*"
    try:
        info = place.files.info(place.path)
        if info["type"] != "directory":
            return [FoundFile(place.path, "", info)]
    except FileNotFoundError:
        folder, star, rest = place.path.partition("*")
        if not star:
            raise
        folder, _, begin = folder.rpartition("/")
        pattern = begin + star + rest
    found = _matches(place, folder, pattern)
    if not found:
        raise FileNotFoundError(place.path)
    return found


def stated_version(place: Place, file: FoundFile) -> str | None:
    """Return the version of a file that its storage states: ETag, or size and time; else None."""
    if place.is_local:
        status = Path(file.path).stat()
        return f"{status.st_size} {status.st_mtime_ns}"
    info = file.info or place.files.info(file.path)
    facts = {name.lower(): info[name] for name in info if name.lower() in _FACTS and info[name]}
    if etag := facts.get("etag"):
        return f"etag={etag}"
    if facts:
        return " ".join([str(info.get("size")), *(f"{k}={facts[k]}" for k in sorted(facts))])
    return None


def digest_of_content(content: bytes) -> str:
    """Return the version of a file whose storage states none."""
    return DIGEST + hashlib.sha256(content).hexdigest()


def _matches(place: Place, folder: str, pattern: str) -> list[FoundFile]:
    pattern = re.sub(r"(?<![^/])\*\*$", "**/*", pattern)
    depth = None if "**" in pattern else pattern.count("/") + 1
    matcher = _matcher(pattern)
    found: dict[str, FoundFile] = {}
    for path, info in sorted(_files_below(place, folder, depth).items()):
        name = path.removeprefix(folder).lstrip("/")
        if matcher.fullmatch(name):
            target = os.path.realpath(path) if place.is_local else path
            found.setdefault(target, FoundFile(path, name, info))
    return list(found.values())


def _files_below(place: Place, folder: str, depth: int | None) -> dict[str, Mapping[str, Any]]:
    if not place.is_local:
        listed = place.files.find(folder, maxdepth=depth, detail=True)
        return {path: info for path, info in listed.items() if info["type"] == "file"}
    # fsspec omits links, and folders that cannot be listed.
    found: dict[str, Mapping[str, Any]] = {}
    seen: set[str] = set()
    for here, folders, names in os.walk(folder or "/", onerror=_raise, followlinks=True):
        real = os.path.realpath(here)
        level = here.removeprefix(folder).count("/") + 1
        if real in seen or level == depth:
            folders.clear()
        if real not in seen:
            paths = [Path(here) / name for name in names]
            found |= {str(path): {} for path in paths if path.is_file() or path.is_symlink()}
        seen.add(real)
        folders.sort()
    return found


def _raise(error: OSError) -> NoReturn:
    raise error


def _matcher(pattern: str) -> re.Pattern[str]:
    folders = [_segments(part) for part in re.split(r"(?<![^/])\*\*/", pattern)]
    return re.compile(f"(?:{_VISIBLE}[^/]+/)*".join(folders), re.DOTALL)


def _segments(pattern: str) -> str:
    segments: list[str] = []
    for segment in pattern.split("/"):
        texts = map(re.escape, re.split(r"\*+", segment))
        segments.append((_VISIBLE if segment.startswith("*") else "") + "[^/]*".join(texts))
    return "/".join(segments)
