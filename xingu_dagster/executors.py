"""How the steps of a run are executed: by default in processes forked from a warm one.

A step's process is forked from a server that has already imported what a step needs, which takes a
third of a second in place of several.
"""

import os
from importlib import import_module

import dagster as dg

from xingu.config.settings import ExecutorName
from xingu.errors import SettingsError

PRELOADED = [
    "dagster._cli",
    "dagster._core.remote_representation",
    "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "dagster._core.storage.runs.sqlite.sqlite_run_storage",
    "dagster._core.storage.schedules.sqlite.sqlite_schedule_storage",
    "alembic",
    "sqlalchemy.dialects.sqlite",
    "upath",
    "pandas",
    "pyarrow.parquet",
    "lightgbm",
    "xingu_dagster.definitions",
]

# Dagster's own executors for clusters: package, attribute.
ELSEWHERE = {
    "celery": ("dagster_celery", "celery_executor"),
    "dask": ("dagster_dask", "dask_executor"),
    "k8s": ("dagster_k8s", "k8s_job_executor"),
}


def build_executor(name: ExecutorName, max_steps: int = 0) -> dg.ExecutorDefinition:
    """Return the executor that the settings name.

    Args:
        name: Which one.
        max_steps: Steps of one run at once, where the executor has such a limit; 0: all cores.

    Raises:
        SettingsError: If its package is not installed.
    """
    if name == "in_process":
        return dg.in_process_executor
    if name == "forkserver":
        return dg.multiprocess_executor.configured(
            {
                "max_concurrent": max_steps or os.cpu_count() or 1,
                "start_method": {"forkserver": {"preload_modules": PRELOADED}},
            },
            name="forkserver",
        )
    package, attribute = ELSEWHERE[name]
    try:
        return getattr(import_module(package), attribute)
    except ImportError as error:
        raise SettingsError(
            f"XINGU_EXECUTOR={name} needs the package {package.replace('_', '-')}, which is not "
            f"installed ({error}); install it, or choose forkserver or in_process."
        ) from error
