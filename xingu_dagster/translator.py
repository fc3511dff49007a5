"""XinguTranslator: keys, groups, descriptions, kinds, tags, owners and conditions of assets.

Its methods are pure functions of their arguments. Override them to name assets differently: phases,
checks and the value store use the keys that `get_asset_key` and `get_source_key` return.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from xingu.checks.check import AssetPath
from xingu.errors import DeclarationError
from xingu.names import key_part
from xingu.provider.base import DataProvider
from xingu.provider.partitions import parse_partitions
from xingu.sources.sql_names import SqlTable
from xingu_dagster.partitions import partitions_def_of

DESCRIPTIONS: Mapping[str, str] = {
    "cleaned": "One frame of all sources, cleaned (`clean_data_for_train`).",
    "features": "The cleaned frame with features (`feature_engineering_for_train`).",
    "splits": "The rows in disjoint sets (`data_split_for_train`).",
    "hyperparameters": "Parameters of the estimator, and their origin.",
    "trainset_estimations": "Estimations of the model for each set.",
    "trainset_metrics": "Metrics of the model for each set.",
    "plots": "Plots of the model for each set.",
    "batch/cleaned": "One frame of all batch sources, cleaned (`clean_data_for_batch_predict`).",
    "batch/features": "Batch rows with features (`feature_engineering_for_batch_predict`).",
    "batch/estimations": "One estimation for each batch row.",
    "batch/metrics": "Metrics of the batch and of its estimations.",
    "batch/plots": "Plots of the batch.",
}


@dataclass(frozen=True, slots=True)
class AssetProps:
    """Properties of an asset of a DataProvider, from which its spec is made.

    Attributes:
        provider: The class of the DataProvider.
        path: Path of the asset below the DataProvider, for example ``("batch", "features")``; of
            external data, the path below its sources, for example ``("batch", "orders")``.
        kinds: Technologies, which the UI shows as icons.
        description: Description of this asset; empty: that of its path.
        metadata: Metadata of the definition: references to the code.
        deps: Keys of the assets that it depends on.
        code_version: Version of the code of the DataProvider; None for external data.
        is_source: Whether this is the external data of a source.
    """

    provider: type[DataProvider]
    path: AssetPath
    kinds: Collection[str] = ()
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    deps: Sequence[dg.AssetKey] = ()
    code_version: str | None = None
    is_source: bool = False

    @property
    def dp_id(self) -> str:
        """Id of the DataProvider."""
        return str(self.provider.id)


class XinguTranslator:
    """Names and describes the assets of DataProviders.

    Override `get_asset_spec` to change anything but the key, or the method of one property::

        class TeamTranslator(XinguTranslator):
            def get_asset_spec(self, props):
                spec = super().get_asset_spec(props)
                return spec.merge_attributes(metadata={"layer": props.path[0]})

    Args:
        key_prefix: First parts of all keys, as a list or separated by ``/``. A `XinguProject` keeps
            values, models, plots and tables of each prefix apart.
        database_pools: Concurrency pools of databases, by nickname.

    Raises:
        DeclarationError: If a part is not made of letters, digits and ``_``.
    """

    def __init__(
        self,
        key_prefix: str | Sequence[str] = (),
        database_pools: Mapping[str, str] | None = None,
    ) -> None:
        self.database_pools = dict(database_pools or {})
        if not isinstance(key_prefix, str | Sequence):
            raise DeclarationError(
                f"key_prefix must be a text such as 'team/models', or a list, not {key_prefix!r}."
            )
        parts = key_prefix.split("/") if isinstance(key_prefix, str) else key_prefix
        self.key_prefix = tuple(parts) if key_prefix else ()
        for part in self.key_prefix:
            if not part or part != key_part(part):
                raise DeclarationError(
                    f"key_prefix={key_prefix!r}: {part!r} is no part of a key; write letters, "
                    "digits and _, because folders and tables are named after it."
                )

    def get_asset_key(self, dp_id: str, path: AssetPath) -> dg.AssetKey:
        """Return the key of an asset: ``<prefix>/<dp>/<path>``."""
        return dg.AssetKey((*self.key_prefix, key_part(dp_id), *path))

    def get_source_key(self, dp_id: str, path: AssetPath) -> dg.AssetKey:
        """Return the key of the external data of a source: ``<prefix>/sources/<dp>/<path>``."""
        return dg.AssetKey((*self.key_prefix, "sources", key_part(dp_id), *path))

    def table_asset_key(self, nickname: str, table: SqlTable) -> dg.AssetKey | None:  # noqa: ARG002
        """Return the asset that makes a table that queries read; None, the default: none does.

        Override it to connect queries to the assets of dbt, dlt or others, for example with
        ``dg.AssetKey([table.schema, table.name])``.

        Args:
            nickname: The database.
            table: The table as the query names it: its schema and catalog may be empty.
        """
        return None

    @property
    def maps_tables(self) -> bool:
        """Whether `table_asset_key` is overridden; else no SQL is parsed for the graph."""
        return type(self).table_asset_key is not XinguTranslator.table_asset_key

    def get_batch_partitions(self, provider: type[DataProvider]) -> dg.PartitionsDefinition | None:
        """Return the partitions of the batch of a DataProvider: those that it declares.

        An override may return any definition of Dagster; one without periods of time has no
        ``:partition_start``.
        """
        declared = parse_partitions(str(provider.id), provider.batch_partitions)
        return partitions_def_of(declared) if declared else None

    def get_group_name(self, provider: type[DataProvider]) -> str:
        """Return the group of all assets of a DataProvider."""
        return "/".join((*self.key_prefix, key_part(str(provider.id))))

    def get_database_pool(self, nickname: str) -> str | None:
        """Return the pool that steps hold while they read or write a database; None: none."""
        return self.database_pools.get(nickname)

    def get_description(self, props: AssetProps) -> str:
        """Return the description of an asset."""
        return props.description or DESCRIPTIONS["/".join(props.path)]

    def get_kinds(self, props: AssetProps) -> set[str]:
        """Return the kinds of an asset."""
        return set(props.kinds)

    def get_tags(self, props: AssetProps) -> Mapping[str, str]:
        """Return the tags of an asset."""
        return dict(props.provider.tags)

    def get_owners(self, props: AssetProps) -> Sequence[str]:
        """Return the owners of an asset: e-mail addresses, or ``team:name``."""
        return list(props.provider.owners)

    def get_metadata(self, props: AssetProps) -> Mapping[str, Any]:
        """Return the metadata of the definition of an asset: references to its code."""
        return props.metadata

    def get_automation_condition(self, props: AssetProps) -> dg.AutomationCondition | None:  # noqa: ARG002
        """Return when Dagster materializes an asset by itself; None, the default: never."""
        return None

    def get_asset_spec(self, props: AssetProps) -> dg.AssetSpec:
        """Return the spec of an asset, made from what the other methods return.

        An override may replace everything but the key, which `get_asset_key` decides, because other
        assets name it as well.
        """
        get_key = self.get_source_key if props.is_source else self.get_asset_key
        return dg.AssetSpec(
            get_key(props.dp_id, props.path),
            deps=props.deps,
            description=self.get_description(props),
            group_name=self.get_group_name(props.provider),
            code_version=props.code_version,
            skippable=True,
            kinds=self.get_kinds(props),
            owners=self.get_owners(props),
            tags=self.get_tags(props),
            metadata=self.get_metadata(props),
            automation_condition=self.get_automation_condition(props),
        )


def names_by_key_part(dp_id: str, attribute: str, names: Iterable[str]) -> dict[str, str]:
    """Return names by the parts of keys that they become.

    Args:
        dp_id: Id of the DataProvider, for errors.
        attribute: What declares the names, for errors.
        names: Names of sources or of sinks.

    Raises:
        DeclarationError: If two names become the same part.
    """
    by_part: dict[str, str] = {}
    for name in names:
        other = by_part.setdefault(key_part(name), name)
        if other != name:
            raise DeclarationError(
                f"{dp_id}.{attribute}: {other!r} and {name!r} both become the asset key part "
                f"{key_part(name)!r}; rename one.",
                dataprovider_id=dp_id,
            )
    return by_part
