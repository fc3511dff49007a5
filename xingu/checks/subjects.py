"""The subjects of checks: the records that a check on an asset is computed from.

A check on several assets uses the attributes that their subjects have in common.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from xingu.checks.check import AssetPath
from xingu.checks.gates import Gate, Metrics
from xingu.checks.outcome import Limits, Outcome, not_applicable
from xingu.model.reference import Reference
from xingu.provider.base import DataProvider

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class SourceRows:
    """On ``cleaned`` and ``batch/cleaned``: the number of rows of each source."""

    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TrainFrames:
    """On ``features`` (one frame) and ``splits`` (the sets): frames of the train, by name."""

    provider: DataProvider
    frames: Frames

    @property
    def features(self) -> list[str]:
        """Features of the estimator."""
        return list(self.provider.get_estimator_features_list())

    @property
    def target(self) -> str | None:
        """The target column."""
        return self.provider.get_target()


@dataclass(frozen=True, slots=True)
class Estimations:
    """On ``trainset_estimations``: *the* estimation of each row, by set.

    Attributes:
        estimations: Estimations by set.
        rows: Number of rows that were estimated, by set.
        replay: Compares the results of train hooks and batch hooks for the same rows.
    """

    estimations: Mapping[str, pd.Series]
    rows: Mapping[str, int]
    replay: Callable[[Limits], Outcome] = lambda _: not_applicable("there are no rows to replay")


@dataclass(frozen=True, slots=True)
class BatchFeatures:
    """On ``batch/features``: the frame, and the distributions that the Model was trained on."""

    frames: Frames
    reference: Reference | None

    @property
    def batch(self) -> pd.DataFrame:
        """The features of the batch."""
        return next(iter(self.frames.values()))


@dataclass(frozen=True, slots=True)
class BatchEstimations:
    """On ``batch/estimations``: *the* estimation of each row, and those of training."""

    estimations: Mapping[str, pd.Series]
    rows: Mapping[str, int]
    reference: Reference | None


@dataclass(frozen=True, slots=True)
class PreviousTrain:
    """Metrics of the train before, measured on the rows of this one.

    Attributes:
        train_id: The train.
        metrics: Its metrics; None: it cannot be measured on these rows.
        reason: Why not.
    """

    train_id: str
    metrics: Metrics | None
    reason: str = ""


class TrainMetrics(Protocol):
    """On ``trainset_metrics``: the metrics of a train, and those of the train before."""

    @property
    def dataprovider_id(self) -> str:
        """Id of the DataProvider."""
        ...

    @property
    def gates(self) -> Sequence[Gate]:
        """The quality gates of the DataProvider."""
        ...

    def metrics(self) -> Metrics:
        """Return the metrics of the train."""
        ...

    def previous(self, gates: Sequence[Gate]) -> PreviousTrain | None:
        """Return the train before, measured for `gates`; None: there is none."""
        ...


SUBJECTS: Mapping[AssetPath, type] = {
    ("cleaned",): SourceRows,
    ("features",): TrainFrames,
    ("splits",): TrainFrames,
    ("trainset_estimations",): Estimations,
    ("trainset_metrics",): TrainMetrics,
    ("batch", "cleaned"): SourceRows,
    ("batch", "features"): BatchFeatures,
    ("batch", "estimations"): BatchEstimations,
}
"""The assets that checks can be on, with the classes of their subjects."""
