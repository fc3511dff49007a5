"""Names of trains and train sessions: three readable words derived from the run id.

An id is a pure function of the run id, so every process of a run computes the same one. Ids are not
guaranteed to be unique; the code that stores a train checks that.
"""

import random
import re
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coolname import RandomGenerator

MAX_NAME = 200
"""Largest number of characters of ids of trains and sessions."""


def session_id_of(run_id: str) -> str:
    """Return the `train_session_id` of a run."""
    return _words(run_id)


def train_id_of(run_id: str, provider_id: str) -> str:
    """Return the `train_id` of one provider's train in a run."""
    return _words(f"{run_id}:{provider_id}")


def key_part(name: str) -> str:
    """Return `name` as part of an asset key: letters, digits and ``_``; others become ``_``.

    A name with characters outside ASCII also gets a hash of 6 digits, because underscores alone
    would make different names equal.
    """
    part = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if name.isascii():
        return part
    return f"{part}_{blake2b(name.encode(errors='surrogatepass'), digest_size=3).hexdigest()}"


def partition_part(key: str) -> str:
    """Return the key of a partition as part of a path: different keys give different ones.

    A key of lower-case letters, digits and ``-`` is legible; others get a hash too.
    """
    if re.fullmatch(r"[a-z0-9-]+", key):
        return key.replace("-", "_")
    digest = blake2b(key.encode(errors="surrogatepass"), digest_size=6).hexdigest()
    return f"{key_part(key)[:80]}_{digest}"


def is_file_name(name: str) -> bool:
    """Return whether `name` is short enough for a file that is named after it.

    File systems take 255 bytes, of which suffixes and scratch files need some.
    """
    return len(key_part(name)) <= MAX_NAME


def is_folder_name(name: str) -> bool:
    """Return whether `name` is one part of a path, so that it cannot lead out of its folder."""
    return name not in ("", ".", "..") and not re.search(r"[/\\\0]", name)


def _words(seed: str) -> str:
    """Return three words, one of about 10^8 combinations, determined by `seed`."""
    generator = _generator()
    generator.random = random.Random(seed)  # noqa: S311
    return generator.generate_slug(3)


@cache
def _generator() -> "RandomGenerator":
    from coolname import RandomGenerator
    from coolname.data import config

    return RandomGenerator(config)
