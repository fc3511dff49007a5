"""Find a feature that alone explains the target: it probably knows what will only be known later.

Its one idea: the figure of a feature is that of the best model of this feature alone. Group means
are learned on one half of the rows and judged on the other, so that no identifier looks clever.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from xingu.checks.outcome import Outcome
from xingu.checks.reference import is_numeric, numbers_of, sample, texts_of

ROWS, GROUPS, MAX_CLASSES = 5_000, 50, 10


def leakage(
    train: pd.DataFrame, features: Sequence[str], target: str, limit: float, classify: bool
) -> Outcome:
    """No feature alone explains the target.

    Args:
        train: The set that is fitted on.
        features: Features to look at.
        target: Target column.
        limit: The largest AUC, or R2, that is still believed.
        classify: Whether the target is a class: then the figure is the AUC, the mean over classes
            where there are more than two. Else it is R2.
    """
    rows = sample(train.loc[train[target].notna()], ROWS)
    y, measure = rows[target], "AUC" if classify else "R2"
    targets = _class_targets(y) if classify else [numbers_of(y)]
    figures = {}
    for name in features:
        scores = [_score(rows[name], each, classify) for each in targets]
        known = [score for score in scores if not np.isnan(score)]
        if known:
            figures[name] = float(np.mean(known))
    ranked = sorted(figures.items(), key=lambda item: -item[1])
    guilty = [name for name, value in ranked if value > limit]
    best = f"{ranked[0][0]!r} alone has {measure} {ranked[0][1]:.3f}" if ranked else "no feature"
    text = f"{best}; more than {limit:g} is not believed." if guilty else f"At most {best}."
    table = [{"feature": name, measure: round(value, 4)} for name, value in ranked[:20]]
    top = {f"highest {measure}": ranked[0][1]} if ranked else {}
    return Outcome(not guilty, text, {**top, "suspects": len(guilty), "rows": len(rows)}, table)


def auc(hits: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve from ranks (Mann-Whitney U); NaN without both classes."""
    positive = int(hits.sum())
    negative = len(hits) - positive
    if not positive or not negative:
        return np.nan
    ranks = pd.Series(scores).rank().to_numpy()
    return float((ranks[hits].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _class_targets(y: pd.Series) -> list[np.ndarray]:
    counts = y.value_counts()
    labels: Collection = counts[counts > 0].index[:MAX_CLASSES]
    labels = labels[:1] if len(labels) == 2 else labels
    return [(y == label).to_numpy(dtype=float) for label in labels]


def _score(column: pd.Series, target: np.ndarray, classify: bool) -> float:
    """AUC or R2 of the best that one column can do; NaN: it cannot be judged."""
    if is_numeric(column):
        numbers = numbers_of(column)
        known = np.isfinite(numbers)
        if known.sum() < 2:
            return np.nan
        codes = _bins(numbers, known)
        plain = _monotone(numbers[known], target[known], classify) if known.mean() > 0.5 else np.nan
        return float(np.nanmax([plain, _by_group(codes, target, classify), 0]))
    texts = texts_of(column)
    return np.nan if texts is None else _by_group(pd.factorize(texts)[0], target, classify)


def _bins(numbers: np.ndarray, known: np.ndarray) -> np.ndarray:
    edges = np.unique(np.quantile(numbers[known], np.arange(1, GROUPS) / GROUPS, method="lower"))
    return np.where(known, np.searchsorted(edges, numbers), -1)


def _monotone(numbers: np.ndarray, target: np.ndarray, classify: bool) -> float:
    """What the column's order, or a straight line, explains."""
    if classify:
        area = auc(target == 1, numbers)
        return max(area, 1 - area)
    if numbers.min() == numbers.max() or target.min() == target.max():
        return np.nan
    ranks = np.corrcoef(pd.Series(numbers).rank(), pd.Series(target).rank())[0, 1]
    return max(np.corrcoef(numbers, target)[0, 1] ** 2, ranks**2)


def _by_group(codes: np.ndarray, target: np.ndarray, classify: bool) -> float:
    """What the mean of each group explains in rows that it was not computed from."""
    learned = np.arange(len(codes)) % 2 == 0
    if learned.all():
        return np.nan
    groups = codes + 1  # a missing value is a group as well
    counts = np.bincount(groups[learned], minlength=groups.max() + 1)
    sums = np.bincount(groups[learned], target[learned], minlength=len(counts))
    means = np.where(counts > 0, sums / np.maximum(counts, 1), target[learned].mean())
    estimated = means[groups[~learned]]
    truth = target[~learned]
    if classify:
        return auc(truth == 1, estimated)
    spread = ((truth - truth.mean()) ** 2).sum()
    return float(1 - ((truth - estimated) ** 2).sum() / spread) if spread else np.nan
