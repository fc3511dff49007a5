"""The rehearsal of a run: what it makes is there for forked steps, and nothing else is."""

import dagster as dg
import pytest

from tests.graph.test_sqlite_storage import instance_of, number
from xingu_dagster import sqlite_storage
from xingu_dagster.rehearsal import rehearse


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
        found = sqlite_storage._databases._open
        index = next(
            one
            for url, one in found.items()
            if url.endswith(f"{tmp_path.name}/.dagster/history/runs/index.db")
        )
        compiled = len(index.engine._compiled_cache)
        dg.materialize([number], instance=instance)
        assert {"table asset_event_tags", "table asset_check_executions"} <= index.has
        assert len(index.engine._compiled_cache) <= compiled + 1
