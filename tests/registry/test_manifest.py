"""The manifest of a package: what is read, verified and refused."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from tests.support.manifests import manifest
from xingu.errors import CorruptPackageError
from xingu.registry.manifest import (
    FileRecord,
    Manifest,
    describe_files,
    read_manifest,
    verify,
)


@pytest.fixture
def package(tmp_path):
    """A package of two files; and its manifest."""
    (tmp_path / "estimator").mkdir()
    (tmp_path / "state.pkl").write_bytes(b"state")
    (tmp_path / "estimator" / "a.txt").write_bytes(b"estimator")
    written = manifest(files=describe_files(tmp_path))
    (tmp_path / "manifest.json").write_text(written.model_dump_json())
    return UPath(tmp_path)


def test_a_manifest_is_read_as_it_was_written(package):
    assert read_manifest(package) == manifest(files=read_manifest(package).files)


def test_files_are_described_by_relative_path_size_and_sha256(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b").write_bytes(b"12345")
    assert describe_files(tmp_path) == {
        "deep/b": FileRecord(sha256=hashlib.sha256(b"12345").hexdigest(), bytes=5)
    }


def test_an_empty_folder_has_no_files(tmp_path):
    assert describe_files(tmp_path) == {}


def test_an_unchanged_package_is_verified(package):
    verify(package, read_manifest(package))


@given(st.binary(min_size=1, max_size=100), st.data())
def test_every_flipped_bit_is_found(content, data):
    package = UPath("memory://manifest")
    package.mkdir(parents=True, exist_ok=True)
    record = FileRecord(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    written = manifest(files={"a": record})
    (package / "a").write_bytes(content)
    verify(package, written)
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    (package / "a").write_bytes(bytes(damaged))
    with pytest.raises(CorruptPackageError, match="its SHA-256 differs"):
        verify(package, written)


def test_a_missing_file_is_named(package):
    (package / "estimator" / "a.txt").unlink()
    with pytest.raises(CorruptPackageError, match=r"estimator/a\.txt is missing") as failure:
        verify(package, read_manifest(package))
    assert failure.value.facts["file"] == "estimator/a.txt"


def test_files_that_are_not_selected_are_not_read(package):
    (package / "estimator" / "a.txt").unlink()
    verify(package, read_manifest(package), lambda name: name == "state.pkl")


def test_a_file_that_the_manifest_does_not_list_does_no_harm(package):
    (package / "notes.txt").write_text("mine")
    verify(package, read_manifest(package))


def test_a_folder_without_a_manifest_is_no_package(tmp_path):
    with pytest.raises(CorruptPackageError, match=r"no model package: it has no manifest\.json"):
        read_manifest(UPath(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 2}', "\x00"])
def test_a_damaged_manifest_is_refused(package, text):
    (package / "manifest.json").write_text(text)
    with pytest.raises(CorruptPackageError, match=r"manifest\.json cannot be read"):
        read_manifest(package)


def test_a_package_of_a_later_format_is_refused(package):
    path = package / "manifest.json"
    path.write_text(path.read_text().replace('"format":1', '"format":2'))
    with pytest.raises(CorruptPackageError, match="format"):
        read_manifest(package)


def test_an_older_manifest_without_sources_and_reference_is_read(package):
    older = manifest().model_dump(mode="json", exclude={"sources", "reference", "files"})
    assert (Manifest(**older).sources, Manifest(**older).reference) == ([], None)
