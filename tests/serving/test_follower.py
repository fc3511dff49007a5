"""A Follower changes the Model when the pointer moves, and keeps it when anything is wrong."""

import shutil
import time
from itertools import pairwise

import pandas as pd
import pytest
from upath import UPath

from tests.support.fitted import fit_model
from tests.support.served import wait_until
from tests.support.toys import Houses, houses
from xingu.errors import StorageError, UntrainedModelError
from xingu.registry.manifest import read_manifest
from xingu.registry.store import ModelStore
from xingu.registry.transfer import copy_package
from xingu.serving import Follower
from xingu.serving.follower import LONGEST_WAIT


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    store = ModelStore(tmp_path_factory.mktemp("trained") / "models")
    model = fit_model(Houses, ("first", "first"))
    store.save(model)
    store.save(fit_model(Houses, ("second", "second")))
    store.make_current(model.run)
    return store


@pytest.fixture
def store(trained, tmp_path):
    shutil.copytree(trained.root, tmp_path / "models")
    return ModelStore(tmp_path / "models")


@pytest.fixture
def follower(store):
    return Follower("houses", store.root)


def promote(store, train_id):
    store.make_current(store.load("houses", train_id).run)


def test_the_thread_exchanges_the_model_and_ends_with_the_block(store):
    with Follower("houses", store.root, seconds=0.01) as follower:
        before = follower.model
        promote(store, "second")
        wait_until(lambda: follower.model.train_id == "second", 10)
        assert before.train_id == "first"
        assert len(before.predict(houses(3))) == 3  # a request that has it goes on
        thread = follower._thread
    assert not thread.is_alive()


def test_nothing_is_loaded_while_the_pointer_stays(follower, monkeypatch):
    monkeypatch.setattr(ModelStore, "load", lambda *_: pytest.fail("it was loaded"))
    before = follower.status()["checked"]
    assert not follower.check()
    assert follower.status()["checked"] >= before


def test_a_storage_that_cannot_be_read_changes_nothing(follower, store):
    gone = store.root.rename(store.root.parent / "gone")
    assert not follower.check()
    assert follower.model.train_id == "first"
    assert "no train of houses is current" in follower.status()["problem"]
    gone.rename(store.root)
    follower.check()
    assert follower.status()["problem"] is None


def test_a_train_that_does_not_estimate_what_it_did_is_not_served(follower, store, monkeypatch):
    promote(store, "second")
    found = ["golden row 0, estimation: 1.0 was estimated when it was saved, now 2.0"]
    monkeypatch.setattr("xingu.serving.follower.differences", lambda *_: found)
    assert not follower.check()
    assert follower.model.train_id == "first"
    assert found[0] in follower.status()["problem"]
    with pytest.raises(StorageError, match="does not estimate here"):
        Follower("houses", store.root)
    assert Follower("houses", store.root, prove=False).model.train_id == "second"


def test_a_train_that_cannot_be_loaded_is_tried_again_after_longer_and_longer_times(
    follower, store, monkeypatch
):
    promote(store, "second")
    (store.package("houses", "second") / "provider_state.pkl").write_bytes(b"")
    now = time.monotonic()
    monkeypatch.setattr("xingu.serving.follower.time.monotonic", lambda: now)
    tries = []
    load = ModelStore.load
    monkeypatch.setattr(ModelStore, "load", lambda *args: tries.append(now) or load(*args))
    for _ in range(2000):
        follower.check()
        now += 1
    gaps = [after - before for before, after in pairwise(tries)]
    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert max(gaps) == LONGEST_WAIT


def test_a_problem_is_logged_once(follower, store, caplog):
    store.root.rename(store.root.parent / "gone")
    for _ in range(5):
        follower.check()
    assert [record.message.count("train first stays") for record in caplog.records] == [1]


def test_there_is_no_follower_without_a_current_train(tmp_path):
    with pytest.raises(UntrainedModelError):
        Follower("houses", tmp_path)


def test_the_status_is_json(follower, store):
    status = follower.status()
    assert status["package_sha256"] == store.package_record("houses", "first").manifest_sha256
    assert status["signer"] is None
    assert all(value is None or isinstance(value, str) for value in status.values())
    assert pd.Timestamp(status["since"]).tzinfo


def test_it_follows_a_storage_on_s3(store, s3_url, tmp_path):
    remote = ModelStore(UPath(s3_url) / tmp_path.name)
    for train_id in ("first", "second"):
        source = store.package("houses", train_id)
        copy_package(source, remote.package("houses", train_id), read_manifest(source))
    promote(remote, "first")
    follower = Follower("houses", remote.root)
    promote(remote, "second")
    assert follower.check()
    assert follower.status()["train_id"] == "second"
