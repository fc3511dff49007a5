"""Built-in metrics, and the collection of metrics that methods of users return."""

from xingu.metrics.builtin import Measured, classification_metrics, regression_metrics
from xingu.metrics.classification import (
    accuracy,
    average_precision,
    brier,
    f1,
    ks,
    log_loss,
    macro_f1,
    precision,
    recall,
    roc_auc,
)
from xingu.metrics.collect import MetricTable, metric_rows
from xingu.metrics.ranking import auc_of_ranks
from xingu.metrics.regression import bias, mae, mape, median_ae, median_ape, r2, rmse
from xingu.provider.methods import call_method, find_methods
from xingu.records import MetricRow

__all__ = [
    "Measured",
    "MetricRow",
    "MetricTable",
    "accuracy",
    "auc_of_ranks",
    "average_precision",
    "bias",
    "brier",
    "call_method",
    "classification_metrics",
    "f1",
    "find_methods",
    "ks",
    "log_loss",
    "macro_f1",
    "mae",
    "mape",
    "median_ae",
    "median_ape",
    "metric_rows",
    "precision",
    "r2",
    "recall",
    "regression_metrics",
    "rmse",
    "roc_auc",
]
