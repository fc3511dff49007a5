"""Days until an order arrives. Reads tables of dlt by SQL."""

from xingu import DataProvider

ORDERS = """
select order_id, kg, km, delivery_days
from erp.orders join erp.customers using (customer_id)
"""


class DeliveryDays(DataProvider):
    """Days until an order arrives."""

    id = "delivery_days"
    train_dataset_sources = {
        "delivered": {"source": "lake", "query": f"{ORDERS} where delivery_days is not null"}
    }
    batch_predict_dataset_sources = {
        "open": {"source": "lake", "query": f"{ORDERS} where delivery_days is null"}
    }
    x_features = ["kg", "km"]
    y = "delivery_days"
    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_params = {"n_estimators": 40, "num_leaves": 7}

    def clean_data_for_train(self, datasets):
        """Index by order, in the order of their ids: a database promises none."""
        return next(iter(datasets.values())).set_index("order_id").sort_index()
