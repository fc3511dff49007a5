"""Limits of the workers of a run, and of the steps that it executes at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WORK = "xingu/work"
"""Tag of a step: ``train`` or ``post_process``, which have limits of their own."""
WORK_OF: Mapping[str, str] = {
    **dict.fromkeys(("prepare", "tune", "fit"), "train"),
    **dict.fromkeys(("evaluate", "batch", "batch_sinks"), "post_process"),
}


def work_limits(train: int, post_process: int) -> list[dict[str, Any]]:
    """Return limits of the number of steps at once, as Dagster's executors take them; 0: none.

    The phases of one DataProvider that train follow each other, so a limit of such steps is one of
    DataProviders.
    """
    limits = {"train": train, "post_process": post_process}
    return [{"key": WORK, "value": name, "limit": limit} for name, limit in limits.items() if limit]


def dataprovider_of(step_key: str) -> str:
    """Return the DataProvider of a step ``<dataprovider>__<phase>``; empty for other steps."""
    return step_key.rpartition("__")[0]


@dataclass(frozen=True)
class Limits:
    """When a worker is replaced, between two steps; 0: never.

    Attributes:
        workers: Worker processes at once.
        memory_mb: Memory of a worker, in megabytes of 2**20 bytes.
        steps: Steps of a worker.
    """

    workers: int
    memory_mb: int = 0
    steps: int = 0
