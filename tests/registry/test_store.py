"""The model storage as folders: what is listed, found, removed and made current."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from tests.support.trains import START, write_train
from xingu.errors import CorruptPackageError, UntrainedModelError
from xingu.records import TrainRun
from xingu.registry.store import ModelStore


@pytest.fixture
def store(tmp_path):
    """Three trains of one DataProvider, one of another, and one whose package is incomplete."""
    store = ModelStore(tmp_path / "models")
    for number, train_id in enumerate(("old-fox", "calm-cat", "new-owl")):
        write_train(store, "house-prices", train_id, number=number)
    write_train(store, "taxes", "tall-elk")
    store.package("house-prices", "half-way").mkdir()
    return store


def test_an_empty_storage_has_nothing(tmp_path):
    store = ModelStore(tmp_path / "models")
    assert (store.dataproviders(), store.trains("houses")) == ([], [])
    assert store.current("houses") is None
    assert not store.has("houses", "old-fox")
    assert not (tmp_path / "models").exists()


def test_only_complete_packages_are_listed(store):
    assert store.trains("house-prices") == ["calm-cat", "new-owl", "old-fox"]
    assert not store.has("house-prices", "half-way")


def test_dataproviders_are_listed_by_the_names_of_their_folders(store):
    assert store.dataproviders() == ["house_prices", "taxes"]


def test_the_newest_train_is_current_until_another_is_made_current(store):
    assert store.current("house-prices") == "new-owl"
    store.make_current(TrainRun("house-prices", "old-fox", "of-old-fox", "run-0"), "pin")
    assert store.current("house-prices") == "old-fox"
    assert [entry.action for entry in store.ledger("house-prices").entries(2)] == ["pin", "train"]


def test_a_pin_wins_over_what_is_newest(store):
    pinned = ModelStore(store.root, {"house-prices": "calm-cat"})
    assert pinned.current("house-prices") == pinned.find("house-prices") == "calm-cat"
    assert pinned.find("house-prices", train_id="old-fox") == "old-fox"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "new-owl"),
        ({"train_id": "old-fox"}, "old-fox"),
        ({"train_id": "old-fox", "session_id": "of-calm-cat"}, "old-fox"),
        ({"session_id": "of-calm-cat"}, "calm-cat"),
        ({"session_id": "of-calm-cat", "as_of": datetime(2000, 1, 1, tzinfo=UTC)}, "calm-cat"),
        ({"preferred": ["of-calm-cat"], "session_id": "of-old-fox"}, "calm-cat"),
        ({"preferred": ["nobody"], "session_id": "of-old-fox"}, "old-fox"),
        ({"preferred": ["nobody"]}, "new-owl"),
    ],
)
def test_the_first_argument_that_is_given_decides(store, wanted, found):
    assert store.find("house-prices", **wanted) == found


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"train_id": "half-way"}, "with train_id half-way"),
        ({"session_id": "no-day"}, "with train_session_id no-day"),
        ({"as_of": START.replace(year=2000)}, "with as_of 2000-01-01"),
    ],
)
def test_what_is_not_found_is_named_with_the_storage(store, wanted, named):
    with pytest.raises(UntrainedModelError, match=f"'house-prices' {named}.* in .*models") as error:
        store.find("house-prices", **wanted)
    assert error.value.facts["dataprovider_id"] == "house-prices"
    assert named.split()[-1] in str(error.value.facts)


def test_a_removed_train_is_found_neither_by_its_id_nor_by_its_session(store):
    package = store.package("house-prices", "old-fox")
    store.remove("house-prices", "old-fox")
    assert not package.exists()
    assert store.trains("house-prices") == ["calm-cat", "new-owl"]
    for wanted in ({"train_id": "old-fox"}, {"session_id": "of-old-fox"}):
        with pytest.raises(UntrainedModelError):
            store.find("house-prices", **wanted)


def test_removing_a_train_leaves_the_session_of_another(store):
    store.make_current(TrainRun("house-prices", "new-owl", "of-old-fox", "run-9"))
    store.remove("house-prices", "old-fox")
    assert store.find("house-prices", session_id="of-old-fox") == "new-owl"


def test_what_is_no_package_cannot_be_removed(store):
    with pytest.raises(CorruptPackageError, match="half-way is no model package"):
        store.remove("house-prices", "half-way")
    assert store.package("house-prices", "half-way").exists()


def test_the_record_of_a_package_has_its_place_and_checksums(store):
    record = store.package_record("taxes", "tall-elk")
    manifest = (store.package("taxes", "tall-elk") / "manifest.json").read_bytes()
    assert record.path == str(store.package("taxes", "tall-elk"))
    assert record.manifest_sha256 == hashlib.sha256(manifest).hexdigest()
    assert record.files == {"state": ("", 5)}


def test_the_manifest_of_a_train_is_read_without_loading_it(store):
    assert store.manifest("taxes", "tall-elk").train_session_id == "of-tall-elk"
    with pytest.raises(UntrainedModelError, match="train_id nobody"):
        store.manifest("taxes", "nobody")


def test_a_session_whose_name_is_no_name_of_a_file_is_found(store):
    write_train(store, "taxes", "new-elk")
    store.make_current(TrainRun("taxes", "new-elk", "night/run: 7", "run-9"))
    assert store.find("taxes", session_id="night/run: 7") == "new-elk"
    pointer = store.folder("taxes") / "sessions" / "night_run__7.json"
    assert json.loads(pointer.read_text())["train_id"] == "new-elk"


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=8))
def test_the_last_train_that_was_made_current_is_current(names):
    store = ModelStore(UPath("memory://store") / str(abs(hash(tuple(names)))))
    for name in names:
        write_train(store, "houses", name)
    assert store.find("houses") == names[-1]
    assert store.trains("houses") == sorted(set(names))
