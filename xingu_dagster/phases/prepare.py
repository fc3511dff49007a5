"""The phase `prepare`: raw sources, cleaned frame, features, splits."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import dagster as dg
import pandas as pd

from xingu.checks.gates import check_sets_of
from xingu.checks.parity import replay_sample
from xingu.checks.subjects import TrainFrames
from xingu.provider.hooks import call_hook, is_overridden
from xingu.provider.state import PreparedFrame, PreparedSplits, ProviderState
from xingu.stages.train import clean, engineer, split
from xingu.values import Facts, Label
from xingu_dagster.metadata import frame_metadata, sets_metadata
from xingu_dagster.phases.build import Results, build_phase
from xingu_dagster.phases.checks import make_unless_refused, run_checks
from xingu_dagster.phases.sources import make_raw_assets, source_records, source_rows
from xingu_dagster.phases.step import PhaseStep, timed
from xingu_dagster.phases.tune import require_hyperparameters
from xingu_dagster.spec import TRAIN_SOURCES, ProviderSpec

CLEANED, FEATURES, SPLITS = ("cleaned",), ("features",), ("splits",)
REPLAY_SAMPLE = ("cleaned", "replay_sample")
"""Path of the raw rows that the parity check replays; it is no asset."""


def build_prepare(provider: ProviderSpec) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/raw/*``, ``cleaned``, ``features`` and ``splits``."""
    raw = [
        provider.asset_spec(
            "raw",
            part,
            deps=provider.raw_deps(part),
            description=provider.raw_description(provider.train_declarations[name]),
        )
        for part, name in provider.train_sources.items()
    ]
    deps = [*(spec.key for spec in raw), *map(provider.model_key, provider.pre_reqs)]
    chain = []
    for path in (CLEANED, FEATURES, SPLITS):
        chain.append(provider.asset_spec(*path, deps=deps))
        deps = [chain[-1].key]
    return build_phase(provider, "prepare", [*raw, *chain], lambda step: Preparation(step).run())


class Preparation:
    """One preparation: from external data to the sets of the split."""

    def __init__(self, step: PhaseStep) -> None:
        self.step = step
        # A prerequisite without a train must fail before time is spent on queries.
        self.pins: dict[str, str] = {}
        self.state: ProviderState | None = None
        if step.selected(*CLEANED):
            preferred = step.options.pre_req_train_or_session_ids
            self.pins = {
                dp_id: step.current_train(dp_id, preferred) for dp_id in step.spec.pre_reqs
            }

    def run(self) -> Results:
        """Materialize and check what was selected of the phase."""
        if not self.step.context.selected_asset_keys:  # checks alone do not belong to a train
            yield from self._check_cleaned()
            yield from self._check_features()
            yield from self._check_splits()
            return
        with self.step.recorded("train_dataprep"):
            yield from self._run()

    def _run(self) -> Results:
        step = self.step
        require_hyperparameters(step)  # before time is spent on queries
        hook, attribute = TRAIN_SOURCES
        provider = step.builder.build(ProviderState(pre_reqs=self.pins))
        model = step.builder.model(provider, None, step.train_run)
        with model.in_context("train_dataprep"):
            declared = call_hook(provider, hook, model)
        if is_overridden(provider, hook):  # what it has set on itself is known to the next hook
            self.state = ProviderState.capture(provider, hook, self.pins)
        yield from make_raw_assets(step, ("raw",), declared, attribute)
        if step.selected(*CLEANED):
            yield self._make_cleaned()
        yield from self._check_cleaned()
        if step.selected(*FEATURES):
            yield from make_unless_refused(step, FEATURES, self._make_features)
        yield from self._check_features()
        if step.selected(*SPLITS):
            yield from make_unless_refused(step, SPLITS, self._make_splits)
        yield from self._check_splits()

    # -- assets -------------------------------------------------------------------------------

    def _make_cleaned(self) -> dg.MaterializeResult:
        step = self.step
        raw = [("raw", part) for part in step.spec.train_sources]
        frames = {name: step.get("raw", part) for part, name in step.spec.train_sources.items()}
        version = step.derived_version(*raw, extra=sorted(self.pins.values()))
        sources = source_records(step.stored(*path).record for path in raw)
        read = step.stored(*raw[0]).record.facts
        sample = self._sample(frames)  # copied before the hook, which may change the frames
        for path in raw:
            step.forget(*path)
        cleaned, seconds = timed(partial(clean, step.builder, frames, self.pins, self.state))
        options = step.used_options | dict(read.options)
        facts = Facts(sources=sources, replay_sample=self._store_sample(sample), options=options)
        label = Label(version, facts)
        return step.keep(CLEANED, cleaned, label, seconds, _frame_metadata(cleaned))

    def _make_features(self) -> dg.MaterializeResult:
        step = self.step
        cleaned, label = self._take(CLEANED)
        return step.make(FEATURES, partial(engineer, step.builder, cleaned), label, _frame_metadata)

    def _make_splits(self) -> dg.MaterializeResult:
        step = self.step
        features, label = self._take(FEATURES)

        def compute() -> PreparedSplits:
            splits = split(step.builder, features)
            check_sets_of(step.spec.id, step.spec.gates, list(splits.frames))
            return splits

        return step.make(SPLITS, compute, label, lambda splits: sets_metadata(splits.frames))

    def _take(self, path: tuple[str, ...]) -> tuple[PreparedFrame, Label]:
        """Return a frame and the label of the next one; the step releases the frame."""
        step = self.step
        stored = step.stored(*path)
        label = Label(step.derived_version(path), stored.record.facts)
        step.forget(*path)
        return stored.value, label

    # -- checks -------------------------------------------------------------------------------

    def _check_cleaned(self) -> Results:
        yield from run_checks(self.step, CLEANED, lambda: source_rows(self.step, CLEANED))

    def _check_features(self) -> Results:
        def subject() -> TrainFrames:
            features: PreparedFrame = self.step.get(*FEATURES)
            provider = self.step.builder.build(features.state)
            return TrainFrames(provider, {"features": features.frame})

        yield from run_checks(self.step, FEATURES, subject)

    def _check_splits(self) -> Results:
        def subject() -> TrainFrames:
            splits: PreparedSplits = self.step.get(*SPLITS)
            return TrainFrames(self.step.builder.build(splits.state), splits.frames)

        yield from run_checks(self.step, SPLITS, subject)

    def _sample(self, frames: Mapping[str, pd.DataFrame]) -> Any:
        """Return raw rows for the parity check; None: it is off."""
        check = self.step.spec.checks.get("batch_parity")
        return replay_sample(frames, check.limits["rows"]) if check else None

    def _store_sample(self, sample: Any) -> str | None:
        """Store the raw rows of the parity check and return the id of the value."""
        if sample is None:
            return None
        label = Label(self.step.context.run.run_id)
        return self.step.write(self.step.spec.key(*REPLAY_SAMPLE), sample, label).value_id


def _frame_metadata(prepared: PreparedFrame) -> dict[str, Any]:
    return frame_metadata(prepared.frame)
