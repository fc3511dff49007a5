"""The rehearsal of a run: what it makes is there for forked steps, and nothing else is."""

import sqlite3
from contextlib import closing

import dagster as dg
import pytest
from sqlalchemy.exc import OperationalError

from tests.support.events import instance_of, number
from xingu_dagster import sqlite_storage
from xingu_dagster.rehearsal import rehearse, try_to_rehearse


def traces(folder, instance):
    """All that a run would leave."""
    files = {path.name for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm"))}
    storage = instance.event_log_storage
    runs = instance.get_runs()
    events = [len(storage.get_logs_for_run(run.run_id)) for run in runs]
    return files, storage.all_asset_keys(), [run.run_id for run in runs], events


@pytest.mark.parametrize("storage", ["ours", "stock"])
def test_a_rehearsal_leaves_no_trace(tmp_path, capfd, caplog, storage):
    with instance_of(tmp_path, storage) as instance:
        dg.materialize([number], instance=instance)
        before = traces(tmp_path, instance)
        capfd.readouterr()
        caplog.clear()
        rehearse(instance)
        assert caplog.messages == []  # nor does Dagster's telemetry hear of it
        assert capfd.readouterr() == ("", "")
        assert traces(tmp_path, instance) == before


def test_statements_of_steps_are_compiled_afterwards(tmp_path):
    with instance_of(tmp_path, "ours") as instance:
        rehearse(instance)
        url = instance.event_log_storage.conn_string_for_shard("index")
        index = sqlite_storage._databases.get(url)
        assert {"table asset_event_tags", "table asset_check_executions"} <= index.has
        compiled = len(index.engine._compiled_cache)
        dg.materialize([number], instance=instance)
        assert len(index.engine._compiled_cache) <= compiled + 1


def test_a_run_goes_on_without_a_rehearsal_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_storage, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.1)
    with instance_of(tmp_path, "ours") as instance:
        index = tmp_path / ".dagster/history/runs/index.db"
        with closing(sqlite3.connect(index)) as another:
            another.execute("BEGIN IMMEDIATE")
            with pytest.raises(OperationalError, match="locked"):
                rehearse(instance)
            try_to_rehearse(instance)
        assert dg.materialize([number], instance=instance).success
        assert instance.event_log_storage.all_asset_keys() == [number.key]
