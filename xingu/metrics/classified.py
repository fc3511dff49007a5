"""What a classifier says of some rows, beside what was observed.

Its one idea: metrics and plots look at the same rows, chosen once: those where nothing is missing.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from xingu.errors import DataError
from xingu.metrics.cleaning import check_same_rows, checked_weights, class_codes


@dataclass(frozen=True)
class Classified:
    """Observed classes and estimated probabilities of the same rows, none of them missing.

    Attributes:
        observed: Labels.
        chances: Probabilities in [0, 1], one column per class.
        classes: The label of each column.
        target_index: Position of the target class in `classes`.
        weight: What each row counts, above 0; None: all alike.
    """

    observed: pd.Series
    chances: pd.DataFrame
    classes: Sequence[Hashable]
    target_index: int
    weight: pd.Series | None = None

    @cached_property
    def codes(self) -> pd.Series:
        """Position of each observed label in `classes`, -1 for one that is not there."""
        return pd.Series(class_codes(self.observed, self.classes), self.observed.index)

    @cached_property
    def predicted(self) -> pd.Series:
        """Position of the likeliest class, the first of equals."""
        likeliest = self.chances.to_numpy().argmax(axis=1) if len(self.chances) else []
        return pd.Series(likeliest, self.observed.index, dtype="intp")

    @property
    def is_target(self) -> pd.Series:
        """Whether each row is of the target class."""
        return self.codes == self.target_index

    @property
    def score(self) -> pd.Series:
        """Probability of the target class."""
        return self.chances.iloc[:, self.target_index]


def known_rows(
    y_true: pd.Series,
    probabilities: pd.DataFrame,
    classes: Sequence[Hashable],
    target_index: int,
    weight: pd.Series | None = None,
) -> Classified:
    """Return the rows where label, probabilities and weight are there, and the weight is not 0.

    Raises:
        DataError: If index, columns and classes do not fit together, or a weight is negative.
    """
    check_same_rows(y_true.index, probabilities.index)
    if probabilities.shape[1] != len(classes) or not 0 <= target_index < len(classes):
        raise DataError(
            f"{probabilities.shape[1]} columns of probabilities and target class {target_index} do "
            f"not fit the {len(classes)} classes {list(classes)[:10]!r}; "
            "check proba_class_index and what post_process_after_predict_proba returns."
        )
    chances = probabilities.astype("float64")
    known = (y_true.notna() & chances.notna().all(axis=1)).to_numpy()
    weights = checked_weights(weight, y_true.index)
    if weights is not None:
        known = known & (weights > 0)
    if not known.all():
        y_true, chances = y_true.loc[known], chances.loc[known]
    kept = None if weights is None else pd.Series(weights[known], y_true.index)
    return Classified(y_true, chances, classes, target_index, kept)
