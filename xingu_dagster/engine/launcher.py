"""The run launcher that `dagster.yaml` names: Dagster's default one, which also checks on its runs.

The run monitoring of the daemon asks it whether the process of a run still runs, and marks the run
as failed if not; then the daemon gives back its places in pools. Runs of commands, which no
launcher has started, are checked too. A process of another machine counts as running.
"""

from functools import cache
from typing import Any

import dagster as dg

from xingu_dagster.engine import compat
from xingu_dagster.engine.run_process import process_of


def __getattr__(name: str) -> Any:
    if name != "RunLauncher":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _checking() if compat.usable("launcher") else dg.DefaultRunLauncher


@cache
def _checking() -> type:
    from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

    class RunLauncher(dg.DefaultRunLauncher):
        """Dagster's default launcher, with a health check."""

        @property
        def supports_check_run_worker_health(self) -> bool:
            """Whether run monitoring may ask."""
            return True

        def check_run_worker_health(self, run: dg.DagsterRun) -> Any:
            """Return whether the process of a run still runs."""
            process = process_of(run)
            if process is None:
                return CheckRunHealthResult(WorkerStatus.RUNNING, "its process is not known")
            if process.state == "ended":
                return CheckRunHealthResult(WorkerStatus.FAILED, f"{process} has ended")
            return CheckRunHealthResult(WorkerStatus.RUNNING, str(process))

    return RunLauncher
