"""Tables that dlt loads from the export of the ERP into a DuckDB file."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import dlt
import pandas as pd
from dagster_dlt import DagsterDltResource, DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData

from shop import HOME, LAKE

dlt.config["runtime.dlthub_telemetry"] = False


def read(name: str) -> list[Any]:
    """Return the rows of a file of the export."""
    frame = pd.read_csv(HOME / "export" / f"{name}.csv").astype(object)
    return frame.where(frame.notna(), None).to_dict("records")


@dlt.resource(write_disposition="replace")
def customers() -> Iterator[Any]:
    """Age, and distance from the warehouse."""
    yield read("customers")


@dlt.resource(write_disposition="replace")
def orders() -> Iterator[Any]:
    """Weight, and how long the delivery took."""
    yield read("orders")


@dlt.source
def erp() -> Any:
    """Give the files of the export."""
    return customers, orders


class TablesTranslator(DagsterDltTranslator):
    """Calls the assets as the tables: ``erp/orders``."""

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Return the spec of a table."""
        key = dg.AssetKey(["erp", data.resource.name])
        return super().get_asset_spec(data).replace_attributes(key=key, deps=[])


@dlt_assets(
    dlt_source=erp(),
    dlt_pipeline=dlt.pipeline(
        "erp",
        pipelines_dir=str(HOME / "dlt"),
        destination=dlt.destinations.duckdb(str(LAKE)),
        dataset_name="erp",
    ),
    dagster_dlt_translator=TablesTranslator(),
    group_name="erp",
)
def tables(context: dg.AssetExecutionContext, dlt: DagsterDltResource) -> Iterator[Any]:
    """Load the export."""
    yield from dlt.run(context=context, dlt_source=erp())
