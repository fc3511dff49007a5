"""The IO manager of the shop: a parquet file for each asset."""

from pathlib import Path

import dagster as dg
import pandas as pd


class ParquetFolder(dg.ConfigurableIOManager):
    """Frames as ``<folder>/<key>.parquet``."""

    folder: str

    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame) -> None:
        """Write a frame."""
        path = self._path(context)
        path.parent.mkdir(parents=True, exist_ok=True)
        obj.to_parquet(path)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Read a frame."""
        return pd.read_parquet(self._path(context))

    def _path(self, context: dg.InputContext | dg.OutputContext) -> Path:
        return Path(self.folder, *context.asset_key.path).with_suffix(".parquet")
