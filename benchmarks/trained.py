"""Score of a trained model, computed without the framework that trained it.

LightGBM's text file is read from the model storage and applied to the test rows of the bare
scripts, so the score does not depend on the metrics of the framework.
"""

from pathlib import Path

import lightgbm as lgb
import pandas as pd
import sqlalchemy

from bare_usual import add_features, measure, split
from bench_data import DATABASE, FEATURES, TARGET


def newest_booster(models: Path) -> lgb.Booster:
    """Return the model that was written last below `models`.

    Raises:
        SystemExit: If there is none in LightGBM's text format.
    """
    files = [file for file in models.rglob("*") if file.is_file() and _is_booster(file)]
    if not files:
        raise SystemExit(f"No model in LightGBM's text format below {models}.")
    return lgb.Booster(model_file=max(files, key=lambda file: file.stat().st_mtime_ns))


def _is_booster(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(5) == b"tree\n"


def test_rmse(models: Path, table: str) -> float:
    """Return the RMSE of the newest model below `models` on the test rows of `table`."""
    booster = newest_booster(models)
    if booster.num_trees() != 200 or set(booster.feature_name()) != set(FEATURES):
        raise SystemExit(f"{booster.num_trees()} trees of {booster.feature_name()}: other work.")
    engine = sqlalchemy.create_engine(f"sqlite:///{DATABASE}")
    rows = split(add_features(pd.read_sql(f"SELECT * FROM {table}", engine)))["test"]
    estimation = booster.predict(rows[booster.feature_name()])
    return measure(rows[TARGET], pd.Series(estimation, rows.index))["RMSE"]
