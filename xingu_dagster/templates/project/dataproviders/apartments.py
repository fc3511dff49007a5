"""The price of an apartment: an example to train, to change and to replace.

Every attribute and hook of a DataProvider has a default; this class overrides those that it needs.
"""

from collections.abc import Mapping

import pandas as pd
from xingu import DataProvider


class ApartmentPrice(DataProvider):
    """Estimates the price of an apartment, in euros, from its advertisement.

    It learns from apartments that were sold; the newest sales test it. The batch estimates the
    apartments that are for sale now. The data is made up.
    """

    id = "apartment_price"
    train_dataset_sources = {"sold": {"url": "data/apartments_sold.csv"}}
    batch_predict_dataset_sources = {"for_sale": {"url": "data/apartments_for_sale.csv"}}
    batch_predict_sinks = {"prices": {"url": "estimations/apartment_price.csv"}}

    x_features = ["town", "size", "rooms", "built", "floor", "condition"]
    y = "price"

    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_params = {"n_estimators": 500, "early_stopping_rounds": 30}
    estimator_hyperparams = {"learning_rate": 0.05, "num_leaves": 15}
    estimator_hyperparams_search_space = {
        "learning_rate": ("loguniform", {"low": 0.01, "high": 0.3}),
        "num_leaves": ("int", {"low": 4, "high": 63}),
    }
    quality_gates = {"test": {"R2": (">=", 0.8)}}

    def clean_data_for_train(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Return one row per sale; its index names the row in everything that follows."""
        return datasets["sold"].set_index("id")

    def clean_data_for_batch_predict(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Return one row per apartment that is for sale."""
        return datasets["for_sale"].set_index("id")

    def data_split_for_train(self, data: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Train on older sales, and test on the newest, as the model will be used."""
        data = data.sort_values("sold_on")
        test = round(self.test_size * len(data))
        val = round(self.val_size * len(data))
        train = len(data) - val - test
        return {
            "train": data.iloc[:train],
            "val": data.iloc[train : train + val],
            "test": data.iloc[train + val :],
        }
