"""Run the stages of a train without Dagster."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from tests.support.toys import Houses, houses
from xingu import DataProvider
from xingu.model import Model
from xingu.model.provenance import Provenance
from xingu.provider.state import PreparedFrame, PreparedSplits
from xingu.records import TrainRun
from xingu.stages.builder import ProviderBuilder
from xingu.stages.evaluate import estimate_sets
from xingu.stages.train import Trained, clean, engineer, fit, split, tune
from xingu.tuning.resolve import Tuning

Frames = Mapping[str, pd.DataFrame]


def variant(base: type[DataProvider] = Houses, **members) -> type[DataProvider]:
    return type("Variant", (base,), members)


def run_of(cls: type[DataProvider], train_id: str = "calm-fox") -> TrainRun:
    return TrainRun(str(cls.id), train_id, "brave-day", "run")


@dataclass
class Stages:
    """The stages of one DataProvider, on data in memory.

    Attributes:
        cls: The DataProvider.
        data: Raw frames by source; None: the toy houses.
        models: Models of prerequisites by id.
    """

    cls: type[DataProvider] = Houses
    data: Frames | None = None
    models: Mapping[str, Model] | None = None

    @property
    def sources(self) -> Frames:
        return {"houses": houses()} if self.data is None else self.data

    @property
    def builder(self) -> ProviderBuilder:
        return ProviderBuilder(self.cls, lambda dp_id, _: (self.models or {})[dp_id])

    def cleaned(self) -> PreparedFrame:
        pins = {dp_id: model.train_id for dp_id, model in (self.models or {}).items()}
        return clean(self.builder, self.sources, pins)

    def splits(self) -> PreparedSplits:
        return split(self.builder, engineer(self.builder, self.cleaned()))

    def fitted(self, splits: PreparedSplits | None = None) -> Trained:
        splits = splits or self.splits()
        run = run_of(self.cls)
        chosen = tune(self.builder, splits, run, Tuning("dp"))
        return fit(self.builder, splits, chosen, run, Provenance())

    def evaluated(self) -> Model:
        """Return a Model with its sets and their estimations."""
        splits = self.splits()
        model = self.fitted(splits).model
        model.sets_estimations = estimate_sets(model, splits).frames
        return model
