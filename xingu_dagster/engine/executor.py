"""The executor that the settings name: by default a pool of worker processes.

Where this Dagster does not have what the pool needs, its own multiprocess executor takes its place.
"""

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import dagster as dg

from xingu.config.kinds import ExecutorName
from xingu.cores import all_cores
from xingu.errors import SettingsError
from xingu_dagster.engine import compat
from xingu_dagster.engine.limits import Limits
from xingu_dagster.engine.wrapper import WrapperExecutor

# Dagster's own executors for clusters: package, attribute.
ELSEWHERE = {
    "celery": ("dagster_celery", "celery_executor"),
    "dask": ("dagster_dask", "dask_executor"),
    "k8s": ("dagster_k8s", "k8s_job_executor"),
}


# What phases import when they run: it takes longer than a small step.
PRELOADED = (
    "sklearn.model_selection",
    "xingu.estimators.lightgbm",
    "xingu.plots.builtin",
    "xingu.plots.files",
    "xingu.stages.batch",
    "xingu.stages.evaluate",
    "xingu.stages.train",
)
DESCRIPTION = (
    "Execute the steps of a run in worker processes that live as long as the run. The start "
    "method applies only where Dagster's multiprocess executor stands in."
)


def build_executor(
    name: ExecutorName,
    max_steps: int = 0,
    memory_mb: int = 0,
    worker_steps: int = 0,
    limits: Sequence[Mapping[str, Any]] = (),
) -> dg.ExecutorDefinition:
    """Return the executor that the settings name.

    Args:
        name: Which one.
        max_steps: Steps of one run at once, where the executor has such a limit; 0: all cores.
        memory_mb: Memory above which a worker of the pool is replaced; 0: no limit.
        worker_steps: Steps after which a worker of the pool is replaced; 0: no limit.
        limits: Limits of steps of the pool by tag, as of `work_limits`.

    Raises:
        SettingsError: If its package is not installed.
    """
    if name == "in_process":
        return _in_process()
    if name == "pool":
        most = max([all_cores(), *(limit["limit"] for limit in limits)])
        return _pool_executor(Limits(max_steps or most, memory_mb, worker_steps), limits)
    package, attribute = ELSEWHERE[name]
    try:
        return getattr(import_module(package), attribute)
    except ImportError as error:
        raise SettingsError(
            f"XINGU_EXECUTOR={name} needs the package {package.replace('_', '-')}, which is not "
            f"installed ({error}); install it, or choose pool or in_process."
        ) from error


def _pool_executor(most: Limits, by_tag: Sequence[Mapping[str, Any]]) -> dg.ExecutorDefinition:
    """Return the pool, with the run configuration of Dagster's multiprocess executor."""
    stock = dg.multiprocess_executor

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        limit_openmp_spinning()
        config: dict[str, Any] = _start_method() | dict(context.executor_config)
        config["max_concurrent"] = config.get("max_concurrent") or most.workers
        config["tag_concurrency_limits"] = [
            *(config.get("tag_concurrency_limits") or []),
            *map(dict, by_tag),
        ]
        assert stock.executor_creation_fn  # noqa: S101
        executor = stock.executor_creation_fn(context._replace(executor_config=config))
        if not compat.usable("pool"):
            return WrapperExecutor(executor)
        from xingu_dagster.engine.pool_executor import PoolExecutor

        limits = replace(most, workers=config["max_concurrent"])
        return PoolExecutor(executor, limits, PRELOADED, config["tag_concurrency_limits"])

    schema: Any = stock.config_schema
    return dg.ExecutorDefinition("pool", schema, stock.get_requirements, create, DESCRIPTION)


def thread_executor(workers: int) -> dg.ExecutorDefinition:
    """Return the executor that runs steps in threads of this process.

    Args:
        workers: Steps at the same time; 1, or a Dagster without what it needs: one after the other.
    """
    if workers < 2 or not compat.usable("threads"):
        return _in_process()
    stock = dg.in_process_executor

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        from xingu_dagster.engine.threads import ThreadExecutor

        assert stock.executor_creation_fn  # noqa: S101
        return ThreadExecutor(stock.executor_creation_fn(context), workers)

    schema: Any = stock.config_schema
    text = "Execute the steps of a run in threads of its process."
    return dg.ExecutorDefinition("threads", schema, None, create, text)


def _in_process() -> dg.ExecutorDefinition:
    """Return Dagster's in-process executor, which records the process of the run first."""
    stock = dg.in_process_executor

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        assert stock.executor_creation_fn  # noqa: S101
        return WrapperExecutor(stock.executor_creation_fn(context))

    schema: Any = stock.config_schema
    text = "Execute the steps of a run one after the other, in its process."
    return dg.ExecutorDefinition("in_process", schema, None, create, text)


def _start_method() -> dict[str, Any]:
    """Return how stock Dagster starts the process of each step, where it stands in for the pool."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return {}
    return {"start_method": {"forkserver": {}}}


def limit_openmp_spinning() -> None:
    """Let threads of OpenMP spin only shortly while they wait, unless the environment says how.

    Two steps on two cores that spin for each other's threads were measured at 15 s instead of
    5.6 s; sleeping at once would make a fit that has the machine for itself twice as slow. The
    variables are those of GNU's OpenMP, read when the library is loaded.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


xingu_executor = build_executor("pool")
"""The pool of worker processes, one for each core, for the definitions of any project."""
