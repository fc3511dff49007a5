"""Damaged manifests and session pointers are refused, and damaged trains are listed as such."""

import random
import time
from uuid import uuid4

import pytest
from upath import UPath

from tests.support.fitted import save_model
from tests.support.toys import Houses
from tests.support.trains import write_train
from xingu.errors import CorruptPackageError, StorageError, UntrainedModelError
from xingu.files.atomic import ABANDONED_SECONDS
from xingu.maintenance import sweep
from xingu.registry import listing
from xingu.registry.store import ModelStore
from xingu.values import ValueStore


@pytest.fixture(params=["local", "s3"])
def root(request, tmp_path):
    if request.param == "local":
        return UPath(tmp_path)
    return UPath(request.getfixturevalue("s3_url")) / uuid4().hex


@pytest.fixture
def models(root):
    """Two trains of one DataProvider; the second one is current."""
    store = ModelStore(root / "models")
    for number, train_id in enumerate(("old-fox", "new-owl")):
        write_train(store, "houses", train_id, number=number)
    return store


def flips_of(data, count, seed):
    chance = random.Random(seed)
    for _ in range(count):
        flipped = bytearray(data)
        flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        yield bytes(flipped)


def test_a_damaged_pointer_of_a_session_never_names_another_train(models):
    pointer = models.folder("houses") / "sessions" / "of_old_fox.json"
    good = pointer.read_bytes()
    cut = [b"", good[: len(good) // 2], b"{}", b"[]", b"\xff\xfe", b'{"train_id": 1}']
    for damaged in [*flips_of(good, 60, 1), *cut]:
        pointer.write_bytes(damaged)
        try:
            found = models.find("houses", session_id="of-old-fox")
        except StorageError as error:
            found = None if str(pointer) in str(error) else str(error)
        assert found in (None, "old-fox")


def test_swapped_pointers_of_sessions_are_refused(models):
    folder = models.folder("houses") / "sessions"
    (folder / "of_old_fox.json").write_bytes((folder / "of_new_owl.json").read_bytes())
    with pytest.raises(StorageError, match=r"of_old_fox\.json is damaged .*by its train_id"):
        models.find("houses", session_id="of-old-fox")


def test_a_pointer_of_a_session_of_an_earlier_version_is_read(models):
    pointer = models.folder("houses") / "sessions" / "of_old_fox.json"
    pointer.write_text('{"train_id": "old-fox"}')
    assert models.find("houses", session_id="of-old-fox") == "old-fox"


def test_a_damaged_entry_of_the_ledger_never_makes_another_train_current(models):
    folder = models.folder("houses")
    first, second = sorted((folder / "history").iterdir())
    for path in (folder / "current.json", first):
        good = path.read_bytes()
        cut = [b"", good[: len(good) // 2], b"{}", b"\xff\xfe", second.read_bytes()]
        for damaged in [*flips_of(good, 30, 3), *cut]:
            path.write_bytes(damaged)
            try:
                found = [
                    entry.current for entry in ModelStore(models.root).ledger("houses").entries()
                ]
                assert found == ["new-owl", "old-fox"]
                assert models.current("houses") == "new-owl"
            except StorageError as error:
                assert str(path) in str(error)  # noqa: PT017
        path.write_bytes(good)


def test_every_flipped_bit_of_a_manifest_is_refused(tmp_path):
    store = ModelStore(tmp_path)
    save_model(Houses, store)
    path = store.package("houses", "first") / "manifest.json"
    good = path.read_bytes()
    before = store.manifest("houses", "first")
    for flipped in flips_of(good, 100, 2):
        path.write_bytes(flipped)
        try:
            assert store.manifest("houses", "first") == before
        except CorruptPackageError as error:
            assert str(path) in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("before", "after"), [("old-fox", "odd-fox"), ('id":"houses"', 'id":"horses"')]
)
def test_a_manifest_that_is_that_of_another_train_is_refused(models, before, after):
    path = models.package("houses", "old-fox") / "manifest.json"
    path.write_text(path.read_text().replace(before, after))
    for use in (models.manifest, models.load):
        with pytest.raises(CorruptPackageError, match=r"manifest\.json is that of h.*odd|horses"):
            use("houses", "old-fox")


def test_a_current_train_without_manifest_is_listed_as_damaged(models):
    (models.package("houses", "new-owl") / "manifest.json").unlink()
    (record,) = listing.current_trains(models)
    assert (record["train_id"], "has no manifest.json" in record["damaged"]) == ("new-owl", True)
    with pytest.raises(
        CorruptPackageError, match=r"new-owl of houses is damaged: .*manifest\.json"
    ):
        listing.find_manifest(models, "new-owl")


def test_a_current_train_whose_whole_package_is_gone_is_listed_as_damaged(models):
    for train_id in ("old-fox", "new-owl"):
        models.remove("houses", train_id)
    (record,) = listing.current_trains(models)
    assert "does not exist" in record["damaged"]
    assert [one.get("removed", False) for one in listing.history(models, "houses")] == [False, True]


def test_a_damaged_train_does_not_stop_the_pruning_of_others(models):
    write_train(models, "houses", "last-elk", number=2)
    (models.package("houses", "new-owl") / "manifest.json").write_text("{")
    assert [one.train_id for one in listing.manifests_by_age(models, "houses")] == [
        "old-fox",
        "last-elk",
    ]


@pytest.mark.parametrize("name", ["a" * 400, "ä" * 250])
def test_a_name_that_is_too_long_for_a_file_is_no_train(models, name):
    for wanted in ({"train_id": name}, {"session_id": name}, {"preferred": [name, "no"]}):
        found = models.find("houses", **wanted) if "preferred" in wanted else None
        assert found in (None, "new-owl")
        if found is None:
            with pytest.raises(UntrainedModelError):
                models.find("houses", **wanted)
    with pytest.raises(UntrainedModelError):
        models.find(name)
    with pytest.raises(StorageError, match="set a shorter TRAIN_SESSION_ID"):
        models.sessions("houses").point(name, "old-fox")


def test_what_killed_processes_left_is_swept(models, root, monkeypatch):
    values, plots = ValueStore(root / "values"), [root / "plots"]
    package = models.package("houses", "half-way")
    (package / "estimator").mkdir(parents=True, exist_ok=True)
    (package / "estimator" / "booster.txt").write_bytes(b"half")
    models.sessions("houses").point("of-unknown", "never-saved")
    pointer = models.folder("houses") / "sessions" / "of_unknown.json"
    stores = models, plots, values
    assert sweep(*stores, dry_run=True) == {pointer}
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + ABANDONED_SECONDS + 9)
    assert sweep(*stores) == {pointer, package}
    assert not package.exists()
    assert models.trains("houses") == ["new-owl", "old-fox"]
    assert models.find("houses", session_id="of-old-fox") == "old-fox"
    assert sweep(*stores) == set()


def test_the_rest_of_a_damaged_current_train_is_not_swept(models, root, monkeypatch):
    (models.package("houses", "new-owl") / "manifest.json").unlink()
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + ABANDONED_SECONDS + 9)
    assert sweep(models, [root / "plots"], ValueStore(root / "values")) == set()
    assert (models.package("houses", "new-owl") / "state").exists()
