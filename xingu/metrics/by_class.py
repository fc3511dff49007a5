"""Metrics of each class against the rest, and their averages.

Averages are those of scikit-learn: ``macro`` weights all classes equally, ``weighted`` by their
observed rows. Of precision, recall and F1 the classes count that are observed or predicted, and a
share of no rows counts as 0; ROC AUC and average precision need rows of every class.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from xingu.directions import AVERAGED, average_name, class_metric_name
from xingu.errors import UndefinedMetricError
from xingu.metrics.classified import Classified
from xingu.metrics.cleaning import Array
from xingu.provider.classes import class_text

MAX_CLASSES = 50
"""Of more classes only the averages are returned, without the metrics that rank the rows once per
class."""
RANKED = ("ROC AUC", "Average Precision")


class ByClass:
    """Metrics of each class of the same rows; each is computed when it is first needed.

    Args:
        rows: Observed classes and estimated probabilities.
    """

    def __init__(self, rows: Classified) -> None:
        self._rows = rows
        self._size = len(rows.classes)

    def metrics(self) -> Mapping[str, Callable[[], float]]:
        """Return the function of each metric, by name: averages, then metrics of each class.

        `Support` is the number of observed rows, or their weight.
        """
        few = self._size <= MAX_CLASSES
        names = [name for name in AVERAGED if few or name not in RANKED]
        found: dict[str, Callable[[], float]] = {}
        for name in names:
            for kind in ("Macro", "Weighted"):
                found[average_name(kind, name)] = lambda n=name, k=kind: self._average(n, k)
        for at, label in enumerate(self._rows.classes if few else ()):
            for name in names:
                full_name = class_metric_name(name, class_text(label))
                found[full_name] = lambda n=name, at=at: self._of_class(n, at)
            support = class_metric_name("Support", class_text(label))
            found[support] = lambda at=at: float(self._observed[at])
        return found

    def _average(self, name: str, kind: str) -> float:
        values = self._values(name)
        if name in RANKED and (missing := np.flatnonzero(np.isnan(values))).size:
            label = class_text(self._rows.classes[missing[0]])
            raise UndefinedMetricError(f"no row, or every row, is of {label}")
        counted = self._observed + self._predicted > 0
        weights = self._observed if kind == "Weighted" else np.ones(self._size)
        if not weights[counted].sum():
            raise UndefinedMetricError("no row is of a known class")
        return float(np.average(np.nan_to_num(values[counted]), weights=weights[counted]))

    def _of_class(self, name: str, at: int) -> float:
        value = self._values(name)[at]
        if np.isnan(value):
            raise UndefinedMetricError("no row, or every row, is of this class or predicted as it")
        return float(value)

    def _values(self, name: str) -> Array:
        """Return a metric of each class; NaN: it is undefined."""
        return (self._ranked if name in RANKED else self._shares)[name]

    @cached_property
    def _weights(self) -> Array:
        weight = self._rows.weight
        return np.ones(len(self._rows.codes)) if weight is None else weight.to_numpy()

    @cached_property
    def _observed(self) -> Array:
        codes = self._rows.codes.to_numpy()
        known = codes >= 0
        return np.bincount(codes[known], self._weights[known], self._size)

    @cached_property
    def _predicted(self) -> Array:
        return np.bincount(self._rows.predicted, self._weights, self._size)

    @cached_property
    def _shares(self) -> Mapping[str, Array]:
        """Precision, recall and F1 of each class; NaN: a share of no rows."""
        codes, predicted = self._rows.codes.to_numpy(), self._rows.predicted.to_numpy()
        right = codes == predicted
        both = np.bincount(codes[right], self._weights[right], self._size)
        with np.errstate(invalid="ignore"):
            return {
                "Precision": both / self._predicted,
                "Recall": both / self._observed,
                "F1": 2 * both / (self._observed + self._predicted),
            }

    @cached_property
    def _ranked(self) -> Mapping[str, Array]:
        """Metrics of the order of each class's probability; NaN: only one class is observed."""
        found = {name: np.full(self._size, np.nan) for name in RANKED}
        for at in np.flatnonzero((self._observed > 0) & (self._observed < self._weights.sum())):
            ranking = replace(self._rows, target_index=int(at)).ranking
            found["ROC AUC"][at] = ranking.roc_auc()
            found["Average Precision"][at] = ranking.average_precision()
        return found
