"""Methods of Xingu 2.0 that read data sources for a Model."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from xingu.compat.operations import Operations


class Sources(Operations):
    """Read declared sources with the databases and the cache of the settings."""

    def data_sources_to_data(
        self, data_sources: Mapping[str, Any] | None = None
    ) -> dict[str, pd.DataFrame] | None:
        """Return the frames of declared sources by name; None if there are none.

        Args:
            data_sources: Declarations by name, as `train_dataset_sources` has them.

        Raises:
            DeclarationError: If a declaration is malformed.
            UnknownDatabaseError: If a source names a database that the settings do not have.
            SourceError: If a source cannot be read.
        """
        from xingu.sources import parse_sources, read_sources

        if data_sources is None:
            return None
        workspace, where = self._workspace, "data_sources_to_data"
        specs = parse_sources(self.id, where, data_sources)
        databases, workers = workspace.databases, workspace.source_workers
        databases.check(self.id, where, specs)
        results = read_sources(self.id, specs, databases, workspace.cache(), max_workers=workers)
        found = {result.name: result.frame for result in results}
        return {name: found[name] for name in data_sources}

    def data_sources_group_to_data(
        self, group: str, data_sources: Mapping[str, Any]
    ) -> dict[str, pd.DataFrame]:
        """Return the frames of sources that are read one after the other, on one connection."""
        grouped = {name: {**entry, "group": group} for name, entry in data_sources.items()}
        return self.data_sources_to_data(grouped) or {}

    def data_source_to_data(
        self, sourceid: str, data_source: Mapping[str, Any] | None
    ) -> pd.DataFrame | None:
        """Return the frame of one declared source; None without a declaration."""
        if data_source is None:
            return None
        return (self.data_sources_to_data({sourceid: data_source}) or {})[sourceid]

    def data_source_to_data_from_url(
        self, url: str, params: Mapping[str, Any] | None = None
    ) -> pd.DataFrame | None:
        """Return the content of a file or URL; `params` are those of the pandas reader."""
        return self.data_source_to_data("url", {"url": url, "params": params})

    def data_source_to_data_from_query(self, query: str, con_nickname: str) -> pd.DataFrame | None:
        """Return the result of a query on a database of the settings."""
        return self.data_source_to_data("query", {"source": con_nickname, "query": query})

    def save_sets_cache(self) -> None:
        """Do nothing: sets are values of assets, which are stored by themselves."""
