"""The definitions of the shop."""

import dagster as dg
from dagster_dlt import DagsterDltResource

from shop import HOME
from shop.analytics import customers, late_orders
from shop.models import models
from shop.storage import ParquetFolder
from shop.tables import tables

defs = dg.Definitions.merge(
    dg.Definitions(
        assets=[tables, customers, late_orders],
        resources={"dlt": DagsterDltResource(), "io_manager": ParquetFolder(folder=str(HOME))},
        executor=dg.in_process_executor,  # a file of DuckDB is open in one process at a time
    ),
    models.definitions(),
)
