"""Functions in processes of their own at the same time."""

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def at_once(function: Callable[..., Any], arguments: Iterable[tuple], processes: int) -> list[Any]:
    """Call a function of a module in `processes` spawned processes, and return all results."""
    context = multiprocessing.get_context("spawn")
    # Leaving a `Pool` terminates its processes, which may hold a lock that others wait for.
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return [one.result() for one in [pool.submit(function, *given) for given in arguments]]
