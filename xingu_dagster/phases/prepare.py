"""The phase `prepare`: raw sources, cleaned frame, features, splits."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from xingu.hooks import call_hook
from xingu.stages.builder import ProviderBuilder
from xingu.stages.train import clean, engineer, split
from xingu.state import PreparedFrame, PreparedSplits
from xingu_dagster.metadata import Metadata, frame_metadata, sets_metadata
from xingu_dagster.phases.sources import make_raw_assets
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.translator import XinguTranslator


class SourcesConfig(dg.Config):
    """What can be chosen for one run."""

    refresh_sources: bool = Field(
        default=False, description="Read outside data anew, also where the cache has it."
    )


def build_prepare(names: XinguTranslator) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/raw/*``, ``cleaned``, ``features`` and ``splits``."""

    @dg.multi_asset(
        name=f"{names.group}__prepare",
        specs=names.train_specs(),
        can_subset=True,
        required_resource_keys={"xingu"},
    )
    def prepare(
        context: dg.AssetExecutionContext, config: SourcesConfig
    ) -> Iterator[dg.MaterializeResult]:
        step = PhaseStep(context, names)
        yield from Preparation(step).run(refresh=config.refresh_sources)

    return prepare


class Preparation:
    """One preparation: from outside data to the sets of the split."""

    def __init__(self, step: PhaseStep) -> None:
        self.step = step
        # A prerequisite that was never trained shall fail before minutes are spent on queries.
        self.pins = {}
        if step.selected("cleaned"):
            self.pins = {dp_id: step.current_train(dp_id) for dp_id in step.names.pre_reqs}

    def run(self, *, refresh: bool) -> Iterator[dg.MaterializeResult]:
        """Materialize what was selected of the phase."""
        step = self.step
        declared = call_hook(step.names.cls(), "get_dataset_sources_for_train", None)
        attribute = "train_dataset_sources"
        yield from make_raw_assets(step, ("raw",), declared, attribute, refresh=refresh)
        if step.selected("cleaned"):
            yield self._cleaned()
        if step.selected("features"):
            yield self._next("cleaned", "features", engineer, _describe)
        if step.selected("splits"):
            yield self._next("features", "splits", split, _describe_sets)

    def _cleaned(self) -> dg.MaterializeResult:
        step, sources = self.step, self.step.names.train_sources
        frames = {name: step.get("raw", part) for part, name in sources.items()}
        raw = [("raw", part) for part in sources]
        version = step.derived_version(*raw, extra=sorted(self.pins.values()))
        for parts in raw:
            step.forget(*parts)
        return step.make(
            ("cleaned",),
            lambda: clean(step.builder, frames, self.pins),
            version=version,
            describe=_describe,
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
        value, version = step.get(before), step.derived_version((before,))
        step.forget(before)
        return step.make(
            (name,), lambda: stage(step.builder, value), version=version, describe=describe
        )


def _describe(prepared: PreparedFrame) -> Metadata:
    return frame_metadata(prepared.frame)


def _describe_sets(prepared: PreparedSplits) -> Metadata:
    return sets_metadata(prepared.frames)
