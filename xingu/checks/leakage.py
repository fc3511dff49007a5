"""Find features that alone explain the target: they probably contain it, or its consequences.

Each feature is scored by the best of several models of this feature alone: a straight line, its
order, and means of groups. Means are computed on one half of the rows and scored on the other, so
that an identifier scores low.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from xingu.checks.check import Check
from xingu.checks.outcome import SHOWN, Limits, Outcome
from xingu.checks.subjects import TrainFrames
from xingu.metrics.ranking import auc_of_ranks
from xingu.model.reference import is_numeric, numbers_of, sample, texts_of

ROWS, GROUPS, MAX_CLASSES = 5_000, 50, 10


def leakage(
    train: pd.DataFrame, features: Sequence[str], target: str, limit: float, classify: bool
) -> Outcome:
    """Check that no feature alone explains the target.

    Args:
        train: The set that is fitted on.
        features: Features to score; those that are not in `train` are skipped.
        target: Target column.
        limit: Largest plausible AUC or R2.
        classify: Whether the target is a class: then the figure is the AUC, the mean over classes
            where there are more than two. Else it is R2.
    """
    rows = sample(train.loc[train[target].notna()], ROWS)
    y, measure = rows[target], "AUC" if classify else "R2"
    targets = _class_targets(y) if classify else [_Amount(numbers_of(y))]
    figures = {}
    for name in (one for one in features if isinstance(rows.get(one), pd.Series)):
        scores = [_score(rows[name], each) for each in targets]
        known = [score for score in scores if not np.isnan(score)]
        if known:
            figures[name] = float(np.mean(known))
    ranked = sorted(figures.items(), key=lambda item: -item[1])
    suspects = [name for name, value in ranked if value > limit]
    best = f"{ranked[0][0]!r} alone has {measure} {ranked[0][1]:.3f}" if ranked else "no feature"
    text = f"{best}; more than {limit:g} is implausible." if suspects else f"At most {best}."
    table = [{"feature": name, measure: round(value, 4)} for name, value in ranked[:SHOWN]]
    top = {f"highest {measure}": ranked[0][1]} if ranked else {}
    return Outcome(not suspects, text, {**top, "suspects": len(suspects), "rows": len(rows)}, table)


@dataclass(frozen=True)
class _Amount:
    """A numeric target, scored by R2."""

    values: np.ndarray

    @cached_property
    def ranks(self) -> np.ndarray:
        return _ranks(self.values)

    def explained_by(self, numbers: np.ndarray, ranks: np.ndarray, known: np.ndarray) -> float:
        """Return the R2 of a straight line, or of the order, of the `known` values."""
        target = self.values[known]
        if numbers.min() == numbers.max() or target.min() == target.max():
            return np.nan
        own = self.ranks if known.all() else _ranks(target)
        pairs = ((numbers, target), (ranks, own))
        return max(np.corrcoef(one, other)[0, 1] ** 2 for one, other in pairs)

    @staticmethod
    def score(truth: np.ndarray, estimated: np.ndarray) -> float:
        spread = ((truth - truth.mean()) ** 2).sum()
        return float(1 - ((truth - estimated) ** 2).sum() / spread) if spread else np.nan


@dataclass(frozen=True)
class _Class:
    """Membership of a class, 1 or 0, scored by the AUC."""

    values: np.ndarray

    def explained_by(self, numbers: np.ndarray, ranks: np.ndarray, known: np.ndarray) -> float:  # noqa: ARG002
        """Return the AUC of the order of the `known` values."""
        area = auc_of_ranks(self.values[known] == 1, ranks)
        return max(area, 1 - area)

    @staticmethod
    def score(truth: np.ndarray, estimated: np.ndarray) -> float:
        return auc_of_ranks(truth == 1, _ranks(estimated))


_Target = _Amount | _Class


def _class_targets(y: pd.Series) -> list[_Class]:
    counts = y.value_counts()
    labels: Collection = counts[counts > 0].index[:MAX_CLASSES]
    labels = labels[:1] if len(labels) == 2 else labels
    return [_Class((y == label).to_numpy(dtype=float)) for label in labels]


def _score(column: pd.Series, target: _Target) -> float:
    """Return the best AUC or R2 of one column; NaN: it cannot be scored."""
    if is_numeric(column):
        numbers = numbers_of(column)
        known = np.isfinite(numbers)
        if known.sum() < 2:
            return np.nan
        numbers = numbers[known]
        ranks = _ranks(numbers)
        groups = np.full(len(known), -1)
        groups[known] = (ranks - 1) * GROUPS / len(ranks)  # of as many rows each
        plain = target.explained_by(numbers, ranks, known) if known.mean() > 0.5 else np.nan
        return float(np.nanmax([plain, _by_group(groups, target), 0]))
    texts = texts_of(column)
    return np.nan if texts is None else _by_group(pd.factorize(texts)[0], target)


def _ranks(numbers: np.ndarray) -> np.ndarray:
    return pd.Series(numbers).rank().to_numpy()


def _by_group(codes: np.ndarray, target: _Target) -> float:
    """Score the means of groups on the half of the rows that they were not computed from."""
    training = np.arange(len(codes)) % 2 == 0
    if training.all():
        return np.nan
    groups = codes + 1  # a missing value is a group as well
    known = target.values[training]
    counts = np.bincount(groups[training], minlength=groups.max() + 1)
    sums = np.bincount(groups[training], known, minlength=len(counts))
    means = np.where(counts > 0, sums / np.maximum(counts, 1), known.mean())
    return target.score(target.values[~training], means[groups[~training]])


def _leakage(subject: TrainFrames, limits: Limits) -> Outcome:
    features = [name for name in subject.features if name not in limits["ignore"]]
    classify = subject.provider.is_classifier()
    limit = limits["auc" if classify else "r2"]
    return leakage(subject.frames["train"], features, str(subject.target), limit, classify)


CHECKS = (
    Check(
        name="leakage",
        assets=(("splits",),),
        title="No feature alone explains the target.",
        severity="warn",
        compute=_leakage,
        limits={"auc": 0.99, "r2": 0.99, "ignore": ()},
        applies=lambda declared: not declared.hollow,
    ),
)
