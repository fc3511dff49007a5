"""The DataProvider of `one_model.py`: the work of the bare scripts, declared."""

import pandas as pd

from xingu import DataProvider

FLOATS = [f"f{number:02d}" for number in range(20)]
INTEGERS = [f"n{number}" for number in range(4)]
CATEGORIES = ["region", "channel", "product", "store"]


class Bench(DataProvider):
    """Price of a sale, from numbers, categories and the time of sale."""

    id = "bench"
    train_dataset_sources = {"rows": {"source": "bench", "query": "SELECT * FROM train"}}
    batch_predict_dataset_sources = {"rows": {"source": "bench", "query": "SELECT * FROM batch"}}
    x_features = [*FLOATS, *INTEGERS, *CATEGORIES, "hour", "weekday"]
    y = "price"
    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_class_params = {"early_stopping": False}
    estimator_params = {"n_estimators": 200, "num_leaves": 63}

    def clean_data_for_train(self, datasets):
        """Let the id name the rows."""
        return datasets["rows"].set_index("id")

    def feature_engineering_for_train(self, data):
        """Learn the categories, then add the features."""
        data = self.add_features(data)
        self.categories = {name: data[name].cat.categories for name in CATEGORIES}
        return data

    def feature_engineering_for_batch_predict(self, data):
        """Add the features with the categories of the train."""
        return self.add_features(data, self.categories)

    def add_features(self, data, categories=None):
        """Add hour and weekday of the sale, and code the categories."""
        moment = pd.to_datetime(data["sold_at"])
        known = categories or {}
        return data.assign(
            sold_at=moment,
            hour=moment.dt.hour,
            weekday=moment.dt.weekday,
            **{name: pd.Categorical(data[name], known.get(name)) for name in CATEGORIES},
        )
