"""What a Model costs where it predicts: loading its package, and one row.

Loading is measured after the imports, in a fresh process; one row against what LightGBM itself
takes on the same frame, in turns in one process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from xingu import DataProvider, Model
from xingu.model.provenance import Provenance, library_versions
from xingu.records import TrainRun
from xingu.stages.builder import ProviderBuilder
from xingu.stages.train import clean, engineer, fit, split, tune
from xingu.tuning.resolve import Tuning

LOAD_TARGET, ROW_TARGET = 0.060, 1.3
FEATURES = [f"f{number:02d}" for number in range(20)]

LOAD = """
import json, sys, time
import lightgbm, pandas, xingu.estimators.lightgbm, xingu.registry.packages
from xingu import Model
sys.path.insert(0, sys.argv[2])
import predict
begin = time.perf_counter()
Model.load("bench", path=sys.argv[1])
seconds = time.perf_counter() - begin
heavy = [name for name in ("dagster", "sqlalchemy", "skopt", "plotly") if name in sys.modules]
print(json.dumps({"seconds": seconds, "heavy": heavy}))
"""


class Bench(DataProvider):
    """200 trees on 20 numbers."""

    id = "bench"
    x_features = FEATURES
    y = "price"
    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_params = {"n_estimators": 200, "num_leaves": 63}
    estimator_class_params = {"early_stopping": False}


def train(path: Path) -> Model:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(20_000, 20)), columns=FEATURES)
    rows["price"] = rows.sum(axis=1) + rng.normal(size=len(rows))
    builder = ProviderBuilder(Bench, Model.load, Model)
    splits = split(builder, engineer(builder, clean(builder, {"rows": rows}, {})))
    run = TrainRun("bench", "calm-fox", "brave-day", "run")
    provenance = Provenance(libraries=library_versions())
    chosen = tune(builder, splits, run, Tuning())
    model = fit(builder, splits, chosen, run, provenance).model
    model.save(path)
    return Model.load("bench", path=path)


def one_row(model: Model, repetitions: int) -> None:
    row = pd.DataFrame([np.linspace(-1, 1, 20)], columns=FEATURES)
    booster = model.estimator._booster
    works = {"LightGBM": lambda: booster.predict(row), "Model": lambda: model.predict(row)}
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repetitions):
        for name, work in works.items():
            begin = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = medians["Model"] / medians["LightGBM"]
    texts = ", ".join(f"{name} {value * 1e6:.0f} µs" for name, value in medians.items())
    verdict = "met" if ratio <= ROW_TARGET else "MISSED"
    print(f"one row: {texts}: ratio {ratio:.2f}   target ≤ {ROW_TARGET}   {verdict}")


def loading(path: Path, repetitions: int) -> None:
    command = [sys.executable, "-c", LOAD, str(path), str(Path(__file__).parent)]
    loaded = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(repetitions)
    ]
    median = statistics.median(one["seconds"] for one in loaded)
    verdict = "met" if median <= LOAD_TARGET else "MISSED"
    heavy = loaded[0]["heavy"] or "none"
    target = f"target ≤ {LOAD_TARGET * 1000:.0f} ms"
    print(f"loading a package of 200 trees: {median * 1000:.0f} ms   {target}   {verdict}")
    print(f"imported of dagster, sqlalchemy, skopt, plotly: {heavy}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--repetitions", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = train(Path(folder))
        loading(Path(folder), 5)
        one_row(model, options.repetitions)


if __name__ == "__main__":
    import predict  # the package names the class by its module

    predict.main()
