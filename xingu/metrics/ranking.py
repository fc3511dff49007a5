"""Rows counted from the highest score down: what ROC, precision-recall and KS have in common.

Its one idea: the sort is most of their cost, so it is done once for all of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from xingu.errors import UndefinedMetricError
from xingu.metrics.cleaning import Array, paired_scores


@dataclass(frozen=True, slots=True)
class Ranking:
    """Counts at each distinct score, highest first.

    Attributes:
        scores: Distinct scores, falling.
        hits: Weight of the target rows with that score or a higher one; ends at their total. Rows
            without weights count 1.
        misses: The same of all other rows.
        rows: How many rows there are.
    """

    scores: Array
    hits: Array
    misses: Array
    rows: int

    def true_positive_rate(self) -> Array:
        """Share of the target rows found, starting at 0 (nothing taken), ending at 1."""
        return np.concatenate([[0.0], self.hits / self.hits[-1]])

    def false_positive_rate(self) -> Array:
        """Share of the other rows taken by mistake, starting at 0, ending at 1."""
        return np.concatenate([[0.0], self.misses / self.misses[-1]])

    def precision(self) -> Array:
        """Share of target rows among the rows taken, at each distinct score."""
        return self.hits / (self.hits + self.misses)

    def taken(self) -> Array:
        """Share of all rows taken, starting at 0, ending at 1."""
        taken = self.hits + self.misses
        return np.concatenate([[0.0], taken / taken[-1]])

    def roc_auc(self) -> float:
        """Area under the ROC curve, in [0, 1]."""
        heights, steps = self.true_positive_rate(), np.diff(self.false_positive_rate())
        return float(np.sum(steps * (heights[1:] + heights[:-1]) / 2))

    def average_precision(self) -> float:
        """Precision averaged over the steps of recall, in [0, 1]."""
        return float(np.sum(np.diff(self.true_positive_rate()) * self.precision()))

    def ks(self) -> float:
        """Largest distance between the two score distributions, in [0, 1]."""
        return float(np.max(np.abs(self.true_positive_rate() - self.false_positive_rate())))


def rank(is_target: pd.Series, score: pd.Series, weight: pd.Series | None = None) -> Ranking:
    """Count target rows and others from the highest score down.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: The higher, the likelier the target class; same index. Rows with a NaN on either
            side are dropped.
        weight: What each row counts, at least 0, same index.

    Raises:
        UndefinedMetricError: If no row is left, or only one class is.
    """
    hits, scores, weights = paired_scores(is_target, score, weight)
    found = int(np.count_nonzero(hits))
    if found in (0, len(hits)):
        raise UndefinedMetricError(
            f"one class only: {'every' if found else 'no'} row is of the target class"
        )
    order = np.argsort(scores)[::-1]
    scores, hits = scores[order], hits[order]
    last_of_score = np.append(np.flatnonzero(scores[1:] != scores[:-1]), len(scores) - 1)
    if weights is None:
        hits_so_far = np.cumsum(hits)[last_of_score]
        misses_so_far = 1 + last_of_score - hits_so_far
    else:
        weights = weights[order]
        hits_so_far = np.cumsum(weights * hits)[last_of_score]
        misses_so_far = np.cumsum(weights * ~hits)[last_of_score]
    return Ranking(scores[last_of_score], hits_so_far, misses_so_far, len(scores))
