"""Check what metric methods of a DataProvider or a Model return, and collect it as rows.

Methods are found and called by `xingu.provider.methods`; rows are stored by `xingu.tracking`.
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
from xingu.records import MetricRow, Noise

logger = logging.getLogger(__name__)

ESTIMATION_COLUMNS = ("name", "value_number", "value_text")
CLASSICAL = "the built-in metrics"
"""Origin of the built-in metrics; a metric of a method replaces the built-in one of its name."""


def metric_rows(set_name: str | None, result: object, where: str) -> list[MetricRow]:
    """Convert the result of a metric method to rows; missing values are dropped and logged.

    NaN and infinite numbers are kept and logged.

    Args:
        set_name: The measured set; None for a metric of the whole Model.
        result: Numbers or strings by metric name. Numbers include numpy types, Decimal, and bool
            (as 0 or 1).
        where: Owner and method, for errors.

    Raises:
        HookError: If `result` is not such a mapping.
    """
    place = where + _of_set(set_name)
    rows = []
    for name, value in checked_mapping(result, place, "numbers or strings").items():
        row = _row(set_name, name, value, place)
        if row is None:
            logger.warning("%s: metric %r is %r and is left out", place, name, value)
            continue
        if row.value_number is not None and not math.isfinite(row.value_number):
            logger.warning("%s: metric %r is %r", place, name, row.value_number)
        rows.append(row)
    return rows


class MetricTable:
    """The metrics of one Model, one row per set and name.

    Args:
        owner_label: Id of the DataProvider, for the log.

    Attributes:
        failures: Errors raised by methods; they do not prevent the metrics of other methods.
    """

    def __init__(self, owner_label: str) -> None:
        self.failures = ErrorCollector()
        self._owner_label = owner_label
        self._noise: dict[str, Mapping[str, float]] = {}
        self._rows: dict[tuple[str | None, str], tuple[MetricRow, str]] = {}

    @property
    def rows(self) -> list[MetricRow]:
        """Rows in the order in which they were added."""
        return [row for row, _ in self._rows.values()]

    def add(self, set_name: str | None, result: object, origin: str) -> None:
        """Add the result of a method; its metrics replace `CLASSICAL` metrics of the same name.

        Args:
            set_name: The measured set; None for metrics of the whole Model.
            result: Numbers or strings by metric name.
            origin: Owner and method, or `CLASSICAL`.

        Raises:
            HookError: If `result` is not such a mapping, or another method has returned the same
                metric of the same set.
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

    def add_noise(self, set_name: str, errors: Mapping[str, float]) -> None:
        """Add standard errors of built-in metrics of a set, by name."""
        self._noise[set_name] = errors

    @property
    def noise(self) -> Noise:
        """Standard errors of the built-in metrics that no method replaces."""
        return {
            set_name: {
                name: error
                for name, error in errors.items()
                if self._rows.get((set_name, name), (None, ""))[1] == CLASSICAL
            }
            for set_name, errors in self._noise.items()
        }

    def add_undefined(self, set_name: str | None, undefined: Mapping[str, str]) -> None:
        """Log the reasons (by metric name) of metrics without a value."""
        for name, reason in undefined.items():
            place = self._owner_label + _of_set(set_name)
            logger.warning("%s: metric %r is left out: %s", place, name, reason)


def estimation_rows(result: object, index: pd.Index, where: str) -> pd.DataFrame:
    """Return metrics of single estimations with the columns name, value_number and value_text.

    Args:
        result: The result of a method: a frame with `name` and at least one of the value columns;
            None: nothing was measured.
        index: Index of the data.
        where: Owner and method, for errors.

    Raises:
        HookError: If `result` is not such a frame, or has rows that are not in `index`.
    """
    if result is None:
        return pd.DataFrame(columns=list(ESTIMATION_COLUMNS))
    if not isinstance(result, pd.DataFrame) or "name" not in result:
        raise HookError(
            f"{where} returned {type(result).__name__}; it must return a DataFrame with the "
            f"columns {', '.join(ESTIMATION_COLUMNS)}."
        )
    if not result.index.isin(index).all():
        raise HookError(
            f"{where} returned rows that are not in the data; keep the index of the data."
        )
    table = result.reindex(columns=list(ESTIMATION_COLUMNS))
    try:
        return table.astype({"name": "str", "value_number": "float64"})
    except (TypeError, ValueError) as error:
        raise HookError(
            f"{where} returned a value_number that is not a number ({error}); "
            "put strings into value_text."
        ) from error


def checked_mapping(result: object, place: str, wanted: str) -> Mapping[str, Any]:
    """Return `result` if it is a mapping whose keys are names.

    Args:
        result: The result of a method.
        place: Owner, method and set, for errors.
        wanted: The expected values, for errors.

    Raises:
        HookError: If it is not.
    """
    if not isinstance(result, Mapping):
        raise HookError(
            f"{place} returned {type(result).__name__}; return a dict of names to {wanted}, "
            "which may be empty."
        )
    for name in result:
        if not isinstance(name, str) or not name:
            raise HookError(f"{place} returned the name {name!r}; use non-empty strings.")
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
            "a metric is a number or a string."
        )
    return MetricRow(set_name, name, float(value), None)


def _of_set(set_name: str | None) -> str:
    return "" if set_name is None else f" (set {set_name!r})"
