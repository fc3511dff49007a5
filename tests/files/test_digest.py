import hashlib
import random

import pytest
from upath import UPath

from xingu.files.digest import digest_of, digest_of_bytes

CONTENT = random.Random(0).randbytes(1_000_000)


@pytest.fixture(params=["local", "memory"])
def file(request, tmp_path):
    path = UPath(tmp_path) / "f" if request.param == "local" else UPath("memory://digests/f")
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


def test_a_file_has_the_digest_of_its_content(file):
    file.write_bytes(CONTENT)
    assert digest_of(file) == digest_of_bytes(CONTENT)


def test_a_digest_is_blake2b_of_128_bits_in_hexadecimal():
    assert digest_of_bytes(b"x") == hashlib.blake2b(b"x", digest_size=16).hexdigest()


def test_one_flipped_bit_changes_the_digest(file):
    place = random.Random(1).randrange(len(CONTENT))
    damaged = bytearray(CONTENT)
    damaged[place] ^= 1
    file.write_bytes(damaged)
    assert digest_of(file) != digest_of_bytes(CONTENT)


def test_a_file_that_does_not_exist_has_no_digest(file):
    with pytest.raises(FileNotFoundError):
        digest_of(file)
