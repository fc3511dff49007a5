"""What a search for hyperparameters costs, and what it finds, on the demo's `departure_delay`.

Three ratios: a search over the time of its fits, two workers over one, and the best of a search
over the best that Optuna's own study finds with the same budget. Needs `python -m demo.warehouse
build` and `pip install optuna`. Run it on an idle machine; `--rows` makes it short.
"""

import argparse
import logging
import os
import statistics
import time
import warnings
from typing import Any, ClassVar

import duckdb
import optuna
import pandas as pd

from dataproviders.flights import DepartureDelay
from demo.warehouse import WAREHOUSE
from xingu.estimators import LightGBMRegressor
from xingu.metrics.regression import rmse
from xingu.model import Model
from xingu.records import TrainRun
from xingu.tuning.search import SearchRoom

RUN = TrainRun("departure_delay", "calm-fox", "brave-day", "run")
SPACE: dict[str, Any] = DepartureDelay.estimator_hyperparams_search_space
Sets = dict[str, pd.DataFrame]


class Timed(LightGBMRegressor):
    """Adds up how long its fits take."""

    seconds: ClassVar[float] = 0.0

    def fit(self, *args: Any, **kwargs: Any) -> "Timed":
        """Fit, and take the time."""
        began = time.perf_counter()
        super().fit(*args, **kwargs)
        Timed.seconds += time.perf_counter() - began
        return self


class Searched(DepartureDelay):
    """The demo's model, with nothing declared that lies in its search space."""

    estimator_class = Timed
    estimator_class_params = {"log_every": 0}
    estimator_hyperparams = {"subsample_freq": 1}


def read_sets(rows: int | None) -> Sets:
    provider = Searched()
    with duckdb.connect(WAREHOUSE, read_only=True) as warehouse:
        query = provider.train_dataset_sources["flights"]["query"]
        datasets = {
            "flights": warehouse.sql(query).to_arrow_table().to_pandas(),
            "airports": pd.read_csv(WAREHOUSE.with_name("airports.csv")),
        }
    data = provider.feature_engineering_for_train(provider.clean_data_for_train(datasets))
    sets = dict(provider.data_split_for_train(data))
    if rows:
        sets["train"] = sets["train"].sample(min(rows, len(sets["train"])), random_state=0)
    return sets


def search(
    sets: Sets, workers: int, plan: dict[str, Any], params: dict[str, Any] | None = None
) -> tuple[float, float, float]:
    """Return seconds, seconds of its fits, and the best RMSE of `val`."""
    provider = Searched()
    provider.hyperopt, provider.estimator_params = (
        plan,
        {**provider.estimator_params, **(params or {})},
    )
    model = Model(provider, provider.make_estimator(), RUN)
    model.sets, model.search = sets, SearchRoom(workers=workers)
    Timed.seconds, began = 0.0, time.perf_counter()
    model.hyperparam_optimize()
    seconds = time.perf_counter() - began
    values = [trial.value for trial in model.search.log.trials if trial.value is not None]
    return seconds, Timed.seconds, min(values)


def optuna_tpe(sets: Sets, evaluations: int, seed: int) -> float:
    """Return the best RMSE of `val` that Optuna's own study finds."""
    provider = Searched()
    features, val = tuple(provider.get_estimator_features_list()), sets["val"]

    def objective(trial: optuna.Trial) -> float:
        params = {
            name: (trial.suggest_int if kind == "int" else trial.suggest_float)(
                name, args["low"], args["high"], log=kind == "loguniform" or "log" in args
            )
            for name, (kind, args) in SPACE.items()
        }
        estimator = provider.make_estimator({**provider.get_estimator_hyperparams(), **params})
        assert estimator is not None
        estimator.fit(sets, features, "dep_delay")
        return rmse(val["dep_delay"], estimator.predict(val)["estimation"])

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=evaluations)
    return study.best_value


def report(what: str, value: float, target: float, note: str = "") -> None:
    verdict = "met" if value <= target else "MISSED"
    print(f"{what:<44}{value:7.4f}   target ≤ {target:g}   {verdict}  {note}", flush=True)


def measure_overhead(sets: Sets, evaluations: int) -> None:
    for method in ("gp", "forest"):
        total, fits, _ = search(sets, 1, {"method": method, "evaluations": evaluations})
        report(
            f"{method}: search ÷ its fits", total / fits, 1.1, f"{total:.1f} s, fits {fits:.1f} s"
        )


def measure_workers(sets: Sets, evaluations: int) -> None:
    plan = {"method": "random", "evaluations": evaluations}  # the same points for both
    two, _, _ = search(sets, 2, plan)
    for name, params in (("one thread each", {"num_threads": 1}), ("LightGBM's threads", {})):
        one, _, _ = search(sets, 1, plan, params)
        report(f"2 workers ÷ 1 worker, {name}", two / one, 0.65, f"{two:.1f} s, {one:.1f} s")


def measure_quality(sets: Sets, evaluations: int, seeds: int, methods: list[str]) -> None:
    theirs = [optuna_tpe(sets, evaluations, seed) for seed in range(seeds)]
    print(f"Optuna TPE: {', '.join(f'{value:.4f}' for value in theirs)}", flush=True)
    for method in methods:
        plan = {"method": method, "evaluations": evaluations}
        ours = [search(sets, 1, {**plan, "seed": seed})[2] for seed in range(seeds)]
        print(f"{method}: {', '.join(f'{value:.4f}' for value in ours)}", flush=True)
        ratio = statistics.median(ours) / statistics.median(theirs)
        report(f"{method}: median RMSE ÷ that of Optuna", ratio, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=["overhead", "workers", "quality", []])
    parser.add_argument("--evaluations", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, help="Only so many rows of `train`.")
    parser.add_argument("--methods", nargs="*", default=["gp", "forest", "optuna"])
    options = parser.parse_args()
    wanted = options.what or ["overhead", "workers", "quality"]
    logging.getLogger("xingu").setLevel(logging.ERROR)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    sets = read_sets(options.rows)
    rows = {name: len(frame) for name, frame in sets.items()}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {rows}", flush=True)
    if "overhead" in wanted:
        measure_overhead(sets, options.evaluations)
    if "workers" in wanted:
        measure_workers(sets, options.evaluations)
    if "quality" in wanted:
        measure_quality(sets, options.evaluations, options.seeds, options.methods)


if __name__ == "__main__":
    main()
