"""Share the cores between the steps that run at the same time, so that threads do not multiply.

Without it, two fits at once on two cores have two threads of OpenMP each, which wait for others.
A step keeps its share until it ends. Shares are counted by DataProvider: its steps that run beside
its fit read data, and a model that is trained alone has all cores.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from threadpoolctl import threadpool_limits

from xingu.cores import all_cores, share_of_cores


def share(groups: int) -> int:
    """Return the cores for each of so many DataProviders, at least one."""
    return max(1, all_cores() // max(1, groups))


@contextmanager
def limited_to(cores: int, api: Literal["openmp"] | None = None) -> Iterator[None]:
    """Limit the threads of OpenMP and BLAS that this thread starts in the block.

    GNU's OpenMP, which LightGBM and XGBoost use, has this limit per thread, BLAS per process.

    Args:
        cores: Number of threads.
        api: Limit OpenMP alone, because several threads of this process are in such blocks.
    """
    if cores >= all_cores():
        yield
        return
    with share_of_cores(cores), threadpool_limits(cores, api):
        yield
