"""Dagster's storage with open connections: the same files, the same contents."""

import multiprocessing
import shutil
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing

import dagster as dg
import pytest
from dagster._check import CheckError
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent
from dagster._core.events.log import EventLogEntry

from tests.support.events import instance_of, number
from xingu_dagster.engine import sqlite
from xingu_dagster.engine.sqlite import EventLogStorage, RunStorage, is_made


def materialize(folder, storage: str) -> str:
    with instance_of(folder, storage) as instance:
        return dg.materialize([number], instance=instance).run_id


def materializations(folder, storage: str) -> list[str]:
    with instance_of(folder, storage) as instance:
        records = instance.fetch_materializations(number.key, limit=100).records
        return [record.run_id for record in records]


@pytest.mark.parametrize(("writer", "reader"), [("ours", "stock"), ("stock", "ours")])
def test_either_storage_reads_what_the_other_wrote(tmp_path, writer, reader):
    run_id = materialize(tmp_path, writer)
    assert materializations(tmp_path, reader) == [run_id]
    with instance_of(tmp_path, reader) as instance:
        assert instance.get_run_by_id(run_id).status == dg.DagsterRunStatus.SUCCESS
        assert len(instance.all_logs(run_id)) > 5


def test_dagster_yaml_opens_it(tmp_path):
    with instance_of(tmp_path, "ours") as instance:
        assert isinstance(instance.event_log_storage, EventLogStorage)
        assert isinstance(instance.run_storage, RunStorage)


def test_processes_that_start_at_once_on_an_empty_folder_lose_nothing(tmp_path):
    instance_of(tmp_path, "ours").dispose()
    for path in tmp_path.glob(".dagster/**/*.db*"):
        path.unlink()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, spawn) as pool:  # a Pool would kill them: Dagster catches SIGTERM
        run_ids = list(pool.map(materialize, [tmp_path] * 4, ["ours"] * 4))
    assert sorted(materializations(tmp_path, "ours")) == sorted(run_ids)


def test_a_file_that_is_about_to_be_made_is_not_taken_for_a_database(tmp_path):
    path = tmp_path / "runs.db"
    assert not is_made(f"sqlite:///{path}")
    path.touch()
    assert not is_made(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num text)")
        assert not is_made(f"sqlite:///{path}")
        database.execute("INSERT INTO alembic_version VALUES ('x')")
        database.commit()
    assert is_made(f"sqlite:///{path}")


def test_only_so_many_databases_stay_open(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "OPEN_DATABASES", 2)
    with instance_of(tmp_path, "ours") as instance:
        runs = [dg.materialize([number], instance=instance).run_id for _ in range(4)]
        assert all(instance.all_logs(run_id) for run_id in runs)
        assert len(sqlite._databases._open) <= 2


def test_all_events_can_be_wiped_and_written_again(tmp_path):
    with instance_of(tmp_path, "ours") as instance:
        dg.materialize([number], instance=instance)
        instance.event_log_storage.wipe()
        assert instance.fetch_materializations(number.key, limit=1).records == []
        dg.materialize([number], instance=instance)
        assert len(instance.fetch_materializations(number.key, limit=9).records) == 1


def planned(run_id, *names):
    for name in names:
        data = AssetMaterializationPlannedData(dg.AssetKey(name))
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value
        event = DagsterEvent(kind, "job", event_specific_data=data)
        yield EventLogEntry(None, 10, "", run_id, time.time(), None, "job", event)


def test_a_batch_of_events_is_stored_as_single_ones_are(tmp_path):
    with instance_of(tmp_path, "ours") as instance:
        storage = instance.event_log_storage
        storage.store_event_batch(list(planned("batch", "a", "b")))
        for event in planned("single", "a", "b"):
            storage.store_event(event)
        batch, single = (
            [event.dagster_event.asset_key for event in storage.get_logs_for_run(run_id)]
            for run_id in ("batch", "single")
        )
        assert batch == single == [dg.AssetKey("a"), dg.AssetKey("b")]
        assert storage.has_asset_key(dg.AssetKey("b"))


def test_a_batch_that_fails_leaves_nothing(tmp_path):
    with instance_of(tmp_path, "ours") as instance:
        storage = instance.event_log_storage
        with pytest.raises(CheckError):
            storage.store_event_batch([*planned("batch", "a"), "no event"])
        assert storage.get_logs_for_run("batch") == []
        assert not storage.has_asset_key(dg.AssetKey("a"))
        storage.store_event_batch(list(planned("batch", "a")))
        assert len(storage.get_logs_for_run("batch")) == 1


def test_a_forked_process_connects_anew_and_both_go_on(tmp_path):
    context = multiprocessing.get_context("fork")
    with instance_of(tmp_path, "ours") as instance:
        dg.materialize([number], instance=instance)
        child = context.Process(target=in_a_fork, args=(instance,))
        child.start()
        for _ in range(5):  # both write into the index
            dg.materialize([number], instance=instance)
        child.join(60)
        assert child.exitcode == 0
        assert len(instance.fetch_materializations(number.key, limit=99).records) == 11
    with closing(sqlite3.connect(tmp_path / ".dagster/history/runs/index.db")) as index:
        assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def in_a_fork(instance):
    inherited = sqlite._databases._open.values()
    assert not any(database.engine.pool.checkedin() for database in inherited)
    assert any(database.has for database in inherited)
    for _ in range(5):
        dg.materialize([number], instance=instance)


def test_a_folder_that_was_replaced_is_opened_anew(tmp_path):
    with instance_of(tmp_path, "ours") as instance:
        dg.materialize([number], instance=instance)
        shutil.rmtree(tmp_path / ".dagster")
        with instance_of(tmp_path, "ours") as other:
            run_id = dg.materialize([number], instance=other).run_id
            records = other.fetch_materializations(number.key, limit=9).records
            assert [record.run_id for record in records] == [run_id]


def test_a_database_that_is_missing_is_made_again(tmp_path):
    with instance_of(tmp_path, "ours") as instance:
        dg.materialize([number], instance=instance)
        for path in (tmp_path / ".dagster/history/runs").iterdir():
            path.unlink()
        assert instance.event_log_storage.all_asset_keys() == []
        dg.materialize([number], instance=instance)
        assert instance.event_log_storage.all_asset_keys() == [number.key]


def record(instance, opened, go_on):
    assert instance.event_log_storage.all_asset_keys() == [number.key]
    opened.set()
    assert go_on.wait(60)
    dg.materialize([number], instance=instance)


LOOK = (
    "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT 1 FROM event_logs').close()"
)


def test_events_of_a_forked_process_stay_when_its_parent_has_closed_the_database(tmp_path):
    context = multiprocessing.get_context("fork")
    opened, go_on = context.Event(), context.Event()
    with instance_of(tmp_path, "ours") as instance:
        dg.materialize([number], instance=instance)
        child = context.Process(target=record, args=(instance, opened, go_on))
        child.start()
        assert opened.wait(60)
        instance_of(tmp_path, "ours").dispose()
        index = str(tmp_path / ".dagster/history/runs/index.db")
        subprocess.run([sys.executable, "-c", LOOK, index], check=True)
        go_on.set()
        child.join(60)
        assert child.exitcode == 0
    assert len(materializations(tmp_path, "stock")) == 2
