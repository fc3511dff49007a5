"""Estimate and measure the sets that a Model was trained on, and batches."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xingu.checks.check import Checks
from xingu.checks.subjects import Estimations
from xingu.directions import without_class
from xingu.error_collector import ErrorCollector
from xingu.errors import HookError, XinguError
from xingu.metrics.builtin import Measured, classification_metrics, regression_metrics
from xingu.metrics.cleaning import check_same_rows
from xingu.metrics.collect import CLASSICAL, ESTIMATION_COLUMNS, MetricTable, estimation_rows
from xingu.metrics.noise import ROWS, standard_errors
from xingu.model import Model
from xingu.model.reference import sample
from xingu.provider.hooks import call_hook
from xingu.provider.methods import (
    BATCH_METRICS,
    ESTIMATION_METRICS,
    GLOBAL_METRICS,
    TRAINSETS_METRICS,
    call_method,
    find_methods,
)
from xingu.provider.state import PreparedSplits, ProviderState
from xingu.records import BATCH_SET, POSITIVE_CLASS
from xingu.stages.reference import EvaluationSet
from xingu.stages.validate import refuse_failed

logger = logging.getLogger(__name__)

Sets = Mapping[str, pd.DataFrame]
CALLED_BY_USERS = "xingu.compat."
"""Modules of methods that are called as a family, but are none: names of Xingu 2.0."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to measure or draw: features, the target if it is known, and estimations."""

    name: str
    XY: pd.DataFrame
    Y_pred: pd.DataFrame

    def where(self, chosen: pd.Series) -> "Rows":
        """Return some of the rows.

        Raises:
            DataError: If the estimations are not those of the rows.
        """
        check_same_rows(self.XY.index, self.Y_pred.index)
        mask = chosen.to_numpy()
        return Rows(self.name, self.XY.loc[mask], self.Y_pred.loc[mask])


def estimate_sets(
    model: Model, splits: PreparedSplits, checks: Checks | None = None
) -> PreparedSplits:
    """Return the estimations of each set: probabilities from a classifier, else numbers.

    Args:
        model: The Model.
        splits: The sets.
        checks: Checks that may refuse estimations; None: as the DataProvider configures them.

    Raises:
        CheckFailedError: If the estimations fail a check that refuses them.
    """
    held = ("sets", "sets_estimations")
    before = {name: vars(model)[name] for name in held if name in vars(model)}
    try:
        model.sets = splits.frames
        estimations = model.trainsets_predict()
    finally:
        vars(model).pop("sets_estimations", None)
        vars(model).update(before)
    subject = estimations_subject(model, splits.frames, estimations)
    refuse_failed(model.dp, ("trainset_estimations",), subject, checks)
    state = ProviderState.capture(model.dp, "post_process_after_predict", splits.state.pre_reqs)
    return PreparedSplits(estimations, state)


def estimations_subject(model: Model, sets: Sets, estimations: Sets) -> Estimations:
    """Return the subject of checks on the estimations of `sets`, without a replay."""
    columns = {name: model.estimation_of(frame) for name, frame in estimations.items()}
    return Estimations(columns, {name: len(frame) for name, frame in sets.items()})


def measure_sets(model: Model) -> MetricTable:
    """Measure the classical metrics of `model.sets`, then those of methods.

    Args:
        model: The Model, with its sets and their estimations.

    Returns:
        The metrics, and the errors of methods: raise them once the metrics are saved.

    Raises:
        HookError: If `pre_process_for_trainsets_metrics` raises.
    """
    call_hook(model.dp, "pre_process_for_trainsets_metrics", model)
    table = MetricTable(model.id)
    for name, frame in model.sets.items():
        rows = Rows(name, frame, model.sets_estimations[name])
        _add_classical(table, model, rows)
        _add_family(table, model, TRAINSETS_METRICS, rows)
    _add_family(table, model, GLOBAL_METRICS, None)
    with table.failures.collect():
        call_hook(model.dp, "post_process_after_trainsets_metrics", model)
    return table


def measure_global(model: Model) -> MetricTable:
    """Measure the whole Model; see `measure_sets`."""
    table = MetricTable(model.id)
    _add_family(table, model, GLOBAL_METRICS, None)
    return table


def measure_batch(model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame) -> MetricTable:
    """Measure the classical metrics of the rows with a known target, then those of methods.

    If the batch has a target column, the metrics `Rows` and `Rows with target` count them. Returns
    the same as `measure_sets`.
    """
    rows = Rows(BATCH_SET, XY, Y_pred)
    table = MetricTable(model.id)
    known = known_targets(model, XY)
    if known is not None:
        counts = {"Rows": len(XY), "Rows with target": int(known.sum())}
        table.add(BATCH_SET, counts, CLASSICAL)
        with table.failures.collect():
            if known.any():
                _add_classical(table, model, rows.where(known))
    _add_family(table, model, BATCH_METRICS, rows)
    return table


def measure_estimations(
    model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame, failures: ErrorCollector
) -> pd.DataFrame:
    """Measure single estimations.

    Args:
        model: The Model that made them.
        XY: Rows that were estimated.
        Y_pred: Their estimations.
        failures: Takes the errors of methods.

    Returns:
        Columns ``name``, ``value_number`` and ``value_text``, indexed as the batch, one row per
        estimation and metric.
    """
    tables: list[pd.DataFrame] = []
    origins: dict[str, str] = {}
    for origin, method in family(model, ESTIMATION_METRICS):
        with failures.collect():
            result = call_method(origin, method, XY=XY, Y_pred=Y_pred, model=model)
            table = estimation_rows(result, XY.index, origin)
            for name in table["name"].unique():
                if name in origins:
                    raise HookError(
                        f"{origins[name]} and {origin} both yield the metric {name!r}; rename one "
                        "of them.",
                        metric=name,
                    )
            origins |= dict.fromkeys(table["name"].unique(), origin)
            tables.append(table)
    return pd.concat(tables) if tables else pd.DataFrame(columns=list(ESTIMATION_COLUMNS))


def classical_metrics(model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame) -> Measured:
    """Return the classical metrics of estimations whose target is in `XY`; none without it."""
    if model.signature().target not in XY:
        return Measured({}, {})
    return _measured(model, XY, Y_pred, row_weight(model, XY))


def _measured(
    model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame, weight: pd.Series | None
) -> Measured:
    truth = XY[str(model.signature().target)]
    if not model.is_classifier():
        return regression_metrics(truth, model.estimation_of(Y_pred), weight)
    one = model.estimated_class()
    index = None if one is None else one.index
    return classification_metrics(truth, Y_pred, model.signature().classes, index, weight)


def noise_of(model: Model, XY: pd.DataFrame, Y_pred: pd.DataFrame) -> dict[str, float]:
    """Return the standard error of each classical metric of rows with a target."""
    XY_sample, Y_sample = sample(XY, ROWS), sample(Y_pred, ROWS)
    weight = row_weight(model, XY_sample)
    weight = pd.Series(1.0, XY_sample.index) if weight is None else weight
    return standard_errors(
        lambda random: _measured(model, XY_sample, Y_sample, random), weight, len(XY)
    )


def named_class(model: Model) -> dict[str, str]:
    """Return the metric `POSITIVE_CLASS`, which names the class that others are of, if one is."""
    one = model.estimated_class()
    return {} if one is None else {POSITIVE_CLASS: str(one.label)}


def known_targets(model: Model, XY: pd.DataFrame) -> pd.Series | None:
    """Return a mask of the rows with a known target; None: there is no target column."""
    target = model.signature().target
    return XY[target].notna() if target is not None and target in XY else None


def row_weight(model: Model, XY: pd.DataFrame) -> pd.Series | None:
    """Return the weight of each row; None: all are equal."""
    name = model.dp.sample_weight
    if not name:
        return None
    if name not in XY:
        logger.warning("%s: there is no column %r; all rows have the same weight", model.id, name)
        return None
    return XY[name]


def main_metrics(model: Model, evaluated: EvaluationSet) -> Measured:
    """Return the classical metrics of the evaluation set; none if it has no estimations."""
    if evaluated.estimations is None:
        return Measured({}, {})
    return classical_metrics(model, model.sets[evaluated.set], evaluated.estimations)


def scores_of(model: Model, evaluated: EvaluationSet) -> dict[str, dict[str, float]]:
    """Return the classical metrics of the evaluation set by set and name, the main one first.

    The main one is the metric of `hyperopt`, else of the first quality gate of the set, else RMSE,
    ROC AUC or Macro F1. Metrics of single classes of many are left out.
    """
    try:
        measured = main_metrics(model, evaluated).values
    except XinguError as error:  # the evaluation of the train reports this in full
        logger.warning("%s: the model has no scores: %s", model.id, error)
        return {}
    gates = model.dp.quality_gates.get(evaluated.set, {})
    order = [model.dp.hyperopt.get("metric"), *gates, "RMSE", "ROC AUC", "Macro F1", *measured]
    found = {name: measured[name] for name in order if name in measured}
    values = {name: value for name, value in found.items() if without_class(name) == name}
    return {evaluated.set: values} if values else {}


def family(model: Model, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the methods of a family on the Model and the DataProvider, with their full names."""
    for label, owner in (("Model", model), (model.id, model.dp)):
        for name, method in find_methods(owner, prefix).items():
            if not getattr(method, "__module__", "").startswith(CALLED_BY_USERS):
                yield f"{label}.{prefix}_{name}", method


def call_of_family(model: Model, origin: str, method: Any, rows: Rows | None) -> Any:
    """Call a method with `rows` and the Model; `rows` is None for the whole Model.

    Raises:
        HookError: If the method raises.
    """
    if rows is None:
        return call_method(origin, method, model=model)
    where = f"{origin} (set {rows.name!r})"
    return call_method(where, method, XY=rows.XY, Y_pred=rows.Y_pred, model=model)


def _add_classical(table: MetricTable, model: Model, rows: Rows) -> None:
    with table.failures.collect():
        measured = classical_metrics(model, rows.XY, rows.Y_pred)
        named = named_class(model) if measured.values else {}
        table.add(rows.name, {**named, **measured.values}, CLASSICAL)
        table.add_undefined(rows.name, measured.undefined)
        if measured.values:
            table.add_noise(rows.name, noise_of(model, rows.XY, rows.Y_pred))


def _add_family(table: MetricTable, model: Model, prefix: str, rows: Rows | None) -> None:
    for origin, method in family(model, prefix):
        with table.failures.collect():
            result = call_of_family(model, origin, method, rows)
            table.add(rows.name if rows else None, result, origin)
