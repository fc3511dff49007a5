"""Which values of a metric are better: the classical ones are known, others are declared.

Its one idea: gates and reports ask here, so that both mean the same by "worse".
"""

from collections.abc import Mapping
from typing import Literal

from xingu.errors import DeclarationError, did_you_mean

Direction = Literal["less", "more", "zero"]
"""Less is better, more is better, or nearer to zero is."""

WORDS: Mapping[Direction, str] = {
    "less": "less is better",
    "more": "more is better",
    "zero": "nearer to 0 is better",
}
_BY_DIRECTION: Mapping[Direction, str] = {
    "less": "RMSE, MAE, Median AE, MAPE, Median APE, Log Loss, Brier",
    "more": "R2, ROC AUC, Average Precision, F1, Macro F1, Precision, Recall, Accuracy, KS",
    "zero": "Bias",
}
CLASSICAL: Mapping[str, Direction] = {
    name: direction for direction, names in _BY_DIRECTION.items() for name in names.split(", ")
}
"""Metrics that are measured without a method of the DataProvider, and which way is better."""


def direction_of(name: str, declared: Mapping[str, Direction]) -> Direction | None:
    """Return the direction of a metric, by its whole name in any case; None if nobody knows.

    Args:
        name: Its name.
        declared: Directions by name; they win.
    """
    known: dict[str, Direction] = {
        key.casefold(): direction for key, direction in (*CLASSICAL.items(), *declared.items())
    }
    return known.get(name.casefold())


def check_directions(owner: str, declared: object) -> None:
    """Refuse `metric_directions` that nobody would understand.

    Raises:
        DeclarationError: If it is no dict by name of the metric, or a direction does not exist.
    """
    where = f"{owner}.metric_directions"
    if not isinstance(declared, Mapping) or not all(isinstance(name, str) for name in declared):
        raise DeclarationError(
            f"{where} is {declared!r}; write for example {{'profit': 'more'}}.",
            dataprovider_id=owner,
        )
    for name, direction in declared.items():
        if direction not in list(WORDS):  # a list, because it may be unhashable
            raise DeclarationError(
                f"{where}[{name!r}] is {direction!r}; known: "
                f"{', '.join(f'{way!r} ({text})' for way, text in WORDS.items())}."
                f"{did_you_mean(str(direction), WORDS)}",
                dataprovider_id=owner,
            )
