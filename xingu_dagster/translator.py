"""XinguTranslator: keys, groups, descriptions, kinds, tags and owners of assets.

Its methods are pure functions of their arguments. Override them to name assets differently: phases,
checks and the value store use the keys that `get_asset_key` returns.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from xingu.checks.check import AssetPath
from xingu.names import key_part
from xingu.provider.base import DataProvider
from xingu.sources.tables import SqlTable

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
    """Properties of an asset of a DataProvider, from which it is named.

    Attributes:
        provider: The class of the DataProvider.
        path: Path of the asset below the DataProvider, for example ``("batch", "features")``.
        kinds: Technologies, which the UI shows as icons.
        description: Description of this asset; empty: that of its path.
    """

    provider: type[DataProvider]
    path: AssetPath
    kinds: Collection[str] = ()
    description: str = ""


class XinguTranslator:
    """Names the assets of DataProviders."""

    def get_asset_key(self, dp_id: str, path: AssetPath) -> dg.AssetKey:
        """Return the key of an asset: ``<dp>/<path>``."""
        return dg.AssetKey((key_part(dp_id), *path))

    def get_source_key(self, dp_id: str, path: AssetPath) -> dg.AssetKey:
        """Return the key of the external data of a source: ``sources/<dp>/<path>``."""
        return dg.AssetKey(("sources", key_part(dp_id), *path))

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

    def get_group_name(self, provider: type[DataProvider]) -> str:
        """Return the group of all assets of a DataProvider."""
        return key_part(str(provider.id))

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

    def get_asset_spec(
        self, props: AssetProps, deps: Sequence[dg.AssetKey], code_version: str
    ) -> dg.AssetSpec:
        """Return the spec of an asset.

        Args:
            props: Its properties.
            deps: Keys of the assets that it depends on.
            code_version: Version of the code of the DataProvider.
        """
        return dg.AssetSpec(
            self.get_asset_key(str(props.provider.id), props.path),
            deps=deps,
            description=self.get_description(props),
            group_name=self.get_group_name(props.provider),
            code_version=code_version,
            skippable=True,
            kinds=self.get_kinds(props),
            owners=self.get_owners(props),
            tags=self.get_tags(props),
        )
