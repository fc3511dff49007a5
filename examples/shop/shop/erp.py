"""Simulate the ERP of the shop, which exports customers and orders every night.

``python -m shop.erp 100`` writes the export after 100 days.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from shop import HOME

CUSTOMERS, PER_DAY, ON_THEIR_WAY = 80, 10, 20


def export(folder: Path, days: int) -> None:
    """Write ``customers.csv``, and ``orders.csv`` with the orders of the first `days` days."""
    rng = np.random.default_rng(7)
    age, km = rng.integers(18, 80, CUSTOMERS), rng.uniform(5, 600, CUSTOMERS).round()
    often = rng.dirichlet(np.ones(CUSTOMERS))
    number = 365 * PER_DAY
    customer = rng.choice(CUSTOMERS, number, p=often)
    kg = rng.gamma(2, 3, number).round(1)
    took = (1 + km[customer] / 150 + kg / 8 + rng.normal(0, 0.4, number)).round(1)
    day = np.repeat(range(365), PER_DAY)
    customers = pd.DataFrame({"customer_id": range(CUSTOMERS), "age": age, "km": km})
    orders = pd.DataFrame(
        {"customer_id": customer, "day": day, "kg": kg, "delivery_days": took}
    ).head(days * PER_DAY)
    orders.iloc[-ON_THEIR_WAY:, -1] = np.nan
    folder.mkdir(parents=True, exist_ok=True)
    customers.to_csv(folder / "customers.csv", index=False)
    orders.to_csv(folder / "orders.csv", index_label="order_id")


if __name__ == "__main__":
    export(HOME / "export", int(sys.argv[1]))
