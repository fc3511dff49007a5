"""Backfills of batches with partitions, as Dagster's daemon makes them."""

import logging
import sys
import time

import dagster as dg
import pytest
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.backfill import execute_backfill_iteration

from tests.support.project import Project
from tests.support.toys import Houses

DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"]
AT_ONCE = {
    "run_launcher": {"module": "dagster._core.launcher.sync_in_memory_run_launcher",
                     "class": "SyncInMemoryRunLauncher"},
    "run_coordinator": {"module": "dagster._core.run_coordinator.default_run_coordinator",
                        "class": "DefaultRunCoordinator"},
}  # fmt: skip
"""An instance that executes runs in this process, as soon as they are asked for."""
FILE = """
from pathlib import Path

from tests.graph.test_backfills import {cls}
from tests.support.project import Project

defs = Project(Path({home!r}), [{cls}]).definitions
"""


class Days(Houses):
    """Three houses each day."""

    batch_predict_dataset_sources = {
        "houses": {
            "source": "db",
            "query": "select id, size, town from houses where id / 3 = "
            "cast(julianday(:partition_start) - julianday('2026-01-01') as integer)",
        }
    }
    batch_partitions = {"daily": DAYS[0]}


class DaysInOneRun(Days):
    batch_partitions = {"daily": DAYS[0], "backfill": "one_run"}


def backfill(project: Project) -> list[str]:
    """Let a backfill run to its end; return the partitions of each of its runs."""
    file = project.home / "defs_of_backfill.py"
    file.write_text(FILE.format(cls=project.providers[0].__name__, home=str(project.home)))
    target = LoadableTargetOrigin(
        executable_path=sys.executable, python_file=str(file), attribute="defs"
    )
    origin = InProcessCodeLocationOrigin(target, location_name="backfill")
    folder = project.home / "instance"
    folder.mkdir()
    with (
        dg.DagsterInstance.local_temp(str(folder), AT_ONCE) as instance,
        WorkspaceProcessContext(instance, InProcessTestWorkspaceLoadTarget(origin)) as workspace,
    ):
        graph = workspace.create_request_context().asset_graph
        keys = [key for key in graph.materializable_asset_keys if key.path[1] == "batch"]
        job = PartitionBackfill.from_asset_partitions(
            "one", graph, DAYS, keys, time.time(), {}, instance,
            all_partitions=False, title=None, description=None, run_config=None,
        )  # fmt: skip
        instance.add_backfill(job)
        for _ in range(9):
            list(execute_backfill_iteration(workspace, logging.getLogger("backfill")))
        assert instance.get_backfill("one").status.value == "COMPLETED_SUCCESS"
        made = instance.get_materialized_partitions(dg.AssetKey(["houses", "batch", "estimations"]))
        assert made == set(DAYS)
        return sorted(_partitions(run.tags) for run in instance.get_runs())


def _partitions(tags):
    ends = [tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end")]
    return tags.get("dagster/partition") or "..".join(map(str, ends))


@pytest.mark.parametrize(
    ("cls", "runs"), [(Days, DAYS), (DaysInOneRun, [f"{DAYS[0]}..{DAYS[-1]}"])]
)
def test_a_backfill_makes_each_partition_in_runs_as_declared(cls, runs, tmp_path):
    project = Project(tmp_path, [cls])
    project.run("houses/*", raise_on_error=False)  # without a partition: trains only
    assert backfill(project) == runs
    key = ("houses", "batch", "estimations", "partitions")
    for number, day in enumerate(DAYS):
        stored = project.values.read((*key, day.replace("-", "_")))
        assert list(stored.value.frame.index) == [3 * number, 3 * number + 1, 3 * number + 2]
        assert stored.record.facts.partition == day
