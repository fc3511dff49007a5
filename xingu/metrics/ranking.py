"""Rows counted by score: the basis of ROC AUC, average precision, KS and the curves of plots.

The sort costs more than everything computed from it, so metrics and plots of the same rows share
one `Ranking`. All curves run from the highest score to the lowest.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from xingu.errors import UndefinedMetricError
from xingu.metrics.cleaning import Array, paired_scores


@dataclass(frozen=True, slots=True)
class Ranking:
    """Cumulative counts at each distinct score, highest first; all arrays have the same length.

    Attributes:
        scores: Distinct scores, descending.
        hits: Total weight of the target rows with this score or a higher one; the last value is
            the total. Without weights each row counts 1.
        misses: The same for the rows of other classes.
        counts: Number of rows with this score or a higher one, whatever their weight.
    """

    scores: Array
    hits: Array
    misses: Array
    counts: Array

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.counts[-1])

    @property
    def prevalence(self) -> float:
        """Share of target rows among all rows, in (0, 1)."""
        return float(self.precision()[-1])

    def true_positive_rate(self) -> Array:
        """Return recall at each score, preceded by 0: rises from 0 (no row selected) to 1."""
        return np.concatenate([[0.0], self.hits / self.hits[-1]])

    def false_positive_rate(self) -> Array:
        """Return the selected share of other rows at each score, preceded by 0."""
        return np.concatenate([[0.0], self.misses / self.misses[-1]])

    def precision(self) -> Array:
        """Return the share of target rows among the rows selected at each score."""
        return self.hits / (self.hits + self.misses)

    def selected(self) -> Array:
        """Return the selected share of all rows at each score, preceded by 0."""
        selected = self.hits + self.misses
        return np.concatenate([[0.0], selected / selected[-1]])

    def roc_auc(self) -> float:
        """Return the area under the ROC curve, in [0, 1]."""
        selected = self.hits + self.misses
        total, tied = selected[-1], np.diff(selected, prepend=0)
        mean_ranks = total - selected + (tied + 1) / 2
        return auc_of_ranks(np.diff(self.hits, prepend=0), mean_ranks, total)

    def average_precision(self) -> float:
        """Return the precision averaged over the steps of recall, in [0, 1]."""
        return float(np.sum(np.diff(self.true_positive_rate()) * self.precision()))

    def ks(self) -> float:
        """Return the largest distance between the two score distributions, in [0, 1]."""
        return float(np.max(np.abs(self.true_positive_rate() - self.false_positive_rate())))


def rank(is_target: pd.Series, score: pd.Series, weight: pd.Series | None = None) -> Ranking:
    """Count target rows and other rows from the highest score down.

    Args:
        is_target: Whether each row is of the target class, shape (n,).
        score: Probability of the target class, or any score that increases with it; same index.
            Rows with a NaN on either side are dropped.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        DataError: If the indexes differ.
        UndefinedMetricError: If no row is left, only one class is, or a score is infinite.
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
    counts = 1 + last_of_score
    if weights is None:
        hits_so_far = np.cumsum(hits)[last_of_score]
        misses_so_far = counts - hits_so_far
    else:
        weights = weights[order]
        hits_so_far = np.cumsum(weights * hits)[last_of_score]
        misses_so_far = np.cumsum(weights * ~hits)[last_of_score]
    return Ranking(scores[last_of_score], hits_so_far, misses_so_far, counts)


def auc_of_ranks(hits: Array, ranks: Array, total: float | None = None) -> float:
    """Return the area under the ROC curve of rows whose ranks are known, without sorting them.

    It is the Mann-Whitney U statistic divided by the number of pairs (Hanley and McNeil 1982, "The
    meaning and use of the area under a receiver operating characteristic curve"): the share of
    pairs of a target row and another row in which the target row has the higher score; a tie
    counts one half.

    Args:
        hits: Weight of each target row and 0 for each other row, shape (n,); or booleans.
        ranks: Rank of each row's score, 1 for the lowest; ties share their mean rank, as in
            `pandas.Series.rank`. Same shape. With weights, a row counts as that many tied rows.
        total: Total weight of all rows; None: the number of rows.

    Returns:
        The area in [0, 1]; NaN if only one class is present.
    """
    found = float(hits.sum())
    pairs = found * ((len(hits) if total is None else total) - found)
    if not pairs:
        return np.nan
    # No np.dot: BLAS would start threads for a millisecond of work.
    return float(((hits * ranks).sum() - found * (found + 1) / 2) / pairs)
