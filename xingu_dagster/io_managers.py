"""IO manager that loads values of phases as inputs of users' own assets.

Phases read and write the value store themselves. Users' assets receive frames without the state of
the DataProvider, and a Model in place of its `ModelRef`.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import dagster as dg
import pandas as pd

from xingu.errors import DataError, MissingValueError
from xingu.provider.state import PreparedFrame, PreparedSplits
from xingu.records import ModelRef
from xingu.values import Key, Label, partition_key
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
        """Return the value of an asset from the upstream's run, else the latest.

        Several partitions of an asset are a dict by key or, for an input that is a DataFrame, one
        frame of the rows of all. With the metadata ``allow_missing_partitions`` of the input, those
        that were not made are left out.

        Raises:
            MissingValueError: If a value, or that of a partition, was never made.
        """
        key = tuple(context.asset_key.path)
        if not context.has_asset_partitions:
            return self._load(context, key)
        partitions = list(context.asset_partition_keys)
        if len(partitions) == 1:
            return self._load(context, partition_key(key, partitions[0]))
        found = {}
        for one in partitions:
            try:
                found[one] = self._load(context, partition_key(key, one))
            except MissingValueError:
                if not context.definition_metadata.get("allow_missing_partitions"):
                    raise
        if context.dagster_type.typing_type is pd.DataFrame and found:
            return pd.concat(list(found.values()))
        return found

    def _load(self, context: dg.InputContext, key: Key) -> Any:
        upstream = context.upstream_output
        run_ids = [upstream.run_id] if upstream is not None else []
        value = self.workspace.values.read(key, run_ids).value
        if isinstance(value, PreparedFrame):
            return value.frame
        if isinstance(value, PreparedSplits):
            return dict(value.frames)
        if isinstance(value, ModelRef):
            return self.workspace.models.load(value.dataprovider_id, value.train_id)
        return value

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store the value of a user's own asset, or of one partition of it.

        Raises:
            DataError: If the value is of several partitions.
        """
        key = tuple(context.asset_key.path)
        if context.has_asset_partitions:
            if len(context.asset_partition_keys) > 1:
                raise DataError(
                    f"{'/'.join(key)} was made for several partitions in one step, of which no "
                    "value is told apart; materialize them in a run each."
                )
            key = partition_key(key, context.asset_partition_key)
        self.workspace.values.write(key, context.run_id, obj, Label(), "open")


@cache
def io_manager_of(resource_key: str, prefix: tuple[str, ...]) -> dg.IOManagerDefinition:
    """Return the IO manager of the project whose resource has this key, as a run configures it.

    Equal arguments give the same object, because Dagster merges no two.
    """

    def create(context: dg.InitResourceContext) -> XinguIOManager:
        return XinguIOManager(workspace_of(context.resources, resource_key, prefix))

    return dg.IOManagerDefinition(create, required_resource_keys={resource_key})
