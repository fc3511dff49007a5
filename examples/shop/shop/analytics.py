"""Frames that the analysts of the shop make, of tables and of estimations."""

import dagster as dg
import duckdb
import pandas as pd

from shop import LAKE

CUSTOMERS = """
select customer_id, any_value(age) as age, any_value(km) as km,
    count(*) filter (day < 60) as orders, coalesce(avg(kg) filter (day < 60), 0) as mean_kg,
    (count(*) filter (day >= 60) > 2)::integer as comes_back
from erp.orders join erp.customers using (customer_id)
group by customer_id order by customer_id
"""


@dg.asset(
    key=["analytics", "customers"],
    deps=[["erp", "orders"], ["erp", "customers"]],
    group_name="analytics",
    kinds={"duckdb", "pandas"},
    automation_condition=dg.AutomationCondition.eager(),
)
def customers() -> pd.DataFrame:
    """Orders of each customer in the first 60 days, and whether more than two followed later."""
    with duckdb.connect(str(LAKE)) as lake:
        return lake.execute(CUSTOMERS).df()


@dg.asset(
    key=["analytics", "late_orders"],
    ins={"estimations": dg.AssetIn(["delivery_days", "batch", "estimations"])},
    group_name="analytics",
    kinds={"pandas"},
    automation_condition=dg.AutomationCondition.eager(),
)
def late_orders(estimations: pd.DataFrame) -> pd.DataFrame:
    """Orders on their way that will take more than four days."""
    return estimations[estimations["estimation"] > 4]
