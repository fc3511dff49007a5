"""Estimate, measure and draw the sets that a Model was trained on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xingu.errors import HookError
from xingu.hooks import call_hook
from xingu.metrics.builtin import Measured, classification_metrics, regression_metrics
from xingu.metrics.collect import CLASSICAL, MetricRow, MetricTable, call_method, find_methods
from xingu.model import Model
from xingu.plots.collect import figures_of
from xingu.state import PreparedSplits, ProviderState

Sets = Mapping[str, pd.DataFrame]
MAIN_SETS = ("test", "val", "train")
BATCH = "batch"
GLOBAL_METRICS = "compute_global_model_metrics"


@dataclass(frozen=True, slots=True)
class Rows:
    """What is measured or drawn: rows with features and maybe target, and their estimations."""

    name: str
    XY: pd.DataFrame
    Y_pred: pd.DataFrame


def estimate_sets(model: Model, splits: PreparedSplits) -> PreparedSplits:
    """Return the estimations of each set: probabilities from a classifier, else numbers."""
    model.sets = splits.frames
    estimations = model.trainsets_predict()
    state = ProviderState.capture(model.dp, "post_process_after_predict", splits.state.pre_reqs)
    return PreparedSplits(estimations, state)


def measure_sets(model: Model, sets: Sets, estimations: Sets) -> list[MetricRow]:
    """Return the classical metrics, then those of the Model's and the DataProvider's methods.

    Raises:
        HookError: If a method raises, returns no metrics, or repeats a name.
    """
    model.sets, model.sets_estimations = sets, estimations
    call_hook(model.dp, "pre_process_for_trainsets_metrics", model)
    table = MetricTable(model.id)
    for name in sets:
        rows = Rows(name, sets[name], estimations[name])
        _add_classical(table, model, rows)
        _add_family(table, model, "compute_trainsets_model_metrics", rows)
    _add_family(table, model, GLOBAL_METRICS, None)
    call_hook(model.dp, "post_process_after_trainsets_metrics", model)
    return table.rows


def measure_global(model: Model) -> list[MetricRow]:
    """Return the metrics of the whole Model."""
    table = MetricTable(model.id)
    _add_family(table, model, GLOBAL_METRICS, None)
    return table.rows


def measure_batch(model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame) -> list[MetricRow]:
    """Return the metrics of a batch: classical ones if its target is known, then the methods'."""
    rows = Rows(BATCH, XY, Y_pred)
    table = MetricTable(model.id)
    _add_classical(table, model, rows)
    _add_family(table, model, "compute_batch_model_metrics", rows)
    return table.rows


def measure_estimations(model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame) -> pd.DataFrame:
    """Return the metrics of single estimations, indexed as the batch.

    Returns:
        Columns ``name``, ``value_number`` and ``value_text``, one row per estimation and metric.
    """
    wanted = ["name", "value_number", "value_text"]
    tables = []
    for origin, method in _family(model, "compute_estimation_metrics"):
        table = call_method(origin, method, XY=XY, Y_pred=Y_pred, model=model)
        if not isinstance(table, pd.DataFrame) or "name" not in table:
            raise HookError(
                f"{origin} returned {type(table).__name__}; it must return a DataFrame with the "
                f"columns {', '.join(wanted)}."
            )
        tables.append(table.reindex(columns=wanted))
    if not tables:
        return pd.DataFrame({"name": [], "value_number": [], "value_text": []})
    return pd.concat(tables)


def classical_metrics(model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame) -> Measured:
    """Return the classical metrics of estimations whose target is in `XY`; none without it."""
    target = model.signature().target
    if target is None or target not in XY:
        return Measured({}, {})
    if model.estimator is None or not model.is_classifier():
        return regression_metrics(XY[target], model.estimation_of(Y_pred))
    classes = model.estimator.classes()
    return classification_metrics(XY[target], Y_pred, classes, model.dp.proba_class_index)


def main_metrics(model: Model, sets: Sets) -> tuple[str, Measured]:
    """Return the classical metrics of the set that judges best: test, else val, else train."""
    name = next(name for name in MAIN_SETS if name in sets)
    return name, classical_metrics(model, sets[name], model.estimate(sets[name]))


def draw_sets(model: Model, sets: Sets, estimations: Sets) -> dict[str, Any]:
    """Return figures by name: the built-in ones of each set, then those of the methods.

    Raises:
        HookError: If a method raises, returns no figures, or repeats a name.
    """
    from xingu.plots.importance import importance

    figures: dict[str, Any] = {}
    for name in sets:
        rows = Rows(name, sets[name], estimations[name])
        drawn = _builtin_plots(model, rows)
        drawn |= _draw_family(model, "render_trainsets_model_plots", rows)
        figures |= {f"{plot} ({name})": figure for plot, figure in drawn.items()}
    weights = model.estimator.feature_importance() if model.estimator else None
    if weights is not None and len(weights):
        figures["Feature importance"] = importance(weights)
    return figures | _draw_family(model, "render_global_model_plots", None)


def draw_batch(model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame) -> dict[str, Any]:
    """Return figures of a batch by name; built-in ones only if its target is known."""
    rows = Rows(BATCH, XY, Y_pred)
    return _builtin_plots(model, rows) | _draw_family(model, "render_batch_model_plots", rows)


def _builtin_plots(model: Model, rows: Rows) -> dict[str, Any]:
    from xingu.plots.builtin import classification_plots, regression_plots

    target = model.signature().target
    if target is None or target not in rows.XY:
        return {}
    truth = rows.XY[target]
    if model.estimator is None or not model.is_classifier():
        return dict(regression_plots(truth, model.estimation_of(rows.Y_pred), target, rows.name))
    classes, index = model.estimator.classes(), model.dp.proba_class_index
    return dict(classification_plots(truth, rows.Y_pred, classes, index, target, rows.name))


def _family(model: Model, prefix: str) -> Iterator[tuple[str, Any]]:
    """The methods of a family on the Model and on the DataProvider, with their full names."""
    for label, owner in (("Model", model), (model.id, model.dp)):
        for method in find_methods(owner, prefix).values():
            yield f"{label}.{method.__name__}", method


def _call(model: Model, origin: str, method: Any, rows: Rows | None) -> Any:
    if rows is None:
        return call_method(origin, method, model=model)
    where = f"{origin} (set {rows.name!r})"
    return call_method(where, method, XY=rows.XY, Y_pred=rows.Y_pred, model=model)


def _add_classical(table: MetricTable, model: Model, rows: Rows) -> None:
    measured = classical_metrics(model, rows.XY, rows.Y_pred)
    table.add(rows.name, measured.values, CLASSICAL)
    table.add_undefined(rows.name, measured.undefined)


def _add_family(table: MetricTable, model: Model, prefix: str, rows: Rows | None) -> None:
    for origin, method in _family(model, prefix):
        result = _call(model, origin, method, rows)
        table.add(rows.name if rows else None, result, origin)


def _draw_family(model: Model, prefix: str, rows: Rows | None) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for origin, method in _family(model, prefix):
        figures |= figures_of(_call(model, origin, method, rows), figures, origin)
    return figures
