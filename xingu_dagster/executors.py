"""How the steps of a run are executed: by default in processes forked from a warm one.

A step's process is forked from a server that has already imported what a step needs, which takes a
tenth of a second in place of several.
"""

import os
from importlib import import_module
from typing import Any

import dagster as dg

from xingu.config.settings import ExecutorName
from xingu.errors import SettingsError
from xingu_dagster.child_events import hear_children_at_once
from xingu_dagster.fork_server import start_fork_server
from xingu_dagster.rehearsal import try_to_rehearse

# Everything that a step's process would import otherwise, found by comparing `sys.modules` in one.
PRELOADED = [
    "adbc_driver_sqlite.dbapi",
    "alembic",
    "coolname",
    "dagster._cli",
    "dagster._core.definitions.external_asset",
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.execution.plan.active",
    "dagster._core.executor.multiprocess",
    "dagster._core.instance.factory",
    "dagster._core.remote_representation",
    "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.migration",
    "dagster._core.storage.migration.utils",
    "dagster._core.storage.root",
    "dagster._core.storage.runs.sqlite.sqlite_run_storage",
    "dagster._core.storage.schedules.sqlite.sqlite_schedule_storage",
    "dagster._core.system_config.composite_descent",
    "dagster._core.utility_ops",
    "dagster._core.workspace.autodiscovery",
    "dagster._utils.temp_file",
    "dagster._utils.test.definitions",
    "filelock",
    "fsspec.implementations.local",
    "git",
    "importlib.readers",
    "importlib.resources.readers",
    "lightgbm",
    "multiprocessing.popen_forkserver",
    "pandas",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "plotly.graph_objects",
    "plotly.offline",
    "pyarrow.parquet",
    "sqlalchemy.dialects.sqlite",
    "upath.implementations.local",
    "watchdog.observers.polling",
    "xingu.estimators.lightgbm",
    "xingu.plots.builtin",
    "xingu.plots.files",
    "xingu.plots.segments",
    "xingu.stages.batch",
    "xingu.stages.evaluate",
    "xingu.stages.train",
    "xingu_dagster.compute_logs",
    "xingu_dagster.sqlite_storage",
    "xingu_dagster.preload",  # last: what it freezes is never collected
]

# Dagster's own executors for clusters: package, attribute.
ELSEWHERE = {
    "celery": ("dagster_celery", "celery_executor"),
    "dask": ("dagster_dask", "dask_executor"),
    "k8s": ("dagster_k8s", "k8s_job_executor"),
}


def be_patient() -> None:
    """Let threads of OpenMP spin only shortly while they wait, unless the environment says how.

    Two steps on two cores that spin for each other's threads were measured at 15 s in place of
    5.6 s; sleeping at once would make a fit that has the machine for itself twice as slow. The
    variables are those of GNU's OpenMP, read when the library is loaded.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def _forking_executor() -> dg.ExecutorDefinition:
    """Return Dagster's multiprocess executor, which finds a fork server when a run begins."""
    theirs = dg.multiprocess_executor

    def create(context: dg.InitExecutorContext) -> Any:
        start_fork_server(PRELOADED, lambda: try_to_rehearse(context.instance))
        assert theirs.executor_creation_fn  # noqa: S101
        return theirs.executor_creation_fn(context)

    schema: Any = theirs.config_schema
    return dg.ExecutorDefinition(
        "forkserver", schema, theirs.get_requirements, create, theirs.description
    )


def build_executor(name: ExecutorName, max_steps: int = 0) -> dg.ExecutorDefinition:
    """Return the executor that the settings name.

    Args:
        name: Which one.
        max_steps: Steps of one run at once, where the executor has such a limit; 0: all cores.

    Raises:
        SettingsError: If its package is not installed.
    """
    be_patient()
    if name == "in_process":
        return dg.in_process_executor
    if name == "forkserver":
        hear_children_at_once()
        return _forking_executor().configured(
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
