"""The phases `batch_raw` and `batch`: read outside rows, and estimate them with the model.

They are two, so that the rows are read while the model is trained; see ADR 9.
"""

from collections.abc import Iterator
from functools import cached_property

import dagster as dg
import pandas as pd

from xingu.error_collector import ErrorCollector
from xingu.errors import DataError
from xingu.model import Model
from xingu.plots.collect import Gallery
from xingu.provider.estimator import ESTIMATION
from xingu.provider.hooks import call_hook
from xingu.provider.state import PreparedFrame, ProviderState
from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch, predicted
from xingu.stages.draw import draw_batch
from xingu.stages.evaluate import measure_batch, measure_estimations
from xingu.tracking.record import (
    record_estimation_metrics,
    record_estimations,
    record_metrics,
)
from xingu_dagster.metadata import (
    Metadata,
    estimations_metadata,
    frame_metadata,
    metrics_frame,
    metrics_metadata,
)
from xingu_dagster.phases.build import SOURCES_CONFIG, Results, build_phase
from xingu_dagster.phases.checking import (
    check_batch_cleaned,
    check_batch_estimations,
    check_batch_features,
)
from xingu_dagster.phases.partial import announced
from xingu_dagster.phases.plots import keep_plots
from xingu_dagster.phases.sources import make_raw_assets
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.translator import XinguTranslator

CLEANED, FEATURES, ESTIMATIONS = (
    ("batch", "cleaned"),
    ("batch", "features"),
    ("batch", "estimations"),
)
METRICS, PLOTS = ("batch", "metrics"), ("batch", "plots")

TRAIN_CONFIG = {
    "train_id": dg.Field(
        str, default_value="", description="The train that estimates; empty: the current one."
    )
}


def build_batch_raw(names: XinguTranslator) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/batch/raw/*``."""
    config = {**SOURCES_CONFIG, **(TRAIN_CONFIG if names.batch_sources_need_model else {})}
    specs = names.batch_source_specs()
    # Where steps wait for each other, a train that fails shall say so before the batch is read.
    return build_phase(names, "batch_raw", specs, read_batch, config, priority=-1)


def build_batch(names: XinguTranslator) -> dg.AssetsDefinition:
    """Build the other assets ``<dp>/batch/*``."""
    return build_phase(
        names, "batch", names.batch_specs(), lambda step: Batch(step).run(), TRAIN_CONFIG
    )


def read_batch(step: PhaseStep) -> Iterator[dg.MaterializeResult]:
    """Materialize the raw assets of a batch."""
    hook, attribute = "get_dataset_sources_for_batch_predict", "batch_predict_dataset_sources"
    if step.names.batch_sources_need_model:
        model = step.model(_train_id(step))
        declared = call_hook(model.dp, hook, model)
    else:
        _check_models(step)
        declared = call_hook(step.names.cls(), hook, None)
    yield from make_raw_assets(step, ("batch", "raw"), declared, attribute)


def _check_models(step: PhaseStep) -> None:
    """Fail before minutes are spent on queries, if what is to estimate the rows cannot be there."""
    names, asked = step.names, step.context.run.asset_selection
    if not asked or names.asset_key(*CLEANED) not in asked:
        return
    if names.asset_key("model") not in asked:
        step.model(step.current_train(names.id))
        return
    for pre_req in names.pre_reqs:
        if dg.AssetKey(names.model_key(pre_req)) not in asked:
            step.current_train(pre_req, step.workspace.options.preferred_trains)


def _train_id(step: PhaseStep) -> str:
    wished, dp_id = step.config["train_id"], step.names.id
    find = step.workspace.models.find
    return find(dp_id, train_id=wished) if wished else step.current_train(dp_id)


class Batch:
    """One batch prediction: the current model, and the rows that it estimates."""

    def __init__(self, step: PhaseStep) -> None:
        self.step = step
        self.train_id = _train_id(step)
        self.facts = {"train_id": self.train_id}

    @cached_property
    def model(self) -> Model:
        """The current model."""
        return self.step.model(self.train_id)

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

    def _prepared(self) -> Results:
        step, sources = self.step, self.step.names.batch_sources
        if step.selected(*CLEANED):
            raw = [("batch", "raw", part) for part in sources]
            frames = {name: step.get("batch", "raw", part) for part, name in sources.items()}
            version = step.derived_version(*raw, extra=[self.train_id])
            for parts in raw:
                step.forget(*parts)
            yield step.make(
                CLEANED,
                lambda: self._with_state(clean_batch(self.model, frames)),
                version=version,
                describe=_describe,
                facts={**self.facts, "rows": {name: len(one) for name, one in frames.items()}},
            )
            frames.clear()
        yield from check_batch_cleaned(step)
        if step.selected(*FEATURES):
            cleaned = self._restored(CLEANED)
            version = step.derived_version(CLEANED, extra=[self.train_id])
            step.forget(*CLEANED)
            yield step.make(
                FEATURES,
                lambda: self._with_state(engineer_batch(self.model, cleaned.frame)),
                version=version,
                describe=_describe,
                facts=self.facts,
            )
        yield from check_batch_features(step, lambda: self.model, self._restored)

    def _estimated(self) -> Results:
        step = self.step
        if step.selected(*ESTIMATIONS):
            features = self._restored(FEATURES)
            yield step.make(
                ESTIMATIONS,
                lambda: self._with_state(self._estimate(features.frame)),
                version=step.derived_version(FEATURES, extra=[self.train_id]),
                describe=_describe,
                facts=self.facts,
                layout="open",
            )
        yield from check_batch_estimations(step, lambda: self.model, self._restored)

    def _metrics(self) -> Iterator[dg.MaterializeResult]:
        step, failures = self.step, ErrorCollector()
        with step.recorded("model_batch_predict_metrics", self.model.run):
            XY, Y_pred = self._measured()
            result = step.make(
                METRICS,
                lambda: self._measure(XY, Y_pred, failures),
                version=step.derived_version(FEATURES, ESTIMATIONS),
                describe=lambda tables: {
                    **metrics_metadata(tables["model"]),
                    **estimations_metadata(tables["estimation"]),
                },
                facts=self.facts,
                layout="open",
            )
            yield from announced(step, result, failures)

    def _plots(self) -> Iterator[dg.MaterializeResult]:
        XY, Y_pred = self._measured()
        version = self.step.derived_version(FEATURES, ESTIMATIONS)

        def draw() -> Gallery:
            return draw_batch(self.model, XY, Y_pred)

        yield from keep_plots(self.step, PLOTS, draw, self.model, version, ("batch_predict",))

    def _estimate(self, features: pd.DataFrame) -> pd.DataFrame:
        estimations, place = estimate_batch(self.model, features), self.step.workspace
        if place.options.save_estimations:
            record_estimations(place.control, self.model.run, estimations[ESTIMATION])
        return estimations

    def _measure(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame, failures: ErrorCollector
    ) -> dict[str, pd.DataFrame]:
        control, run = self.step.workspace.control, self.model.run
        table = measure_batch(self.model, XY, Y_pred)
        failures.errors += table.failures.errors
        of_estimations = measure_estimations(self.model, XY, Y_pred, failures)
        record_metrics(control, run, table.rows, {"batch_predict"})
        record_estimation_metrics(control, run, of_estimations)
        return {"model": metrics_frame(table.rows), "estimation": of_estimations}

    def _measured(self):
        features, estimations = self._restored(FEATURES), self._restored(ESTIMATIONS)
        return features.frame, predicted(self.model, estimations.frame)

    def _with_state(self, frame) -> PreparedFrame:
        dp = self.model.dp
        pre_reqs = dict(getattr(dp.pre_req_model, "trains", {}))
        return PreparedFrame(frame, ProviderState.capture(dp, "batch hooks", pre_reqs))

    def _restored(self, parts: tuple[str, ...]) -> PreparedFrame:
        """A value of this phase; if an earlier run made it, with what its hooks had learned."""
        in_memory = self.step.remembers(*parts)
        stored = self.step.stored(*parts)
        if stored.record.facts["train_id"] != self.train_id:
            name = "/".join(self.step.names.key(*parts))
            raise DataError(
                f"{name} was made with the train {stored.record.facts['train_id']}, but the "
                f"current model is {self.train_id}; materialize {name} and what is before it "
                "in the same run.",
                dataprovider_id=self.step.names.id,
            )
        if not in_memory:
            stored.value.state.restore(self.model.dp)
        return stored.value


def _describe(prepared: PreparedFrame) -> Metadata:
    return frame_metadata(prepared.frame)
