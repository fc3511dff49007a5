"""Read the values of phases from anywhere else in Dagster: other assets, notebooks, scripts.

Phases store their values themselves; this IO manager is for everybody else, so it hands out what
people want to see: frames without state, and a Model in place of its name.
"""

from typing import Any

import dagster as dg

from xingu.state import PreparedFrame, PreparedSplits
from xingu.storage.values import Label
from xingu_dagster.model_ref import ModelRef
from xingu_dagster.resources import Workplace


class XinguIOManager(dg.IOManager):
    """Values of the value store by asset key."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace

    def load_input(self, context: dg.InputContext) -> Any:
        """Return the value of an asset: that of the upstream's run, else the latest."""
        upstream = context.upstream_output
        run_ids = [upstream.run_id] if upstream is not None else []
        value = self.workplace.values.read(tuple(context.asset_key.path), run_ids).value
        if isinstance(value, PreparedFrame):
            return value.frame
        if isinstance(value, PreparedSplits):
            return dict(value.frames)
        if isinstance(value, ModelRef):
            return self.workplace.models.load(value.dataprovider_id, value.train_id)
        return value

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store the value of an asset that is not made by a phase."""
        key = tuple(context.asset_key.path)
        self.workplace.values.write(key, context.run_id, obj, Label(None, {}), "open")
