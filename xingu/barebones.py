"""A Model and the outside world, without Dagster: what its own methods do in scripts and notebooks.

Its one idea: the same stages and records as the phases of the graph, on what the settings name. A
Model that only predicts never comes here.
"""

import pandas as pd

from xingu.config import Settings
from xingu.errors import DataError
from xingu.estimator import ESTIMATION
from xingu.hooks import call_hook
from xingu.inventory.database import ControlDB
from xingu.inventory.recording import (
    Channel,
    record_estimation_metrics,
    record_estimations,
    record_metrics,
)
from xingu.metrics.collect import MetricRow
from xingu.model import Model
from xingu.sources import Databases, SourceCache, parse_sources, read_sources
from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch, predicted
from xingu.stages.evaluate import (
    measure_batch,
    measure_estimations,
    measure_global,
    measure_sets,
)


def batch_predict(model: Model) -> pd.DataFrame:
    """Read the batch that the DataProvider declares, and estimate it; see `Model.batch_predict`."""
    settings = Settings.load()
    attribute = "batch_predict_dataset_sources"
    declared = call_hook(model.dp, "get_dataset_sources_for_batch_predict", model)
    specs = parse_sources(model.id, attribute, declared)
    databases = _databases(settings)
    databases.check(model.id, attribute, specs)
    cache_folder = settings.datasource_cache
    cached = SourceCache(settings.place(cache_folder) if cache_folder else None)
    workers = settings.datasource_workers
    results = read_sources(model.id, specs, databases, cached, max_workers=workers)
    cleaned = clean_batch(model, {result.name: result.frame for result in results})
    model.batch = engineer_batch(model, cleaned)
    model.batch_estimations = estimate_batch(model, model.batch)
    return model.batch_estimations


def compute_and_save_metrics(model: Model, channel: Channel) -> list[MetricRow]:
    """Measure, and replace what the control DB has; see `Model.compute_and_save_metrics`."""
    control = _control()
    if channel == "global":
        table = measure_global(model)
    elif channel == "trainsets":
        if not model.sets:
            raise DataError(
                f"{model.id}: its sets are not in memory; set model.sets, a dict of frames by name."
            )
        estimations = model.sets_estimations or model.trainsets_predict()
        table = measure_sets(model, model.sets, estimations)
    else:
        batch, estimations = _batch(model)
        Y_pred = predicted(model, estimations)
        table = measure_batch(model, batch, Y_pred)
        of_estimations = measure_estimations(model, batch, Y_pred, table.failures)
        record_estimation_metrics(control, model.run, of_estimations)
    rows = [row for row in table.rows if row.set or channel == "global"]
    record_metrics(control, model.run, rows, {channel})
    table.failures.check()
    return rows


def save_batch_predict_estimations(model: Model) -> None:
    """Replace the estimations that the control DB has of the train."""
    record_estimations(_control(), model.run, _batch(model)[1][ESTIMATION])


def _batch(model: Model) -> tuple[pd.DataFrame, pd.DataFrame]:
    if model.batch is None or model.batch_estimations is None:
        raise DataError(f"{model.id}: nothing was estimated yet; call model.batch_predict() first.")
    return model.batch, model.batch_estimations


def _databases(settings: Settings) -> Databases:
    return Databases(settings.source_databases(), settings.project_home.resolve())


def _control() -> ControlDB:
    settings = Settings.load()
    return ControlDB(_databases(settings), settings.table_prefix)
