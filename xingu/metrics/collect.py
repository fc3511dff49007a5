"""Metric and plot methods of a DataProvider or a Model, found by name, called and checked.

Its one idea: a method's name says what it is for, its signature what it wants. It knows neither
which prefixes exist nor where rows are kept.
"""

import logging
import math
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from xingu.error_collector import ErrorCollector
from xingu.errors import HookError
from xingu.records import MetricRow

logger = logging.getLogger(__name__)

ESTIMATION_COLUMNS = ("name", "value_number", "value_text")
CLASSICAL = "the classical metrics"
"""The origin of metrics that nobody wrote a method for; those of methods replace them."""


def metric_rows(set_name: str | None, result: object, where: str) -> list[MetricRow]:
    """Return what a metric method returned as rows; missing ones are dropped with a logged reason.

    NaN and infinite numbers stay what they are, and are logged too.

    Args:
        set_name: The set that was measured, or None for a metric of the whole Model.
        result: Names to numbers (also of numpy, Decimal, and bool as 0 or 1) or texts.
        where: Owner and method, for errors.

    Raises:
        HookError: If `result` is something else.
    """
    place = where + _of_set(set_name)
    rows = []
    for name, value in checked_mapping(result, place, "numbers or texts").items():
        row = _row(set_name, name, value, place)
        if row is None:
            logger.warning("%s: metric %r is %r and is left out", place, name, value)
            continue
        if row.value_number is not None and not math.isfinite(row.value_number):
            logger.warning("%s: metric %r is %r", place, name, row.value_number)
        rows.append(row)
    return rows


class MetricTable:
    """The metrics of one Model, each of them once.

    Args:
        owner_label: The DataProvider, for the log.

    Attributes:
        failures: Errors of methods; the others were measured all the same.
    """

    def __init__(self, owner_label: str) -> None:
        self.failures = ErrorCollector()
        self._owner_label = owner_label
        self._rows: dict[tuple[str | None, str], tuple[MetricRow, str]] = {}

    @property
    def rows(self) -> list[MetricRow]:
        """The rows, in the order in which they were added."""
        return [row for row, _ in self._rows.values()]

    def add(self, set_name: str | None, result: object, origin: str) -> None:
        """Add what `origin` returned; metrics of a method replace the `CLASSICAL` of their name.

        Args:
            set_name: The set that was measured, or None for metrics of the whole Model.
            result: Names to numbers or texts.
            origin: Owner and method, or `CLASSICAL`.

        Raises:
            HookError: If `result` is something else, or another method yielded the same metric of
                the same set.
        """
        for row in metric_rows(set_name, result, origin):
            key = (row.set, row.name)
            _, first = self._rows.get(key, (row, CLASSICAL))
            if first != CLASSICAL:
                raise HookError(
                    f"{first} and {origin} both yield the metric {row.name!r}"
                    f"{_of_set(row.set)}; rename one of them.",
                    metric=row.name,
                )
            self._rows[key] = (row, origin)

    def add_undefined(self, set_name: str | None, undefined: Mapping[str, str]) -> None:
        """Log why metrics have no value: the reason by metric name."""
        for name, reason in undefined.items():
            place = self._owner_label + _of_set(set_name)
            logger.warning("%s: metric %r is left out: %s", place, name, reason)


def estimation_rows(result: object, index: pd.Index, where: str) -> pd.DataFrame:
    """Return what a method measured of single estimations: name, value_number and value_text.

    Args:
        result: A frame with `name` and one of the values at least.
        index: The index of the data.
        where: Owner and method, for errors.

    Raises:
        HookError: If `result` is something else, or is about other rows.
    """
    if not isinstance(result, pd.DataFrame) or "name" not in result:
        raise HookError(
            f"{where} returned {type(result).__name__}; it must return a DataFrame with the "
            f"columns {', '.join(ESTIMATION_COLUMNS)}."
        )
    if not result.index.isin(index).all():
        raise HookError(f"{where} returned rows that the data does not have; keep its index.")
    table = result.reindex(columns=list(ESTIMATION_COLUMNS))
    try:
        return table.astype({"name": "str", "value_number": "float64"})
    except (TypeError, ValueError) as error:
        raise HookError(
            f"{where} returned as value_number what is no number ({error}); "
            "texts go into value_text."
        ) from error


def checked_mapping(result: object, place: str, wanted: str) -> Mapping[str, Any]:
    """Return `result` if it is a mapping whose keys are names.

    Raises:
        HookError: If it is something else; the text says what came and that `wanted` was.
    """
    if not isinstance(result, Mapping):
        raise HookError(
            f"{place} returned {type(result).__name__}; return a dict of names to {wanted}, "
            "which may be empty."
        )
    for name in result:
        if not isinstance(name, str) or not name:
            raise HookError(f"{place} returned the name {name!r}; names are non-empty texts.")
    return result


def _row(set_name: str | None, name: str, value: object, place: str) -> MetricRow | None:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str):
        return MetricRow(set_name, name, None, str(value))
    if not isinstance(value, (Real, Decimal)):
        raise HookError(
            f"{place} returned {type(value).__name__} as the metric {name!r}; "
            "a metric is a number or a text."
        )
    return MetricRow(set_name, name, float(value), None)


def _of_set(set_name: str | None) -> str:
    return "" if set_name is None else f" (set {set_name!r})"
