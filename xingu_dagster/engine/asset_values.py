"""Load the value of another asset inside a step, as the IO manager of that asset stored it.

`context.load_asset_value` creates the IO manager without the configuration of the run, never
closes it, and loads one partition. So this uses the class behind it; without it, that function is
called for each partition.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from xingu_dagster.engine.compat import usable

STUB = "dagster/auto_created_stub_asset"
"""Metadata of an asset of which the definitions have only the key."""


class UndefinedAssetError(LookupError):
    """The definitions of the run have only the key of an asset."""


@dataclass(frozen=True, slots=True)
class AssetValue:
    """The value that an IO manager returned.

    Attributes:
        value: The value; of several partitions, usually a dict by partition key.
        partitions: Keys of the materialized partitions; None if the asset has none.
    """

    value: Any
    partitions: Sequence[str] | None = None


@contextmanager
def loaded_value(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    partition: tuple[dg.PartitionsDefinition, str] | None = None,
) -> Iterator[AssetValue]:
    """Load the value of an asset, of all materialized partitions if it is partitioned.

    An asset with the same partitions as the running step gives the partition of the step only.

    Resources of the IO manager are open until the end of the block.

    Raises:
        UndefinedAssetError: If the definitions of the run have only its key.
        LookupError: If it is partitioned, and no partition was materialized.
        Exception: Whatever the IO manager raises.
    """
    # Has the type of a private module.
    layer: Any = context.op_execution_context.job_def.asset_layer
    node = layer.get(key)
    if STUB in node.metadata:
        raise UndefinedAssetError(key.to_user_string())
    partitions = _materialized(context, key, node.partitions_def)
    if partitions is not None and partition and node.partitions_def == partition[0]:
        if partition[1] not in partitions:
            raise LookupError(f"its partition {partition[1]} was not materialized")
        partitions = [partition[1]]
    if usable("asset_values"):
        with _loaded(context, key, node, partitions) as value:
            yield AssetValue(value, partitions)
    elif partitions is None:
        yield AssetValue(context.load_asset_value(key))
    else:
        parts = {one: context.load_asset_value(key, partition_key=one) for one in partitions}
        yield AssetValue(parts, partitions)


@contextmanager
def _loaded(
    context: dg.AssetExecutionContext, key: dg.AssetKey, node: Any, partitions: Sequence[str] | None
) -> Iterator[Any]:
    """Yield the value; all partitions are loaded by one call of the IO manager."""
    from dagster._core.storage.asset_value_loader import AssetValueLoader

    configured: Any = context.run.run_config.get("resources") or {}
    definitions = node.assets_def.resource_defs
    config = {name: one for name, one in configured.items() if name in definitions}
    chosen: dict[str, Any] = {}
    if partitions is not None:
        chosen["partition_key_range"] = dg.PartitionKeyRange(partitions[0], partitions[-1])
        chosen["input_definition_metadata"] = {"allow_missing_partitions": True}
    with AssetValueLoader({key: node.assets_def}, context.instance) as loader:
        yield loader.load_asset_value(key, resource_config=config, **chosen)


def _materialized(
    context: dg.AssetExecutionContext, key: dg.AssetKey, partitions: dg.PartitionsDefinition | None
) -> Sequence[str] | None:
    if partitions is None:
        return None
    made = context.instance.get_materialized_partitions(key)
    keys = partitions.get_partition_keys(dynamic_partitions_store=context.instance)
    found = [one for one in keys if one in made]
    if not found:
        raise LookupError("no partition of it was materialized")
    return found
