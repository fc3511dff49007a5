"""The phase `evaluate`: estimations, metrics and plots of the sets that a model was trained on."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial

import dagster as dg
import pandas as pd

from xingu.checks.gates import GLOBAL, Gate, Metrics
from xingu.checks.outcome import Limits, Outcome, not_applicable
from xingu.checks.subjects import Estimations, PreviousTrain
from xingu.error_collector import ErrorCollector
from xingu.errors import DataError, MissingValueError, XinguError
from xingu.model import MadeInFit, Model
from xingu.provider.state import PreparedSplits
from xingu.registry.lifecycle import accepted_before
from xingu.stages.draw import draw_sets
from xingu.stages.evaluate import estimate_sets, estimations_subject, measure_sets
from xingu.stages.parity import Replay, replay_batch
from xingu.tracking.record import record_metrics, record_sets
from xingu.values import Facts, Label
from xingu_dagster.metadata import metrics_frame, metrics_metadata, sets_metadata, table_metadata
from xingu_dagster.phases.build import Results, build_phase
from xingu_dagster.phases.checks import make_unless_refused, run_checks
from xingu_dagster.phases.fit import MADE_IN_FIT
from xingu_dagster.phases.partial import announced
from xingu_dagster.phases.plots import keep_plots
from xingu_dagster.phases.prepare import REPLAY_SAMPLE
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.phases.verdict import settle
from xingu_dagster.spec import ProviderSpec

ESTIMATIONS, METRICS, PLOTS = ("trainset_estimations",), ("trainset_metrics",), ("plots",)


def build_evaluate(provider: ProviderSpec) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/trainset_estimations``, ``trainset_metrics`` and ``plots``."""
    model, splits = provider.asset_key("model"), provider.asset_key("splits")
    measured = [model, splits, provider.asset_key(*ESTIMATIONS)]
    specs = [
        provider.asset_spec(*ESTIMATIONS, deps=[model, splits]),
        provider.asset_spec(*METRICS, deps=measured),
        provider.asset_spec(*PLOTS, deps=measured, kinds=["plotly"]),
    ]
    # If few steps can run at once, a refused train should be known before others use it.
    return build_phase(provider, "evaluate", specs, lambda step: Evaluation(step).run(), priority=1)


class Evaluation:
    """One evaluation: the model, the sets that it was trained on, and its estimations.

    It is the subject of the checks on ``trainset_metrics``.
    """

    def __init__(self, step: PhaseStep) -> None:
        self.step = step
        ref = step.get("model")
        self.train_id: str = ref.train_id
        self.facts = Facts(train_id=self.train_id)
        # The sets of this train, not the latest: another run may have split again since.
        step.stored("splits", value_id=ref.values["/".join(step.spec.key("splits"))])
        made = ref.values.get("/".join(step.spec.key(*MADE_IN_FIT)))
        self.made = step.stored(*MADE_IN_FIT, value_id=made).value if made else MadeInFit()

    @cached_property
    def model(self) -> Model:
        """The model of the train, with its sets."""
        model = self.step.model(self.train_id)
        model.sets, model.made_in_fit = self.sets.frames, self.made
        return model

    @cached_property
    def sets(self) -> PreparedSplits:
        """The sets of the train, and those that the Estimator added in its fit."""
        splits: PreparedSplits = self.step.get("splits")
        return replace(splits, frames={**splits.frames, **self.made.sets})

    @cached_property
    def estimations(self) -> PreparedSplits:
        """The stored estimations if they are of this train, else new ones."""
        if not self.step.selected(*ESTIMATIONS):
            stored = self.step.stored(*ESTIMATIONS)
            if stored.record.facts.train_id == self.train_id:
                stored.value.state.restore(self.model.dp)
                return stored.value
        return estimate_sets(self.model, self.sets, self.step.spec.checks)

    @property
    def estimated_model(self) -> Model:
        """The model, with its sets and their estimations."""
        self.model.sets_estimations = self.estimations.frames
        return self.model

    def run(self) -> Results:
        """Materialize what was selected, then accept or refuse the train."""
        try:
            yield from self._materialize()
        finally:
            settle(self.step, self.train_id)

    def _materialize(self) -> Results:
        """Materialize what was selected; a part that fails does not stop the others."""
        step, failures = self.step, ErrorCollector()
        label = Label(step.derived_version(("model",), ("splits",)), self.facts)
        if step.selected(*ESTIMATIONS):
            self._save_sets()
            make = partial(self._make_estimations, label)
            yield from make_unless_refused(step, ESTIMATIONS, make, self.model.run)
        yield from self._check_estimations(deferred=False)
        if step.selected(*METRICS):
            with failures.collect():
                yield from self._metrics(label)
        if step.selected(*PLOTS):
            with failures.collect():
                yield from keep_plots(
                    step,
                    PLOTS,
                    lambda: draw_sets(self.estimated_model),
                    self.model,
                    label,
                    self._metrics_of_train(),
                )
        with failures.collect():
            yield from self._check_estimations(deferred=True)
        with failures.collect():
            yield from run_checks(step, METRICS, lambda: self, self.model.run)
        failures.raise_collected()

    def _make_estimations(self, label: Label) -> dg.MaterializeResult:
        return self.step.make(
            ESTIMATIONS,
            lambda: self.estimations,
            label,
            lambda made: sets_metadata(made.frames),
            layout="open",
        )

    def _metrics(self, label: Label) -> Results:
        step, failures = self.step, ErrorCollector()
        with step.recorded("model_trainsets_metrics", self.model.run):
            result = step.make(
                METRICS,
                lambda: self._measure(failures),
                label,
                lambda table: {**table_metadata(table), **metrics_metadata(table)},
                layout="open",
            )
            yield from announced(step, result, failures)

    def _measure(self, failures: ErrorCollector) -> pd.DataFrame:
        table = measure_sets(self.estimated_model)
        failures.errors += table.failures.errors
        control, run = self.step.workspace.control, self.model.run
        record_metrics(control, run, table.rows, {"trainsets", "global"}, table.noise)
        return metrics_frame(table.rows)

    def _metrics_of_train(self) -> pd.DataFrame | None:
        """Return the stored metrics; None if there are none, or those of another train."""
        try:
            stored = self.step.stored(*METRICS)
        except MissingValueError:
            return None
        return stored.value if stored.record.facts.train_id == self.train_id else None

    def _save_sets(self) -> None:
        place, model = self.step.workspace, self.model
        if self.step.options.save_sets:
            with self.step.recorded("train_savesets", model.run):
                record_sets(place.control, model.run, self.sets.frames, model.signature().target)

    # -- checks -------------------------------------------------------------------------------

    def _check_estimations(self, *, deferred: bool) -> Results:
        def subject() -> Estimations:
            estimations = self.estimations.frames
            found = estimations_subject(self.model, self.sets.frames, estimations)
            return replace(found, replay=self._replay)

        train = self.model.run
        yield from run_checks(self.step, ESTIMATIONS, subject, train, deferred=deferred)

    def _replay(self, limits: Limits) -> Outcome:
        step = self.step
        value_id = step.stored("splits").record.facts.replay_sample
        if value_id is None:
            return not_applicable("no rows were kept when the data was prepared")
        try:
            key = step.spec.key(*REPLAY_SAMPLE)
            frames = step.workspace.values.read(key, value_id=value_id).value
        except MissingValueError as error:
            return not_applicable(str(error))
        if isinstance(frames, str):
            return not_applicable(frames)
        sources = list(step.spec.batch_sources.values())
        replay = Replay(frames, sources, limits["ignore"], step.builder)
        model = step.model(self.train_id)  # another one: batch hooks may change its provider
        splits = step.get("splits").frames  # without sets that repeat their rows
        return replay_batch(model, replay, splits, self.estimations.frames)

    @property
    def dataprovider_id(self) -> str:
        """Id of the DataProvider."""
        return self.step.spec.id

    @property
    def gates(self) -> Sequence[Gate]:
        """The gates that the train must pass."""
        return self.step.spec.gates

    def metrics(self) -> Metrics:
        """Return the metrics of the train.

        Raises:
            MissingValueError: If there are none, or the stored ones are of another train.
        """
        table = self._metrics_of_train()
        if table is None:
            raise MissingValueError(
                f"There are no metrics of the train {self.train_id}; materialize trainset_metrics."
            )
        sets = table["set"].where(table["set"].notna(), GLOBAL)
        rows = zip(sets, table["name"], table["value_number"], strict=True)
        return {(name, metric): float(value) for name, metric, value in rows}

    def previous(self, gates: Sequence[Gate]) -> PreviousTrain | None:
        """Return the train before, measured on the sets that `gates` are about."""
        train_id = self._previous_train()
        if train_id is None:
            return None
        sets, named = self.sets.frames, {gate.set for gate in gates}
        try:
            model = self.step.model(train_id)
            self._measure_same_class(model)
            model.sets = {name: sets[name] for name in sets if name in named or GLOBAL in named}
            model.trainsets_predict()
            rows = measure_sets(model).rows
        except XinguError as error:
            return PreviousTrain(train_id, None, str(error))
        metrics = {
            (row.set or GLOBAL, row.name): row.value_number
            for row in rows
            if row.value_number is not None
        }
        return PreviousTrain(train_id, metrics)

    def _measure_same_class(self, previous: Model) -> None:
        """Let another train measure the class that this one measures.

        Raises:
            DataError: If it does not know the class.
        """
        one, signature = self.model.estimated_class(), previous.signature()
        if one is not None and one.label not in signature.classes:
            raise DataError(f"it does not know the {one}.")
        index = None if one is None else signature.classes.index(one.label)
        previous.fitted_signature = replace(signature, estimated_class=index)

    def _previous_train(self) -> str | None:
        """Return the pinned train, else the one before this train that was not refused."""
        models, dp_id = self.step.workspace.models, self.step.spec.id
        pin = models.pin_of(dp_id)
        if pin is not None and pin.train_id != self.train_id:
            return pin.train_id
        return accepted_before(models, models.manifest(dp_id, self.train_id))
