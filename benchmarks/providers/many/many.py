"""The 20 DataProviders of `many_models.py`: one base class, and a table for each."""

import pandas as pd

from xingu import DataProvider

FLOATS = [f"f{number:02d}" for number in range(20)]
INTEGERS = [f"n{number}" for number in range(4)]
CATEGORIES = ["region", "channel", "product", "store"]


class Many(DataProvider):
    """Price of a sale, of one table."""

    x_features = [*FLOATS, *INTEGERS, *CATEGORIES, "hour", "weekday"]
    y = "price"
    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_class_params = {"early_stopping": False}
    estimator_params = {"n_estimators": 200, "num_leaves": 63}

    def clean_data_for_train(self, datasets):
        """Let the id name the rows."""
        return datasets["rows"].set_index("id")

    def feature_engineering_for_train(self, data):
        """Add hour and weekday of the sale, and code the categories."""
        moment = pd.to_datetime(data["sold_at"])
        return data.assign(
            sold_at=moment,
            hour=moment.dt.hour,
            weekday=moment.dt.weekday,
            **{name: pd.Categorical(data[name]) for name in CATEGORIES},
        )


for number in range(20):
    table = f"many_{number:02d}"
    source = {"source": "bench", "query": f"SELECT * FROM {table}"}
    globals()[table] = type(
        table, (Many,), {"id": table, "train_dataset_sources": {"rows": source}}
    )
