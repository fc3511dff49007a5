"""The phase `evaluate`: estimations, metrics and plots of the sets that a model was trained on."""

from collections.abc import Iterator
from functools import cached_property

import dagster as dg

from xingu.inventory.recording import record_metrics, record_sets
from xingu.metrics.collect import MetricRow
from xingu.model import Model
from xingu.stages.evaluate import draw_sets, estimate_sets, measure_sets
from xingu.state import PreparedSplits
from xingu_dagster.metadata import metrics_frame, metrics_metadata, sets_metadata
from xingu_dagster.phases.build import build_phase
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
        """The model of the train."""
        return self.step.model(self.train_id)

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

    def run(self) -> Iterator[dg.MaterializeResult]:
        """Materialize what was selected of the phase."""
        step, facts = self.step, {"train_id": self.train_id}
        version = step.derived_version(("model",), ("splits",))
        if step.selected(*ESTIMATIONS):
            self._save_sets()
            yield step.make(
                ESTIMATIONS,
                lambda: self.estimations,
                version=version,
                describe=lambda made: sets_metadata(made.frames),
                facts=facts,
                layout="open",
            )
        if step.selected(*METRICS):
            with step.recorded("model_trainsets_metrics", self.model.run):
                yield step.make(
                    METRICS,
                    lambda: metrics_frame(self._measure()),
                    version=version,
                    describe=metrics_metadata,
                    facts=facts,
                    layout="open",
                )
        if step.selected(*PLOTS):
            yield keep_plots(
                step,
                PLOTS,
                lambda: draw_sets(self.model, self.sets.frames, self.estimations.frames),
                self.model,
                version,
            )

    def _measure(self) -> list[MetricRow]:
        rows = measure_sets(self.model, self.sets.frames, self.estimations.frames)
        record_metrics(self.step.workplace.control, self.model.run, rows, {"trainsets", "global"})
        return rows

    def _save_sets(self) -> None:
        place, model = self.step.workplace, self.model
        if place.save_sets:
            with self.step.recorded("train_savesets", model.run):
                record_sets(place.control, model.run, self.sets.frames, model.signature().target)
