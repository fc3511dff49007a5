"""Which values of a metric are better: the classical ones are known, others are declared."""

from collections.abc import Mapping
from typing import Literal

Direction = Literal["less", "more", "zero"]
"""Less is better, more is better, or nearer to zero is."""

WORDS: Mapping[Direction, str] = {
    "less": "less is better",
    "more": "more is better",
    "zero": "nearer to 0 is better",
}
_CLASSICAL: Mapping[Direction, str] = {
    "less": "RMSE, MAE, Median AE, MAPE, Median APE, Log Loss, Brier",
    "more": "R2, ROC AUC, Average Precision, F1, Macro F1, Precision, Recall, Accuracy, KS",
    "zero": "Bias",
}
_KNOWN: Mapping[str, Direction] = {
    name.casefold(): direction
    for direction, names in _CLASSICAL.items()
    for name in names.split(", ")
}


def direction_of(name: str, declared: Mapping[str, Direction]) -> Direction | None:
    """Return the direction of a metric, by its whole name in any case; None if nobody knows.

    Args:
        name: Its name.
        declared: Directions by name; they win.
    """
    own: dict[str, Direction] = {key.casefold(): direction for key, direction in declared.items()}
    return own.get(name.casefold()) or _KNOWN.get(name.casefold())
