"""Draw searches, the sets that a Model was trained on, and batches.

Plotly is loaded when the first figure is drawn.
"""

import logging
from collections.abc import Collection
from typing import Any

import pandas as pd

from xingu.checks.drift import column_drift, sampled
from xingu.metrics.classified import known_rows
from xingu.model import Model
from xingu.model.reference import FeatureReference
from xingu.plots.collect import Gallery
from xingu.provider.methods import BATCH_PLOTS, GLOBAL_PLOTS, TRAINSETS_PLOTS
from xingu.records import BATCH_SET, PlotChannel
from xingu.stages.evaluate import (
    Rows,
    call_of_family,
    family,
    known_targets,
    row_weight,
)
from xingu.stages.reference import evaluation_set_of
from xingu.tuning.resolve import Hyperparameters

logger = logging.getLogger(__name__)

EVALUATION_ONLY = ("Threshold", "Gain", "Lift", "KS", "Confusion matrix", "Error by segment")
"""Plots for decisions about unseen rows: drawn only for the evaluation set and for batches."""


def draw_search(chosen: Hyperparameters, provider_id: str, off: Collection[str]) -> Gallery:
    """Draw the trials that hyperparameters come from, except plots that are `off`.

    Returns:
        The figures, and the errors of those that failed, which were logged.
    """
    from xingu.plots.builtin import drawn
    from xingu.plots.search import search_plots

    gallery, subject = Gallery(), f"the search of {provider_id}"
    for name, draw in search_plots(chosen.trials, chosen.metric, chosen.direction).items():
        with gallery.failures.tolerate(f"plot {name!r} of {subject}"):
            gallery.add_builtin("search", drawn({name: draw}, subject, off))
    return gallery


def draw_sets(model: Model) -> Gallery:
    """Draw the built-in plots of each of `model.sets`, then those of methods.

    Plots for decisions are drawn for the evaluation set only: test, else val, else train.

    Args:
        model: The Model, with its sets and their estimations.

    Returns:
        The figures, and the errors of methods: raise them once the figures are saved.
    """
    from xingu.plots.builtin import drawn
    from xingu.plots.importance import importance

    gallery = Gallery()
    evaluation_set = evaluation_set_of(model)
    for name, frame in model.sets.items():
        rows = Rows(name, frame, model.sets_estimations[name])
        off = () if name == evaluation_set else EVALUATION_ONLY
        with gallery.failures.collect():
            gallery.add_builtin("trainsets", _builtin_plots(model, rows, off), name)
        _add_family(gallery, model, TRAINSETS_PLOTS, "trainsets", rows)
    weights = _importances(model)
    if weights is not None and len(weights):
        plots = {"Feature importance": lambda: importance(weights)}
        gallery.add_builtin("global", drawn(plots, model.id, model.dp.builtin_plots_off))
    _add_family(gallery, model, GLOBAL_PLOTS, "global", None)
    return gallery


def draw_batch(model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame) -> Gallery:
    """Draw quality where the target is known, drift from training, then the plots of methods.

    Returns the same as `draw_sets`.
    """
    rows, gallery = Rows(BATCH_SET, XY, Y_pred), Gallery()
    with gallery.failures.collect():
        known = known_targets(model, XY)
        if known is not None and known.any():
            gallery.add_builtin("batch_predict", _builtin_plots(model, rows.where(known)))
        gallery.add_builtin("batch_predict", _drift_plots(model, rows))
    _add_family(gallery, model, BATCH_PLOTS, "batch_predict", rows)
    return gallery


def _importances(model: Model) -> pd.Series | None:
    try:
        return model.estimator.feature_importance() if model.estimator else None
    except Exception as error:  # noqa: BLE001 - an Estimator may be anybody's
        logger.warning("%s: the plot of importances is skipped: %s", model.id, error)
        return None


def _builtin_plots(model: Model, rows: Rows, off: Collection[str] = ()) -> dict[str, Any]:
    from xingu.plots.builtin import classification_plots, drawn, regression_plots
    from xingu.plots.segments import error_by_segment

    target, off = model.signature().target, {*off, *model.dp.builtin_plots_off}
    if target is None or target not in rows.XY:
        return {}
    truth, weight = rows.XY[target], row_weight(model, rows.XY)
    if not model.is_classifier():
        estimation = model.estimation_of(rows.Y_pred)
        figures = regression_plots(truth, estimation, target, rows.name, off)
        errors, measure = _distances(truth, estimation), f"mean |error| of {target}"
    else:
        one = model.estimated_class()
        index = None if one is None else one.index
        classified = known_rows(truth, rows.Y_pred, model.signature().classes, index, weight)
        figures = classification_plots(classified, target, rows.name, off)
        errors = (classified.codes != classified.predicted).astype("float64").reindex(truth.index)
        measure = f"share of wrong classes, {target}"
    if errors is None:
        return figures
    columns = _segment_columns(model, rows.XY)
    plot = {
        "Error by segment": lambda: error_by_segment(errors, columns, measure, rows.name, weight)
    }
    return {**figures, **drawn(plot, target, off)}


def _distances(truth: pd.Series, estimation: pd.Series) -> pd.Series | None:
    try:
        return (estimation.astype("float64") - truth.astype("float64")).abs()
    except (TypeError, ValueError):  # a target of texts; the metrics say so
        return None


def _segment_columns(model: Model, XY: pd.DataFrame) -> pd.DataFrame:
    signature, dp = model.signature(), model.dp
    requested = dp.plot_segments or dp.get_features_list() or signature.estimator_features
    return XY[[name for name in dict.fromkeys(requested) if name in XY]]


def _drift_plots(model: Model, rows: Rows) -> dict[str, Any]:
    """Return the plots of features and estimations that the Model has a reference of."""
    from xingu.plots.builtin import drawn
    from xingu.plots.drift import Shift, drift, drifted_columns

    def shift_of(reference: FeatureReference, column: pd.Series) -> Shift | None:
        moved = column_drift(reference, column)
        if moved is None:
            return None
        bins = zip(reference.labels, reference.shares, moved.shares, strict=True)
        used = [one for one in bins if one[1] or one[2]]
        return Shift(moved.psi, moved.ks, used)

    if model.reference is None:
        return {}
    batch = sampled(rows.XY)
    found = {
        name: shift_of(reference, batch[name])
        for name, reference in model.reference.features.items()
        if name in batch
    }
    if model.reference.estimations is not None:
        estimation = model.estimation_of(rows.Y_pred)
        one = model.estimated_class()
        name = f"(probability of the {one})" if one else "(estimation)"
        found[name] = shift_of(model.reference.estimations, estimation)
    shifts = {name: shift for name, shift in found.items() if shift is not None}
    if not shifts:
        return {}
    plots = {
        "Drift": lambda: drift(shifts, len(rows.XY)),
        "Drift by column": lambda: drifted_columns(shifts),
    }
    return drawn(plots, model.id, model.dp.builtin_plots_off)


def _add_family(
    gallery: Gallery, model: Model, prefix: str, channel: PlotChannel, rows: Rows | None
) -> None:
    set_name = rows.name if rows and channel == "trainsets" else None
    for origin, method in family(model, prefix):
        with gallery.failures.collect():
            result = call_of_family(model, origin, method, rows)
            gallery.add(channel, result, origin, set_name)
