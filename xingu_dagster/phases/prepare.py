"""The phase `prepare`: raw sources, cleaned frame, features, splits."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from xingu.provider.hooks import call_hook
from xingu.provider.state import PreparedFrame, PreparedSplits
from xingu.stages.builder import ProviderBuilder
from xingu.stages.train import clean, engineer, split
from xingu_dagster.metadata import Metadata, frame_metadata, sets_metadata
from xingu_dagster.phases.build import SOURCES_CONFIG, Results, build_phase
from xingu_dagster.phases.checking import (
    check_cleaned,
    check_gated_sets,
    check_splits,
    keep_replay_rows,
    replay_rows,
)
from xingu_dagster.phases.sources import make_raw_assets, source_facts
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.translator import XinguTranslator


def build_prepare(names: XinguTranslator) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/raw/*``, ``cleaned``, ``features`` and ``splits``."""
    return build_phase(
        names,
        "prepare",
        names.train_specs(),
        lambda step: Preparation(step).run(),
        SOURCES_CONFIG,
    )


class Preparation:
    """One preparation: from outside data to the sets of the split."""

    def __init__(self, step: PhaseStep) -> None:
        self.step = step
        # A prerequisite that was never trained shall fail before minutes are spent on queries.
        self.pins = {}
        if step.selected("cleaned"):
            preferred = step.workspace.options.preferred_trains
            self.pins = {
                dp_id: step.current_train(dp_id, preferred) for dp_id in step.names.pre_reqs
            }

    def run(self) -> Results:
        """Materialize and check what was selected of the phase."""
        if not self.step.context.selected_asset_keys:
            yield from self._checks_alone()
            return
        with self.step.recorded("train_dataprep"):
            yield from self._run()

    def _checks_alone(self) -> Results:
        """Check what is stored; it is no part of a train."""
        yield from check_cleaned(self.step)
        yield from check_splits(self.step)

    def _run(self) -> Results:
        step = self.step
        declared = call_hook(step.names.cls(), "get_dataset_sources_for_train", None)
        attribute = "train_dataset_sources"
        yield from make_raw_assets(step, ("raw",), declared, attribute)
        if step.selected("cleaned"):
            yield self._cleaned()
        yield from check_cleaned(step)
        if step.selected("features"):
            yield self._next("cleaned", "features", engineer, _describe)
        if step.selected("splits"):
            yield self._next("features", "splits", self._split, _describe_sets)
        yield from check_splits(step)

    def _split(self, builder: ProviderBuilder, features: PreparedFrame) -> PreparedSplits:
        return check_gated_sets(self.step, split(builder, features))

    def _cleaned(self) -> dg.MaterializeResult:
        step, sources = self.step, self.step.names.train_sources
        frames = {name: step.get("raw", part) for part, name in sources.items()}
        raw = [("raw", part) for part in sources]
        version = step.derived_version(*raw, extra=sorted(self.pins.values()))
        facts = {"sources": [source_facts(step.stored(*parts).record) for parts in raw]}
        rows = replay_rows(step, frames)
        for parts in raw:
            step.forget(*parts)

        def make() -> PreparedFrame:
            made = clean(step.builder, frames, self.pins)
            facts.update(keep_replay_rows(step, rows))
            return made

        return step.make(
            ("cleaned",),
            make,
            version=version,
            describe=_describe,
            facts=facts,
        )

    def _next(
        self,
        before: str,
        name: str,
        stage: Callable[[ProviderBuilder, PreparedFrame], Any],
        describe: Callable[[Any], Metadata],
    ) -> dg.MaterializeResult:
        """One more frame of the chain; the one before it is let go as soon as possible."""
        step = self.step
        value, facts = step.get(before), step.stored(before).record.facts
        version = step.derived_version((before,))
        step.forget(before)
        return step.make(
            (name,),
            lambda: stage(step.builder, value),
            version=version,
            describe=describe,
            facts=facts,
        )


def _describe(prepared: PreparedFrame) -> Metadata:
    return frame_metadata(prepared.frame)


def _describe_sets(prepared: PreparedSplits) -> Metadata:
    return sets_metadata(prepared.frames)
