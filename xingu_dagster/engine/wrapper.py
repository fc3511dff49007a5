"""Base of the executors that run steps in a way of their own and wrap one of Dagster's."""

from typing import Any

import dagster as dg

SECONDS_OF_SILENCE = 0.2
"""Time until an executor looks for signals, and for steps that wait for a retry or a pool."""


class WrapperExecutor(dg.Executor):
    """An executor with the retries and dependencies of another one.

    Args:
        stock: An executor of Dagster, configured.
    """

    def __init__(self, stock: dg.Executor) -> None:
        self._stock = stock

    @property
    def retries(self) -> Any:
        """Whether steps are retried."""
        return self._stock.retries

    @property
    def step_dependency_config(self) -> Any:
        """When a step can begin."""
        return self._stock.step_dependency_config
