"""The work of `bare_usual.py one`, optimized by hand, in one plain process.

Rows stay in Arrow, read over ADBC, until LightGBM takes them. Only needed columns are read, and
nothing is copied twice.

    python bare_tight.py OUTPUT_FOLDER
"""

import json
import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from adbc_driver_sqlite import dbapi
from sklearn.model_selection import train_test_split

from bench_data import CATEGORIES, DATABASE, FEATURES, FLOATS, INTEGERS, TARGET, TIMESTAMP
from laps import Laps

PARAMS = {"objective": "regression", "num_leaves": 63, "verbose": -1}
ROUNDS = 200


def read(query):
    with dbapi.connect(str(DATABASE)) as connection, connection.cursor() as cursor:
        # The driver infers types from its first batch; bigger batches also cost less.
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "65536"})
        cursor.execute(query)
        return cursor.fetch_arrow_table()


def features(table, categories):
    """Return the columns that LightGBM takes; categories are coded as in `categories`."""
    moment = pc.cast(table[TIMESTAMP], pa.timestamp("s"))
    columns = {name: table[name].to_numpy() for name in [*FLOATS, *INTEGERS]}
    for name in CATEGORIES:
        codes = pc.index_in(table[name], value_set=categories[name]).to_numpy()
        columns[name] = pd.Categorical.from_codes(codes, categories[name].to_pandas())
    columns["hour"] = pc.hour(moment).cast(pa.int8()).to_numpy()
    columns["weekday"] = pc.day_of_week(moment).cast(pa.int8()).to_numpy()
    return pd.DataFrame(columns, copy=False)[FEATURES]


def measure(y, estimation):
    error = estimation - y
    distance, size = np.abs(error), np.abs(y)
    return {
        "RMSE": float(np.sqrt(np.mean(error**2))),
        "MAE": float(distance.mean()),
        "Median AE": float(np.median(distance)),
        "MAPE": float(np.mean(distance / size)),
        "Median APE": float(np.median(distance / size)),
        "R2": float(1 - np.sum(error**2) / np.sum((y - y.mean()) ** 2)),
        "Bias": float(error.mean()),
    }


def draw(y, estimation, folder):
    points = go.Scattergl(x=y, y=estimation, mode="markers", opacity=0.3)
    layout = {"title": "Predicted against true", "xaxis": {"title": "true"}}
    go.Figure(points, layout).write_html(folder / "predicted_against_true.html", validate=False)
    histogram = go.Histogram(x=estimation - y)
    layout = {"title": "Residuals"}
    go.Figure(histogram, layout).write_html(folder / "residuals.html", validate=False)


def train(folder, laps):
    table = read("SELECT * FROM train")
    laps.lap("read")
    categories = {name: pc.unique(table[name]).sort() for name in CATEGORIES}
    X, y = features(table, categories), table[TARGET].to_numpy()
    laps.lap("features")
    rest, test = train_test_split(np.arange(len(X)), test_size=round(0.1 * len(X)), random_state=42)
    fit, val = train_test_split(rest, test_size=round(0.2 * len(X)), random_state=42)
    sets = {"train": fit, "val": val, "test": test}
    rows = {name: X.iloc[places] for name, places in sets.items()}
    laps.lap("split")
    booster = lgb.train(PARAMS, lgb.Dataset(rows["train"], y[fit]), ROUNDS)
    laps.lap("fit")
    estimations = {name: booster.predict(rows[name]) for name in sets}
    laps.lap("predict sets")
    metrics = {name: measure(y[sets[name]], estimations[name]) for name in sets}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1))
    laps.lap("metrics")
    draw(y[test], estimations["test"], folder)
    laps.lap("plots")
    booster.save_model(folder / "model.txt")
    pd.to_pickle(categories, folder / "categories.pkl")
    laps.lap("save")
    return booster, categories, metrics


def batch(booster, categories, folder, laps):
    table = read("SELECT * FROM batch")
    laps.lap("batch read")
    X = features(table, categories)
    laps.lap("batch features")
    estimation = booster.predict(X)
    laps.lap("batch predict")
    pq.write_table(
        pa.table({"id": table["id"], "estimation": estimation}), folder / "estimations.parquet"
    )
    laps.lap("batch store")


def main():
    laps = Laps()
    laps.lap("import")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    booster, categories, metrics = train(folder, laps)
    batch(booster, categories, folder, laps)
    laps.report(rmse=metrics["test"]["RMSE"])


if __name__ == "__main__":
    main()
