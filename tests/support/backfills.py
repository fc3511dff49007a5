"""Let Dagster's daemon make a backfill of a project, in this process."""

import logging
import sys
import time
from collections.abc import Sequence

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.backfill import execute_backfill_iteration

from tests.support.project import Project

AT_ONCE = {
    "run_launcher": {"module": "dagster._core.launcher.sync_in_memory_run_launcher",
                     "class": "SyncInMemoryRunLauncher"},
    "run_coordinator": {"module": "dagster._core.run_coordinator.default_run_coordinator",
                        "class": "DefaultRunCoordinator"},
}  # fmt: skip
"""An instance that executes runs in this process, as soon as they are asked for."""
FILE = """
from pathlib import Path

from {module} import {cls}
from tests.support.project import Project

defs = Project(Path({home!r}), [{cls}]).definitions
"""


def backfill(project: Project, partitions: Sequence[str]) -> list[str]:
    """Let a backfill run to its end; return the partitions of each of its runs."""
    cls, file = project.providers[0], project.home / "defs_of_backfill.py"
    file.write_text(FILE.format(module=cls.__module__, cls=cls.__name__, home=str(project.home)))
    target = LoadableTargetOrigin(
        executable_path=sys.executable, python_file=str(file), attribute="defs"
    )
    origin = InProcessCodeLocationOrigin(target, location_name="backfill")
    folder = project.home / "instance"
    folder.mkdir()
    with (
        dg.DagsterInstance.local_temp(str(folder), AT_ONCE) as instance,
        WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as workspace,
    ):
        graph = workspace.create_request_context().asset_graph
        wanted = {"raw", "cleaned", "features", "estimations"}
        found = graph.materializable_asset_keys
        keys = [key for key in found if key.path[1] == "batch" and key.path[2] in wanted]
        job = PartitionBackfill.from_asset_partitions(
            "one", graph, partitions, keys, time.time(), {}, instance,
            all_partitions=False, title=None, description=None, run_config=None,
        )  # fmt: skip
        instance.add_backfill(job)
        for _ in range(2 + len(partitions)):
            list(execute_backfill_iteration(workspace, logging.getLogger("backfill")))
        ended = instance.get_backfill("one")
        assert ended is not None
        assert ended.status.value == "COMPLETED_SUCCESS"
        made = instance.get_materialized_partitions(dg.AssetKey(["houses", "batch", "estimations"]))
        assert made == set(partitions)
        return sorted(_partitions(run.tags) for run in instance.get_runs())


def _partitions(tags):
    ends = [tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end")]
    return tags.get("dagster/partition") or "..".join(map(str, ends))
