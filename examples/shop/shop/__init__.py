"""A Dagster project with tables of dlt and frames of its own, and models of Xingu downstream."""

import os
from pathlib import Path

HOME = Path(os.environ.get("SHOP_HOME", Path(__file__).parents[1] / "data"))
LAKE = HOME / "lake.duckdb"
