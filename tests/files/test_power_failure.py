"""Every published file and folder was synced to the disk after its last change."""

import errno
import os
import stat

import pytest
from sqlalchemy import text
from upath import UPath

from tests.support import kills
from tests.support.control import control_db
from tests.support.fitted import fit_model
from xingu.files.atomic import write_atomically, write_once


@pytest.fixture
def unsynced(monkeypatch):
    """Function that returns what below a folder would not survive a power failure."""
    synced, real = {}, os.fsync

    def fsync(descriptor):
        found = os.fstat(descriptor)
        synced[found.st_ino] = found.st_mtime_ns
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    def unsynced(root):
        paths = [root, *root.rglob("*")]
        states = {path: path.stat() for path in paths}
        return [path for path, one in states.items() if synced.get(one.st_ino) != one.st_mtime_ns]

    return unsynced


def test_values_packages_pointers_and_the_ledger_are_on_the_disk(tmp_path, unsynced):
    root, model = tmp_path / "deep" / "project", fit_model(kills.Means, ("first", "day"))
    models, _, values = kills.stores(root)
    record = values.write(kills.KEY, "run", {"train": [1]}, kills.Label())
    package = models.save(model, {"/".join(kills.KEY): record.value_id})
    values.pin(kills.KEY, record.value_id, package)
    models.make_current(model.run)
    assert len(list(root.rglob("*"))) > 15
    assert unsynced(tmp_path / "deep") == []


@pytest.mark.parametrize("write", [write_atomically, write_once])
def test_single_files_are_on_the_disk(tmp_path, unsynced, write):
    write(UPath(tmp_path / "a/b/file"), b"content")
    assert [one for one in unsynced(tmp_path / "a") if not one.name.endswith(".tmp")] == []


def test_file_systems_that_cannot_sync_folders_are_written_all_the_same(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(UPath(tmp_path / "a/file"), b"content")
    assert (tmp_path / "a/file").read_bytes() == b"content"


def test_a_disk_that_fails_while_it_syncs_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    write_atomically(UPath(tmp_path / "file"), b"old")

    def fsync(descriptor):
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="no"):
        write_atomically(UPath(tmp_path / "file"), b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_transaction_of_the_control_db_is_on_the_disk_when_it_ends(tmp_path):
    db = control_db("sqlite:///control.db", tmp_path)
    with db.write("test") as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
