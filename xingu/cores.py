"""The cores that this thread may use: all, or its share while others train models, too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_share: ContextVar[int | None] = ContextVar("cores", default=None)


def all_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # containers and `taskset` give fewer than the machine has
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def own_cores() -> int:
    """Return the number of cores that this thread may use."""
    return _share.get() or all_cores()


@contextmanager
def share_of_cores(cores: int) -> Iterator[None]:
    """Let this thread use so many cores in the block."""
    token = _share.set(cores)
    try:
        yield
    finally:
        _share.reset(token)
