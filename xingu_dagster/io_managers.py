"""IO manager that loads values of phases as inputs of users' own assets.

Phases read and write the value store themselves. Users' assets receive frames without the state of
the DataProvider, and a Model in place of its `ModelRef`.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import dagster as dg

from xingu.provider.state import PreparedFrame, PreparedSplits
from xingu.records import ModelRef
from xingu.values import Label
from xingu.workspace import Workspace
from xingu_dagster.resources import XinguResource, workspace_of
from xingu_dagster.translator import XinguTranslator


class XinguIOManager(dg.IOManager):
    """Values of assets by key, as frames and Models.

    The assets of a `XinguProject` have it already. A code location that has only their keys, as
    external assets, gets one of its own::

        dg.Definitions(resources={"xingu_io": XinguIOManager(XinguResource(values=…))}, …)

    and names it for the input: ``dg.AssetIn(["houses", "model"], input_manager_key="xingu_io")``.

    Args:
        source: The resource of the project, or its Workspace.
        key_prefix: That of the translator.
    """

    def __init__(
        self, source: XinguResource | Workspace, key_prefix: str | Sequence[str] = ()
    ) -> None:
        self._source = source
        self._prefix = XinguTranslator(key_prefix).key_prefix

    @cached_property
    def workspace(self) -> Workspace:
        """Where the values are."""
        if isinstance(self._source, Workspace):
            return self._source.below(self._prefix)
        with self._source.outside_of_steps() as ready:
            return ready.workspace.below(self._prefix)

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


@cache
def io_manager_of(resource_key: str, prefix: tuple[str, ...]) -> dg.IOManagerDefinition:
    """Return the IO manager of the project whose resource has this key, as a run configures it.

    Equal arguments give the same object, because Dagster merges no two.
    """

    def create(context: dg.InitResourceContext) -> XinguIOManager:
        return XinguIOManager(workspace_of(context.resources, resource_key, prefix))

    return dg.IOManagerDefinition(create, required_resource_keys={resource_key})
