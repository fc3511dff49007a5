"""Run the hooks of the demo's DataProviders in order, without the asset graph."""

from pathlib import Path

import duckdb
import pandas as pd

from xingu import DataProvider
from xingu.model import Model
from xingu.records import TrainRun


def read(provider: DataProvider, warehouse: Path, batch: bool = False) -> dict[str, pd.DataFrame]:
    """Read the declared sources."""
    sources = (
        provider.get_dataset_sources_for_batch_predict()
        if batch
        else provider.get_dataset_sources_for_train()
    )
    with duckdb.connect(warehouse, read_only=True) as database:
        return {
            name: database.sql(entry["query"]).to_arrow_table().to_pandas()
            if "query" in entry
            else pd.read_csv(warehouse.parent / Path(entry["url"]).name)
            for name, entry in sources.items()
        }


def train_sets(provider: DataProvider, warehouse: Path) -> dict[str, pd.DataFrame]:
    """From the sources to the split."""
    data = provider.clean_data_for_train(read(provider, warehouse))
    data = provider.feature_engineering_for_train(data)
    return dict(provider.data_split_for_train(provider.last_pre_process_for_train(data)))


def batch_rows(provider: DataProvider, warehouse: Path) -> pd.DataFrame:
    """From the batch sources to the features."""
    data = provider.clean_data_for_batch_predict(read(provider, warehouse, batch=True))
    return provider.feature_engineering_for_batch_predict(data)


def fit(provider: DataProvider, sets: dict[str, pd.DataFrame], **hyperparams) -> Model:
    """Fit a Model with some hyperparameters changed."""
    estimator = provider.make_estimator({**provider.get_estimator_hyperparams(), **hyperparams})
    run = TrainRun(str(provider.id), "a-train", "a-session", "a-run")
    return Model(provider, estimator, run).fit(sets)
