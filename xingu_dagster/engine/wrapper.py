"""Base of the executors that run steps in a way of their own and wrap one of Dagster's."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from xingu_dagster.engine.run_process import tag_process

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

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Record the process of the run, then execute the steps and yield their events."""
        tag_process(plan_context.instance, plan_context.dagster_run)
        yield from self.execute_steps(plan_context, execution_plan)

    def execute_steps(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Execute the steps as the executor that is wrapped does; subclasses have their own way."""
        yield from self._stock.execute(plan_context, execution_plan)
