import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from xingu.files.digest import Digest, digest_of, digest_of_bytes

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


@given(sizes=st.lists(st.integers(0, 400_000)))
def test_a_digest_does_not_depend_on_the_parts_in_which_data_arrives(sizes):
    digest, start = Digest(), 0
    data = CONTENT * 3
    for size in sizes:
        digest.update(data[start : start + size])
        start += size
    digest.update(data[start:])
    assert digest.hexdigest() == digest_of_bytes(data)


def test_a_digest_is_the_same_in_every_version():
    """The digests of stored files are compared with those of later versions."""
    assert digest_of_bytes(b"") == "5cf0479a381380026a05c1e7bc18bfbb"
    assert digest_of_bytes(CONTENT * 3) == "99242a4088385fe9e0e4c0b75bf695fb"


def test_zeros_at_the_end_and_swapped_blocks_change_the_digest():
    block, other = CONTENT[: 2**19] * 2, bytes(2**20)
    contents = [block, block + b"\0", block + other, other + block, b"", b"\0", b"\0\0"]
    assert len({digest_of_bytes(content) for content in contents}) == len(contents)


def test_one_flipped_bit_changes_the_digest(file):
    place = random.Random(1).randrange(len(CONTENT))
    damaged = bytearray(CONTENT)
    damaged[place] ^= 1
    file.write_bytes(damaged)
    assert digest_of(file) != digest_of_bytes(CONTENT)


def test_a_file_that_does_not_exist_has_no_digest(file):
    with pytest.raises(FileNotFoundError):
        digest_of(file)
