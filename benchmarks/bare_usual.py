"""The work of the benchmarks as a data scientist would write it, without any framework.

Straightforward pandas, SQLAlchemy, scikit-learn, LightGBM and plotly, neither
sabotaged nor tuned. Prints a line of JSON: seconds of each stage, and RMSE of the test set.

    python bare_usual.py one OUTPUT_FOLDER     one model, and a batch of 1,000,000 rows
    python bare_usual.py many OUTPUT_FOLDER    20 small models in a loop
"""

import json
import sys
from pathlib import Path

import lightgbm as lgb
import pandas as pd
import plotly.graph_objects as go
import sqlalchemy
from sklearn.metrics import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.model_selection import train_test_split

from bench_data import CATEGORIES, DATABASE, FEATURES, MANY, TARGET, TIMESTAMP
from laps import Laps

PARAMS = {"objective": "regression", "num_leaves": 63, "verbose": -1}
ROUNDS = 200


def add_features(data, categories=None):
    data[TIMESTAMP] = pd.to_datetime(data[TIMESTAMP])
    data["hour"] = data[TIMESTAMP].dt.hour
    data["weekday"] = data[TIMESTAMP].dt.weekday
    for name in CATEGORIES:
        known = categories[name] if categories else None
        data[name] = pd.Categorical(data[name], categories=known)
    return data


def split(data):
    rest, test = train_test_split(data, test_size=round(0.1 * len(data)), random_state=42)
    train, val = train_test_split(rest, test_size=round(0.2 * len(data)), random_state=42)
    return {"train": train, "val": val, "test": test}


def measure(y, estimation):
    return {
        "RMSE": root_mean_squared_error(y, estimation),
        "MAE": mean_absolute_error(y, estimation),
        "Median AE": median_absolute_error(y, estimation),
        "MAPE": mean_absolute_percentage_error(y, estimation),
        "Median APE": float(((estimation - y).abs() / y.abs()).median()),
        "R2": r2_score(y, estimation),
        "Bias": float((estimation - y).mean()),
    }


def draw(y, estimation, folder):
    points = go.Scattergl(x=y, y=estimation, mode="markers", opacity=0.3)
    figure = go.Figure(points)
    figure.update_layout(title="Predicted against true", xaxis_title="true")
    figure.write_html(folder / "predicted_against_true.html")
    figure = go.Figure(go.Histogram(x=estimation - y))
    figure.update_layout(title="Residuals")
    figure.write_html(folder / "residuals.html")


def train_one(engine, table, folder, laps):
    folder.mkdir(parents=True, exist_ok=True)
    data = pd.read_sql(f"SELECT * FROM {table}", engine)
    laps.lap("read")
    data = add_features(data)
    categories = {name: data[name].cat.categories for name in CATEGORIES}
    laps.lap("features")
    sets = split(data)
    laps.lap("split")
    train = sets["train"]
    booster = lgb.train(PARAMS, lgb.Dataset(train[FEATURES], train[TARGET]), ROUNDS)
    laps.lap("fit")
    estimations = {
        name: pd.Series(booster.predict(rows[FEATURES]), index=rows.index)
        for name, rows in sets.items()
    }
    laps.lap("predict sets")
    metrics = {name: measure(sets[name][TARGET], estimations[name]) for name in sets}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1))
    laps.lap("metrics")
    draw(sets["test"][TARGET], estimations["test"], folder)
    laps.lap("plots")
    booster.save_model(folder / "model.txt")
    pd.to_pickle(categories, folder / "categories.pkl")
    laps.lap("save")
    return booster, categories, metrics


def batch_one(engine, booster, categories, folder, laps):
    data = pd.read_sql("SELECT * FROM batch", engine)
    laps.lap("batch read")
    data = add_features(data, categories)
    laps.lap("batch features")
    data["estimation"] = booster.predict(data[FEATURES])
    laps.lap("batch predict")
    data[["id", "estimation"]].to_parquet(folder / "estimations.parquet")
    laps.lap("batch store")


def main():
    laps = Laps()
    laps.lap("import")
    work, folder = sys.argv[1], Path(sys.argv[2])
    engine = sqlalchemy.create_engine(f"sqlite:///{DATABASE}")
    if work == "one":
        booster, categories, metrics = train_one(engine, "train", folder, laps)
        batch_one(engine, booster, categories, folder, laps)
    else:
        for table in MANY:
            _, _, metrics = train_one(engine, table, folder / table, laps)
    laps.report(rmse=metrics["test"]["RMSE"])


if __name__ == "__main__":
    main()
