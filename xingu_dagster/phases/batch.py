"""The phases `batch_raw` and `batch`: read external rows, and estimate them with the model.

They are two phases, so that the rows are read while the model is trained; see ADR 9.
"""

import logging
from collections.abc import Iterator
from functools import cached_property

import dagster as dg
import pandas as pd

from xingu.checks.check import AssetPath
from xingu.checks.subjects import BatchEstimations, BatchFeatures
from xingu.error_collector import ErrorCollector
from xingu.errors import DataError, MissingValueError
from xingu.model import Model
from xingu.provider.estimator import ESTIMATION
from xingu.provider.hooks import call_hook
from xingu.provider.state import PreparedFrame, ProviderState
from xingu.records import BATCH_SET
from xingu.sources import parse_sources
from xingu.sources.parameters import same_rows, uses_partition
from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch, predicted
from xingu.stages.draw import draw_batch
from xingu.stages.evaluate import measure_batch, measure_estimations
from xingu.tracking.record import (
    record_estimation_metrics,
    record_estimations,
    record_metrics,
)
from xingu.values import Facts, Label
from xingu_dagster.metadata import (
    Metadata,
    estimations_metadata,
    frame_metadata,
    metrics_frame,
    metrics_metadata,
    table_metadata,
)
from xingu_dagster.phases.build import Results, build_phase
from xingu_dagster.phases.checks import make_unless_refused, run_checks
from xingu_dagster.phases.incremental import ChangedRows
from xingu_dagster.phases.partial import announced
from xingu_dagster.phases.plots import keep_plots
from xingu_dagster.phases.sources import make_raw_assets, source_records, source_rows
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.phases.verdict import await_verdicts
from xingu_dagster.spec import BATCH_SOURCES, ProviderSpec

logger = logging.getLogger(__name__)

CLEANED, FEATURES = ("batch", "cleaned"), ("batch", "features")
ESTIMATIONS, METRICS, PLOTS = ("batch", "estimations"), ("batch", "metrics"), ("batch", "plots")


def build_batch_raw(provider: ProviderSpec) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/batch/raw/*``."""
    needs_model = provider.batch_sources_need_model
    model = [provider.asset_key("model")] if needs_model else []
    specs = [
        provider.asset_spec(
            "batch",
            "raw",
            part,
            deps=[*provider.raw_deps(part, batch=True), *model],
            description=provider.raw_description(provider.batch_declarations[name]),
        )
        for part, name in provider.batch_sources.items()
    ]
    # If few steps can run at once, a train that fails should fail before the batch is read.
    return build_phase(provider, "batch_raw", specs, read_batch, priority=-1)


def build_batch(provider: ProviderSpec) -> dg.AssetsDefinition:
    """Build the other assets ``<dp>/batch/*``."""
    model = provider.asset_key("model")
    raw = [provider.asset_key("batch", "raw", part) for part in provider.batch_sources]
    cleaned, features, estimations = (
        provider.asset_key(*path) for path in (CLEANED, FEATURES, ESTIMATIONS)
    )
    measured = [estimations, features, model]
    specs = [
        provider.asset_spec(*CLEANED, deps=[*raw, model]),
        provider.asset_spec(*FEATURES, deps=[cleaned, model]),
        provider.asset_spec(*ESTIMATIONS, deps=[features, model]),
        provider.asset_spec(*METRICS, deps=measured),
        provider.asset_spec(*PLOTS, deps=measured, kinds=["plotly"]),
    ]
    return build_phase(provider, "batch", specs, lambda step: Batch(step).run())


def read_batch(step: PhaseStep) -> Iterator[dg.MaterializeResult]:
    """Materialize the raw assets of a batch."""
    hook, attribute = BATCH_SOURCES
    if step.spec.batch_sources_need_model:
        model = step.model(_train_id(step))
        model.dp.batch_partition = step.partition
        with model.in_context("batch_predict"):
            declared = call_hook(model.dp, hook, model)
    else:
        _require_models(step)
        provider = step.spec.cls()
        provider.batch_partition = step.partition
        declared = call_hook(provider, hook, None)
    if step.partition and not step.spec.batch_sources_need_model:
        specs = parse_sources(step.spec.id, attribute, declared)
        if not any(map(uses_partition, specs)):
            logger.warning("%s", same_rows(step.spec.id))
    yield from make_raw_assets(step, ("batch", "raw"), declared, attribute)


def _require_models(step: PhaseStep) -> None:
    """Raise before time is spent on queries, if there is no model that can estimate the rows."""
    spec, selected = step.spec, step.context.run.asset_selection
    for phase in ("batch_raw", "batch"):
        if requested := step.options_of[phase].values.train_id:
            step.workspace.models.find(spec.id, train_id=requested)
            return
    if not selected or spec.asset_key(*CLEANED) not in selected:
        return
    if spec.asset_key("model") not in selected:
        step.model(step.current_train(spec.id))
        return
    for pre_req in spec.pre_reqs:
        if spec.model_key(pre_req) not in selected:
            step.current_train(pre_req, step.options.pre_req_train_or_session_ids)


def _train_id(step: PhaseStep) -> str:
    requested, dp_id = step.options.train_id, step.spec.id
    find = step.workspace.models.find
    return find(dp_id, train_id=requested) if requested else step.current_train(dp_id)


class Batch:
    """One batch prediction: the model, and the rows that it estimates."""

    def __init__(self, step: PhaseStep) -> None:
        self.step = step
        self.train_id = _train_id(step)
        step.tag_run(self.train_id)
        self.facts = Facts(train_id=self.train_id)
        self.partition = step.partition.key if step.partition else None
        self.counts: Metadata = {}

    @cached_property
    def model(self) -> Model:
        """The current model."""
        model = self.step.model(self.train_id)
        model.dp.batch_partition = self.step.partition
        return model

    def run(self) -> Results:
        """Materialize what was selected of the phase."""
        yield from self._prepared()
        yield from self._estimated()
        failures = ErrorCollector()
        if self.step.selected(*METRICS):
            with failures.collect():
                yield from self._metrics()
        if self.step.selected(*PLOTS):
            with failures.collect():
                yield from self._plots()
        failures.raise_collected()

    # -- assets -------------------------------------------------------------------------------

    def _prepared(self) -> Results:
        if self.step.selected(*CLEANED):
            yield self._make_cleaned()
        yield from run_checks(self.step, CLEANED, lambda: source_rows(self.step, CLEANED))
        if self.step.selected(*FEATURES):
            yield from make_unless_refused(self.step, FEATURES, self._make_features)
        yield from run_checks(self.step, FEATURES, self._checked_features)

    def _estimated(self) -> Results:
        if self.step.selected(*ESTIMATIONS):
            yield from make_unless_refused(self.step, ESTIMATIONS, self._make_estimations)
        yield from run_checks(self.step, ESTIMATIONS, self._checked_estimations)

    def _make_cleaned(self) -> dg.MaterializeResult:
        step, sources = self.step, self.step.spec.batch_sources
        raw = [("batch", "raw", part) for part in sources]
        frames = {name: step.get("batch", "raw", part) for part, name in sources.items()}
        facts = Facts(
            train_id=self.train_id,
            sources=source_records(step.stored(*path).record for path in raw),
        )
        label = Label(step.derived_version(*raw, extra=[self.train_id]), facts)
        for path in raw:
            step.forget(*path)
        return step.make(
            CLEANED, lambda: self._with_state(clean_batch(self.model, frames)), label, _describe
        )

    def _make_features(self) -> dg.MaterializeResult:
        step, cleaned = self.step, self._restored(CLEANED)
        label = Label(step.derived_version(CLEANED, extra=[self.train_id]), self.facts)
        step.forget(*CLEANED)
        return step.make(
            FEATURES,
            lambda: self._with_state(engineer_batch(self.model, cleaned.frame, step.spec.checks)),
            label,
            _describe,
        )

    def _make_estimations(self) -> dg.MaterializeResult:
        step, features = self.step, self._restored(FEATURES)
        label = Label(step.derived_version(FEATURES, extra=[self.train_id]), self.facts)
        return step.make(
            ESTIMATIONS,
            lambda: self._with_state(self._estimate(features.frame)),
            label,
            lambda prepared: {**_describe(prepared), **self.counts},
            layout="open",
        )

    def _metrics(self) -> Iterator[dg.MaterializeResult]:
        step, failures = self.step, ErrorCollector()
        with step.recorded("model_batch_predict_metrics", self.model.run):
            XY, Y_pred = self._measured()
            result = step.make(
                METRICS,
                lambda: self._measure(XY, Y_pred, failures),
                self._measured_label(),
                lambda tables: {
                    **table_metadata(tables["model"]),
                    **metrics_metadata(tables["model"]),
                    **estimations_metadata(tables["estimation"]),
                },
                layout="open",
            )
            yield from announced(step, result, failures)

    def _plots(self) -> Iterator[dg.MaterializeResult]:
        XY, Y_pred = self._measured()
        yield from keep_plots(
            self.step,
            PLOTS,
            lambda: draw_batch(self.model, XY, Y_pred),
            self.model,
            self._measured_label(),
            self._metrics_of_train(),
        )

    def _metrics_of_train(self) -> pd.DataFrame | None:
        """Return the stored metrics; None if there are none, or those of another train."""
        try:
            stored = self.step.stored(*METRICS)
        except MissingValueError:
            return None
        return stored.value["model"] if stored.record.facts.train_id == self.train_id else None

    def _measured_label(self) -> Label:
        return Label(self.step.derived_version(FEATURES, ESTIMATIONS), self.facts)

    def _estimate(self, features: pd.DataFrame) -> pd.DataFrame:
        place = self.step.workspace
        how, checks = self.step.spec.batch_incremental, self.step.spec.checks
        changed = ChangedRows(self.step, self.model, how) if how else None
        if changed:
            estimations = changed.estimate(features)
        else:
            estimations = estimate_batch(self.model, features, checks)
        await_verdicts(self.step, {self.model.id: self.train_id, **self.model.pre_req_trains})
        if changed:
            changed.store(self.facts)
            self.counts = changed.counts
        if self.step.options.batch_predict_save_estimations:
            classes = self.model.signature().classes
            record_estimations(
                *(place.control, self.model.run, estimations[ESTIMATION], classes),
                partition=self.partition,
            )
        return estimations

    def _measure(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame, failures: ErrorCollector
    ) -> dict[str, pd.DataFrame]:
        control, run = self.step.workspace.control, self.model.run
        table = measure_batch(self.model, XY, Y_pred)
        failures.errors += table.failures.errors
        of_estimations = measure_estimations(self.model, XY, Y_pred, failures)
        record_metrics(control, run, table.rows, {"batch_predict"}, table.noise)
        record_estimation_metrics(control, run, of_estimations, self.partition)
        return {"model": metrics_frame(table.rows), "estimation": of_estimations}

    # -- checks -------------------------------------------------------------------------------

    def _checked_features(self) -> BatchFeatures:
        frame = self._restored(FEATURES).frame
        return BatchFeatures({BATCH_SET: frame}, self.model.reference)

    def _checked_estimations(self) -> BatchEstimations:
        rows = len(self._restored(FEATURES).frame)
        column = self._restored(ESTIMATIONS).frame[ESTIMATION]
        return BatchEstimations({BATCH_SET: column}, {BATCH_SET: rows}, self.model.reference)

    # -- values -------------------------------------------------------------------------------

    def _measured(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        features, estimations = self._restored(FEATURES), self._restored(ESTIMATIONS)
        return features.frame, predicted(self.model, estimations.frame)

    def _with_state(self, frame: pd.DataFrame) -> PreparedFrame:
        pre_reqs = self.model.pre_req_trains
        return PreparedFrame(frame, ProviderState.capture(self.model.dp, "batch hooks", pre_reqs))

    def _restored(self, path: AssetPath) -> PreparedFrame:
        """Return a value of this phase; restore the state of its hooks if it was not in memory."""
        in_memory = self.step.remembers(*path)
        stored = self.step.stored(*path)
        train_id = stored.record.facts.train_id
        if train_id != self.train_id:
            name = "/".join(self.step.key(*path))
            raise DataError(
                f"{name} was made with the train {train_id}, but the current model is "
                f"{self.train_id}; materialize {name} and the assets before it in the same run.",
                dataprovider_id=self.step.spec.id,
            )
        if not in_memory:
            stored.value.state.restore(self.model.dp)
        return stored.value


def _describe(prepared: PreparedFrame) -> Metadata:
    return frame_metadata(prepared.frame)
