"""Observed classes and estimated probabilities of a set, as one record.

Metrics and plots use the same rows, selected once by `known_rows`: those without a missing value.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from xingu.errors import DataError, UndefinedMetricError
from xingu.metrics.cleaning import check_same_rows, checked_weights, class_codes
from xingu.metrics.ranking import Ranking, rank
from xingu.provider.estimator import ESTIMATION


@dataclass(frozen=True)
class Classified:
    """Observed classes and estimated probabilities of the same rows, none of them missing.

    Attributes:
        observed: Labels.
        probabilities: Probabilities in [0, 1], one column per class.
        classes: Label of each column.
        target_index: Position of the target class in `classes`; None: there is none.
        weight: Weight of each row, above 0; None: equal weights.
    """

    observed: pd.Series
    probabilities: pd.DataFrame
    classes: Sequence[Hashable]
    target_index: int | None
    weight: pd.Series | None = None

    @cached_property
    def codes(self) -> pd.Series:
        """Position of each observed label in `classes`; -1 for an unknown label."""
        return pd.Series(class_codes(self.observed, self.classes), self.observed.index)

    @cached_property
    def predicted(self) -> pd.Series:
        """Position of the most probable class; the first one of a tie."""
        probabilities = self.probabilities.to_numpy()
        likeliest = probabilities.argmax(axis=1) if len(probabilities) else []
        return pd.Series(likeliest, self.observed.index, dtype="intp")

    @property
    def is_target(self) -> pd.Series:
        """Whether each row is of the target class."""
        return self.codes == self.target_index

    @property
    def score(self) -> pd.Series:
        """Probability of the target class.

        Raises:
            UndefinedMetricError: If there is no target class.
        """
        if self.target_index is None:
            raise UndefinedMetricError("there is no target class")
        return self.probabilities.iloc[:, self.target_index]

    @cached_property
    def ranking(self) -> Ranking:
        """Rows counted by the probability of the target class; sorted once.

        Raises:
            UndefinedMetricError: If there is no target class, no row, only one class, or a score
                is infinite.
        """
        return rank(self.is_target, self.score, self.weight)


def known_rows(
    y_true: pd.Series,
    probabilities: pd.DataFrame,
    classes: Sequence[Hashable],
    target_index: int | None,
    weight: pd.Series | None = None,
) -> Classified:
    """Return the rows with a label, all probabilities and, if weighted, a weight above 0.

    Args:
        y_true: Observed labels, shape (n,).
        probabilities: One column per class in the order of `classes`, in [0, 1], same index. Other
            columns beside ``estimation_class_0 …`` are ignored.
        classes: Label of each column.
        target_index: Position of the target class in `classes`; None: there is none.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        DataError: If the indexes differ, or columns, classes and `target_index` do not match.
        UndefinedMetricError: If a weight is not a number, negative or infinite.
    """
    check_same_rows(y_true.index, probabilities.index)
    of_classes = [one for one in probabilities if str(one).startswith(f"{ESTIMATION}_class_")]
    if 0 < len(of_classes) < probabilities.shape[1]:  # others are those of the Estimator
        probabilities = probabilities[of_classes]
    if probabilities.shape[1] != len(classes) or not 0 <= (target_index or 0) < len(classes):
        raise DataError(
            f"{probabilities.shape[1]} columns of probabilities and the target class "
            f"{target_index} do not match the {len(classes)} classes {list(classes)[:10]!r}; "
            "check proba_class_index and what post_process_after_predict_proba returns."
        )
    probabilities = probabilities.astype("float64")
    known = (y_true.notna() & probabilities.notna().all(axis=1)).to_numpy()
    weights = checked_weights(weight, y_true.index)
    if weights is not None:
        known = known & (weights > 0)
    if not known.all():
        y_true, probabilities = y_true.loc[known], probabilities.loc[known]
    kept = None if weights is None else pd.Series(weights[known], y_true.index)
    return Classified(y_true, probabilities, classes, target_index, kept)
