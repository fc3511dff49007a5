"""Classes of a classifier, and the one whose probability is its estimation.

Estimations, metrics, plots, checks and reports ask `estimated_class`, so that all of them are of
the same class.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DeclarationError
from xingu.provider.base import DataProvider


@dataclass(frozen=True, slots=True)
class EstimatedClass:
    """The class whose probability is *the* estimation of a classifier.

    Attributes:
        index: Position in the classes.
        label: Label.
    """

    index: int
    label: Hashable

    def __str__(self) -> str:
        return class_text(self.label)


def class_text(label: Hashable) -> str:
    """Return a label for titles and names of metrics: ``class 'yes'``, ``class 1``."""
    return f"class {plain_label(label)!r}"


def plain_label(label: Any) -> Any:
    """Return a label of a numpy type as a Python value."""
    return label.item() if isinstance(label, np.generic) else label


def labels_of(classes: Sequence[Hashable], target: pd.Series) -> list[Any]:
    """Return `classes`; if there are none, the labels of `target`, sorted.

    Args:
        classes: Labels that the Estimator knows, in the order of ``estimation_class_0 …``.
        target: Target of the set that it was fitted on.
    """
    found = [plain_label(label) for label in classes]
    if not found:
        found = [plain_label(label) for label in target.dropna().unique()]
        try:
            found.sort()
        except TypeError:  # labels of several types
            found.sort(key=str)
    return found


def positive_index(classes: Sequence[Any], target: pd.Series) -> int | None:
    """Return the position of the larger of two labels; None if there are more.

    An ordered category decides by its order. Labels that cannot be compared: the last one.

    Args:
        classes: Labels, in any order.
        target: Target of the set that the Estimator was fitted on.
    """
    if not classes or max(len(classes), target.nunique()) > 2:
        return None
    if isinstance(target.dtype, pd.CategoricalDtype) and target.dtype.ordered:
        order = [plain_label(label) for label in target.dtype.categories]
        if ascending := [label for label in order if label in classes]:
            return list(classes).index(ascending[-1])
    try:
        return list(classes).index(max(classes))
    except TypeError:
        return len(classes) - 1


def check_class_index(owner: str, declared: object) -> None:
    """Check the type of `proba_class_index` of a DataProvider.

    Raises:
        DeclarationError: If it is neither None nor an integer.
    """
    whole = isinstance(declared, int | np.integer) and not isinstance(declared, bool)
    if declared is not None and not whole:
        raise DeclarationError(
            f"{owner}.proba_class_index is {declared!r}; write the position of a class in the "
            "sorted labels, from 0, or None for the larger of two.",
            dataprovider_id=owner,
        )


def estimated_class(
    provider: DataProvider, classes: Sequence[Any], target: pd.Series
) -> EstimatedClass | None:
    """Return the class whose probability is the estimation.

    Args:
        provider: The DataProvider.
        classes: Labels in the order of ``estimation_class_0 …``.
        target: Target of the set `train`.

    Returns:
        The class `proba_class_index`; without one, the larger of two labels; None if there are
        more.

    Raises:
        DeclarationError: If `proba_class_index` is that of no class; the classes are listed.
    """
    index = provider.proba_class_index
    if index is None:
        index = positive_index(classes, target)
    if index is None:
        return None
    check_class_index(str(provider.id), index)
    if not 0 <= index < len(classes):
        known = ", ".join(f"{at}: {plain_label(one)!r}" for at, one in enumerate(classes[:20]))
        more = f" and {len(classes) - 20} more" if len(classes) > 20 else ""
        raise DeclarationError(
            f"{provider.id}.proba_class_index is {index!r}; the classes are {known}{more}.",
            dataprovider_id=provider.id,
            proba_class_index=index,
        )
    return EstimatedClass(int(index), plain_label(classes[index]))
