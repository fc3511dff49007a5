"""Small DataProviders and data that tests train for real."""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd

from xingu import DataProvider
from xingu.provider.estimator import Estimator

ROWS = 400


def houses(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Houses with a price that depends on size and town."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(30, 200, rows)
    town = rng.choice(["north", "south", "west"], rows)
    price = 3 * size + 50 * (town == "north") + rng.normal(0, 5, rows) + 100
    return pd.DataFrame({"id": range(rows), "size": size, "town": town, "price": price})


def write_database(path: Path, frame: pd.DataFrame | None = None) -> str:
    """Write the table `houses` into a SQLite file and return its URL."""
    with sqlite3.connect(path) as db:
        (houses() if frame is None else frame).to_sql("houses", db, index=False)
    return f"sqlite:///{path}"


def query(sql: str, source: str = "db") -> dict[str, dict[str, str]]:
    """Declare a source called `houses`."""
    return {"houses": {"source": source, "query": sql}}


class MeanEstimator(Estimator):
    """Estimates the mean of the target."""

    def fit(self, datasets, features, target, model=None):
        self.mean = float(datasets["train"][target].mean())
        return self

    def predict(self, data):
        return pd.DataFrame({"estimation": self.mean}, index=data.index)

    def is_classifier(self):
        return False


class Declared(DataProvider):
    """A base class with everything but sources."""

    x_features = ["a"]
    y = "b"
    estimator_class = MeanEstimator


class Houses(DataProvider):
    """Prices of houses."""

    id = "houses"
    train_dataset_sources = {"houses": {"source": "db", "query": "select * from houses"}}
    batch_predict_dataset_sources = {
        "houses": {"source": "db", "query": "select id, size, town from houses where id < 50"}
    }
    x_features = ("size", "town")
    x_estimator_features = ("size", "town_code")
    y = "price"
    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_params = {"n_estimators": 20, "num_leaves": 7, "min_child_samples": 5}

    def clean_data_for_train(self, datasets):
        return datasets["houses"].set_index("id")

    def feature_engineering_for_train(self, data):
        self.town_codes = {town: code for code, town in enumerate(sorted(data["town"].unique()))}
        return self.feature_engineering_for_batch_predict(data)

    def feature_engineering_for_batch_predict(self, data):
        return data.assign(town_code=data["town"].map(self.town_codes))

    def pre_process_for_predict(self, X, model):
        return X if "town_code" in X else self.feature_engineering_for_batch_predict(X)


class Taxes(Houses):
    """Whether a house is expensive, from the estimated price."""

    id = "taxes"
    pre_req = {"houses"}
    x_estimator_features = ("size", "estimated_price")
    y = "expensive"
    estimator_class = "xingu.estimators.LightGBMClassifier"
    proba_class_index = 1

    def clean_data_for_train(self, datasets):
        data = super().clean_data_for_train(datasets)
        data["estimated_price"] = self.pre_req_model["houses"].predict(data)["estimation"]
        return data.assign(expensive=(data["price"] > 450).astype(int)) if "price" in data else data

    def pre_process_for_predict_proba(self, X, model):
        return X


class Expensive(Houses):
    """Whether a house is expensive, from its own features."""

    id = "expensive"
    y = "expensive"
    estimator_class = "xingu.estimators.LightGBMClassifier"
    proba_class_index = 1

    def clean_data_for_train(self, datasets):
        data = super().clean_data_for_train(datasets)
        return data.assign(expensive=(data["price"] > 450).astype(int)) if "price" in data else data

    def pre_process_for_predict_proba(self, X, model):
        return self.pre_process_for_predict(X, model)


class Priced(Houses):
    """Its batch has a target for 40 of 50 rows."""

    batch_predict_dataset_sources = {
        "houses": {
            "source": "db",
            "query": "select id, size, town, case when id < 40 then price end as price "
            "from houses where id < 50",
        }
    }


class Kinds(Priced):
    """Three classes, and rows that count differently."""

    id = "kinds"
    y = "kind"
    sample_weight = "weight"
    estimator_class = "xingu.estimators.LightGBMClassifier"
    proba_class_index = 1

    def clean_data_for_train(self, datasets):
        data = super().clean_data_for_train(datasets)
        kind = pd.cut(data["price"], [0, 300, 500, 9999], labels=["cheap", "fair", "posh"])
        return data.assign(kind=kind.astype(object), weight=data.index % 4)

    def pre_process_for_predict_proba(self, X, model):
        return X
