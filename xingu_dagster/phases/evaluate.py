"""The phase `evaluate`: estimations, metrics and plots of the sets that a model was trained on."""

from collections.abc import Iterator
from functools import cached_property

import dagster as dg
import pandas as pd

from xingu.error_collector import ErrorCollector
from xingu.model import Model
from xingu.plots.collect import Gallery
from xingu.provider.state import PreparedSplits
from xingu.stages.draw import draw_sets
from xingu.stages.evaluate import estimate_sets, measure_sets
from xingu.tracking.record import record_metrics, record_sets
from xingu_dagster.metadata import metrics_frame, metrics_metadata, sets_metadata
from xingu_dagster.phases.build import Results, build_phase
from xingu_dagster.phases.checking import check_estimations, check_train
from xingu_dagster.phases.partial import announced
from xingu_dagster.phases.plots import keep_plots
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.translator import XinguTranslator

ESTIMATIONS, METRICS, PLOTS = ("trainset_estimations",), ("trainset_metrics",), ("plots",)


def build_evaluate(names: XinguTranslator) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/trainset_estimations``, ``trainset_metrics`` and ``plots``."""
    model, splits, estimations = map(names.asset_key, ("model", "splits", "trainset_estimations"))
    specs = [
        names.spec(*ESTIMATIONS, deps=[model, splits], kinds=["dataframe"]),
        names.spec(*METRICS, deps=[model, splits, estimations], kinds=["dataframe"]),
        names.spec(*PLOTS, deps=[model, splits, estimations], kinds=["plotly"]),
    ]

    return build_phase(names, "evaluate", specs, lambda step: Evaluation(step).run())


class Evaluation:
    """One evaluation: the model, the very sets that it was trained on, and its estimations."""

    def __init__(self, step: PhaseStep) -> None:
        self.step = step
        ref = step.get("model")
        self.train_id: str = ref.train_id
        # The sets of this train, not the latest: another run may have split again since.
        step.stored("splits", value_id=ref.values["/".join(step.names.key("splits"))])

    @cached_property
    def model(self) -> Model:
        """The model of the train, with its sets."""
        model = self.step.model(self.train_id)
        model.sets = self.sets.frames
        return model

    @cached_property
    def sets(self) -> PreparedSplits:
        """The sets of the train."""
        return self.step.get("splits")

    @cached_property
    def estimations(self) -> PreparedSplits:
        """The estimations that are stored if they are of this train, else made anew."""
        if not self.step.selected(*ESTIMATIONS):
            stored = self.step.stored(*ESTIMATIONS)
            if stored.record.facts.get("train_id") == self.train_id:
                stored.value.state.restore(self.model.dp)
                return stored.value
        return estimate_sets(self.model, self.sets)

    @property
    def _estimated_model(self) -> Model:
        """The model, with its sets and their estimations."""
        self.model.sets_estimations = self.estimations.frames
        return self.model

    def run(self) -> Results:
        """Materialize what was selected of the phase; one that fails keeps no other from it."""
        step, failures = self.step, ErrorCollector()
        version = step.derived_version(("model",), ("splits",))
        if step.selected(*ESTIMATIONS):
            self._save_sets()
            yield step.make(
                ESTIMATIONS,
                lambda: self.estimations,
                version=version,
                describe=lambda made: sets_metadata(made.frames),
                facts={"train_id": self.train_id},
                layout="open",
            )
        yield from check_estimations(self)
        if step.selected(*METRICS):
            with failures.collect():
                yield from self._metrics(version)
        if step.selected(*PLOTS):
            with failures.collect():
                yield from self._plots(version)
        with failures.collect():
            yield from check_train(self)
        failures.raise_collected()

    def _metrics(self, version: str) -> Iterator[dg.MaterializeResult]:
        step, failures = self.step, ErrorCollector()
        with step.recorded("model_trainsets_metrics", self.model.run):
            result = step.make(
                METRICS,
                lambda: self._measure(failures),
                version=version,
                describe=metrics_metadata,
                facts={"train_id": self.train_id},
                layout="open",
            )
            yield from announced(step, result, failures)

    def _measure(self, failures: ErrorCollector) -> pd.DataFrame:
        table = measure_sets(self._estimated_model)
        failures.errors += table.failures.errors
        control, run = self.step.workspace.control, self.model.run
        record_metrics(control, run, table.rows, {"trainsets", "global"})
        return metrics_frame(table.rows)

    def _plots(self, version: str) -> Iterator[dg.MaterializeResult]:
        def draw() -> Gallery:
            return draw_sets(self._estimated_model)

        yield from keep_plots(self.step, PLOTS, draw, self.model, version, ("trainsets", "global"))

    def _save_sets(self) -> None:
        place, model = self.step.workspace, self.model
        if place.options.save_sets:
            with self.step.recorded("train_savesets", model.run):
                record_sets(place.control, model.run, self.sets.frames, model.signature().target)
