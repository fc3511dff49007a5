"""IO manager that loads values of phases as inputs of users' own assets.

Phases read and write the value store themselves. Users' assets receive frames without the state of
the DataProvider, and a Model in place of its `ModelRef`.
"""

from typing import Any

import dagster as dg

from xingu.provider.state import PreparedFrame, PreparedSplits
from xingu.records import ModelRef
from xingu.values import Label
from xingu.workspace import Workspace


class XinguIOManager(dg.IOManager):
    """Values of the value store by asset key."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def load_input(self, context: dg.InputContext) -> Any:
        """Return the value of an asset from the upstream's run, else the latest."""
        upstream = context.upstream_output
        run_ids = [upstream.run_id] if upstream is not None else []
        value = self.workspace.values.read(tuple(context.asset_key.path), run_ids).value
        if isinstance(value, PreparedFrame):
            return value.frame
        if isinstance(value, PreparedSplits):
            return dict(value.frames)
        if isinstance(value, ModelRef):
            return self.workspace.models.load(value.dataprovider_id, value.train_id)
        return value

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store the value of a user's own asset."""
        key = tuple(context.asset_key.path)
        self.workspace.values.write(key, context.run_id, obj, Label(), "open")
