"""A flipped bit in any file of a model storage is found before anything is unpickled."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fitted import save_model
from tests.support.toys import Houses, Taxes
from xingu import Model
from xingu.errors import CorruptPackageError, StorageError
from xingu.registry.golden import read_golden
from xingu.registry.manifest import read_manifest
from xingu.registry.store import ModelStore

PACKAGE = "taxes/trains/first"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A classifier with a prerequisite."""
    root = tmp_path_factory.mktemp("tampering")
    save_model(Houses, ModelStore(root))
    save_model(Taxes, ModelStore(root), houses="first")
    return root


def use_all(root):
    """Find, load and read everything that a program could use of `taxes`."""
    for fault in ModelStore(root).ledger("taxes").broken_links():
        raise StorageError(fault)
    model = Model.load("taxes", path=root)
    nested = model.dp.pre_req_model["houses"]
    read_golden(ModelStore(root).package("taxes", model.train_id))
    return model.train_id, nested.train_id


def files_of(root):
    """Return all files of `taxes` with content; no program above reads pointers of sessions."""
    found = [one for one in (root / "taxes").rglob("*") if one.is_file() and one.stat().st_size]
    return sorted(one for one in found if one.parent.name != "sessions")


@settings(max_examples=60)
@given(data=st.data())
def test_a_flipped_bit_is_found_in_whichever_file(root, data):
    path = data.draw(st.sampled_from(files_of(root)))
    good = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    flipped = bytearray(good)
    flipped[bit // 8] ^= 1 << bit % 8
    path.write_bytes(flipped)
    try:
        found = use_all(root)
    except StorageError as error:
        found = error
    finally:
        path.write_bytes(good)
    # Without the name of the digest it is a file of an earlier version, with the same content.
    unsealed = path.suffix == ".json" and bit < 8 * len('{"digest"')
    assert path.name in str(found) or (unsealed and found == ("first", "first"))


def test_nothing_of_a_damaged_package_is_unpickled(root, monkeypatch):
    package = ModelStore(root).package("taxes", "first")

    def refuse(*_, **__):
        raise AssertionError("unpickled")

    files = read_manifest(package).files.items()
    names = [name for name, one in files if one.bytes and not name.startswith("pre_reqs/")]
    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    for name in names:
        path = package.joinpath(*name.split("/"))
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(CorruptPackageError, match=name):
            ModelStore(root).load("taxes", "first")
        path.write_bytes(good)
    with pytest.raises(StorageError, match="AssertionError: unpickled"):  # of an intact package
        ModelStore(root).load("taxes", "first")


def test_an_entry_of_another_dataprovider_is_found(root):
    mine, other = (root / name / "history" / "0000000001.json" for name in ("taxes", "houses"))
    good = mine.read_bytes()
    mine.write_bytes(other.read_bytes())
    [fault] = ModelStore(root).ledger("taxes").broken_links()
    mine.write_bytes(good)
    assert "current.json differs from" in fault
