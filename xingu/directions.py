"""Directions and tolerances of metrics: which values are better, and by how much at least.

Search, gates and reports all use `direction_of`. Directions of the built-in metrics are in
`BUILTIN_DIRECTIONS`; a DataProvider declares those of its own metrics as `metric_directions`.
"""

import re
from collections.abc import Mapping
from typing import Literal

from xingu.errors import DeclarationError, did_you_mean

SearchDirection = Literal["minimize", "maximize"]
Direction = Literal[SearchDirection, "zero"]
DeclaredDirection = Literal[Direction, "less", "more"]
"""A `Direction`, or a synonym; the control DB of earlier releases holds synonyms, too."""

_CANONICAL: Mapping[DeclaredDirection, Direction] = {
    "minimize": "minimize",
    "less": "minimize",
    "maximize": "maximize",
    "more": "maximize",
    "zero": "zero",
}
DESCRIPTIONS: Mapping[Direction, str] = {
    "minimize": "lower is better",
    "maximize": "higher is better",
    "zero": "closer to 0 is better",
}
_BY_DIRECTION: Mapping[Direction, str] = {
    "minimize": "RMSE, MAE, Median AE, MAPE, Median APE, Log Loss, Brier",
    "maximize": "R2, ROC AUC, Average Precision, F1, Precision, Recall, Accuracy, KS",
    "zero": "Bias",
}
AVERAGED = ("Precision", "Recall", "F1", "ROC AUC", "Average Precision")
"""Built-in metrics of one class that have averages over all classes."""


def average_name(kind: Literal["Macro", "Weighted"], name: str) -> str:
    """Return the name of an average of a metric over all classes."""
    return f"{kind} {name}"


def class_metric_name(name: str, label: str) -> str:
    """Return the name of a metric of one class: ``F1 (class 'yes')``.

    Args:
        name: Name of the metric.
        label: The class as of `xingu.provider.classes.class_text`.
    """
    return f"{name} ({label})"


def without_class(name: str) -> str:
    """Return the name of a metric without the class that `class_metric_name` adds."""
    return re.sub(r" \(class .*\)$", "", name, flags=re.DOTALL)


BUILTIN_DIRECTIONS: Mapping[str, Direction] = {
    **{name: way for way, names in _BY_DIRECTION.items() for name in names.split(", ")},
    **{average_name(kind, name): "maximize" for name in AVERAGED for kind in ("Macro", "Weighted")},
}
"""Direction of each built-in metric, by its name without a class."""


def direction_of(name: str, declared: Mapping[str, DeclaredDirection]) -> Direction | None:
    """Return the direction of a metric, also of one class; None if it is not known.

    Args:
        name: Full name of the metric, in any case.
        declared: Directions by name of the metric; they override those of built-in metrics.
    """
    known: dict[str, Direction] = {
        key.casefold(): direction
        for key, direction in (*BUILTIN_DIRECTIONS.items(), *without_synonyms(declared).items())
    }
    return known.get(name.casefold()) or known.get(without_class(name).casefold())


def without_synonyms(declared: Mapping[str, DeclaredDirection]) -> dict[str, Direction]:
    """Return directions by name of the metric, with synonyms replaced."""
    return {name: _CANONICAL[direction] for name, direction in declared.items()}


def check_directions(owner: str, declared: object) -> None:
    """Check the `metric_directions` of a DataProvider.

    Args:
        owner: Id of the DataProvider, for the error.
        declared: The declaration.

    Raises:
        DeclarationError: If it is not a dict by name of the metric, or has an unknown direction.
    """
    where = f"{owner}.metric_directions"
    if not isinstance(declared, Mapping) or not all(isinstance(name, str) for name in declared):
        raise DeclarationError(
            f"{where} is {declared!r}; write for example {{'profit': 'maximize'}}.",
            dataprovider_id=owner,
        )
    for name, direction in declared.items():
        if direction not in list(_CANONICAL):  # a list: it may be unhashable
            known = ", ".join(f"{one!r} ({text})" for one, text in DESCRIPTIONS.items())
            raise DeclarationError(
                f"{where}[{name!r}] is {direction!r}; known: {known}."
                f"{did_you_mean(str(direction), DESCRIPTIONS)}",
                dataprovider_id=owner,
            )


def check_tolerances(owner: str, declared: object) -> None:
    """Check the `metric_tolerances` of a DataProvider.

    Args:
        owner: Id of the DataProvider, for the error.
        declared: The declaration.

    Raises:
        DeclarationError: If it is not a dict of names of metrics to numbers of at least 0.
    """
    entries = declared.items() if isinstance(declared, Mapping) else [("", -1)]
    for name, value in entries:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (isinstance(name, str) and number and value >= 0):
            raise DeclarationError(
                f"{owner}.metric_tolerances is {declared!r}; write differences of at least 0 by "
                "name of the metric, for example {'profit': 10}.",
                dataprovider_id=owner,
            )
