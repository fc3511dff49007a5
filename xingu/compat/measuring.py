"""Methods of Xingu 2.0 that compute and save the metrics of a Model.

The stages are imported on first use: a process that only loads and predicts does not need them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from xingu.compat.sources import Sources
from xingu.error_collector import ErrorCollector
from xingu.errors import DataError
from xingu.provider.methods import find_methods
from xingu.records import Channel, MetricRow

if TYPE_CHECKING:
    from xingu.metrics.collect import MetricTable

MODEL_METRIC_COLUMNS = ("name", "value_number", "value_text", "set")
CHANNELS: dict[str, Channel] = {
    "trainsets": "trainsets",
    "global": "global",
    "batch": "batch_predict",
    "batch_predict": "batch_predict",
}
"""Channels by name; ``batch`` is that of Xingu 2.0."""


class Measuring(Sources):
    """Metrics of the sets, of a batch and of the whole Model."""

    def get_metrics_computers(self, type: str = "estimation") -> list[Callable[..., Any]]:  # noqa: A002
        """Return the metric methods of this Model's class, for example of ``trainsets_model``."""
        return list(find_methods(self, f"compute_{type}_metrics").values())

    # -- compute ------------------------------------------------------------------------------

    def compute_trainsets_model_metrics(self) -> dict[str, dict[str, Any]]:
        """Return the metrics of each of `sets`, by set and name."""
        table = self._measured("trainsets")
        return {name: _values(table, name) for name in self.sets}

    def compute_batch_model_metrics(self) -> dict[str, Any]:
        """Return the metrics of the last batch, by name."""
        return _values(self._measured("batch_predict"))

    def compute_global_model_metrics(self) -> dict[str, Any]:
        """Return the metrics of the whole Model, by name."""
        return _values(self._measured("global"))

    def compute_model_metrics(self, channel: str = "trainsets") -> pd.DataFrame:
        """Return the metrics of a channel, and of ``trainsets`` those of the whole Model too.

        Returns:
            Columns ``name``, ``value_number``, ``value_text`` and ``set``.
        """
        rows = self._measured(channel_of(channel)).rows
        values = [(row.name, row.value_number, row.value_text, row.set or "global") for row in rows]
        return pd.DataFrame(values, columns=list(MODEL_METRIC_COLUMNS))

    def compute_estimation_metrics(
        self, XY: pd.DataFrame | None = None, Y_pred: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Return the metrics of single estimations.

        Args:
            XY: Rows; None: the last batch.
            Y_pred: Their estimations; None: those of the last batch.

        Returns:
            Columns ``name``, ``value_number`` and ``value_text``, indexed as `XY`; rows without a
            value are left out.
        """
        if XY is None or Y_pred is None:
            XY, Y_pred = self._estimated_batch()
        made, failures = self._measured_estimations(XY, Y_pred)
        failures.raise_collected()
        return made.dropna(subset=["value_number", "value_text"], how="all")

    def compute_batch_estimation_metrics(self) -> pd.DataFrame:
        """Return the metrics of single estimations of the last batch."""
        return self.compute_estimation_metrics()

    def compute_trainsets_model_metrics_classical(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame
    ) -> dict[str, float]:
        """Return the built-in metrics of rows with a target, by name, for example of a region."""
        from xingu.stages.batch import predicted
        from xingu.stages.evaluate import classical_metrics

        return dict(classical_metrics(self, XY, predicted(self, Y_pred)).values)

    def compute_batch_model_metrics_classical(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame
    ) -> dict[str, float]:
        """Return the built-in metrics of the rows whose target is known; none without it."""
        target = self.dp.get_target()
        if target not in XY:
            return {}
        known = XY[target].notna().to_numpy()
        return self.compute_trainsets_model_metrics_classical(XY[known], Y_pred[known])

    def compute_global_model_metrics_feature_importance_from_estimator(
        self, **_: Any
    ) -> dict[str, float]:
        """Return importance and rank (from 1) of each feature, by name of the metric."""
        importance = self.estimator.feature_importance() if self.estimator else None
        start, values = "feature importance:estimator", {}
        for rank, (name, value) in enumerate(() if importance is None else importance.items(), 1):
            values |= {
                f"{start}:{name}:importance": float(value),
                f"{start}:{name}:rank": float(rank),
            }
        return values

    @staticmethod
    def median_ape(y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Return the median of |pred - true| / |true|, as a fraction."""
        return float(_relative_errors(y_true, y_pred).abs().median())

    @staticmethod
    def median_pe(y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Return the median of (pred - true) / true, as a fraction."""
        return float(_relative_errors(y_true, y_pred).median())

    # -- save ---------------------------------------------------------------------------------

    def compute_and_save_metrics(self, channel: str = "trainsets") -> list[MetricRow]:
        """Compute the metrics of a channel and replace those in the control DB.

        Args:
            channel: ``trainsets`` measures `sets`, ``batch_predict`` (``batch``) measures `batch`,
                ``global`` measures the Model as a whole.

        Returns:
            The saved metrics.

        Raises:
            DataError: If `sets` or `batch` is not in memory.
            HookError: If a metric method raised; the other metrics are saved.
        """
        rows = self.save_model_metrics(channel)
        self.save_estimation_metrics(channel)
        return rows

    def save_model_metrics(self, channel: str = "trainsets") -> list[MetricRow]:
        """Compute the metrics of sets, batch or Model and replace those in the control DB."""
        from xingu.tracking.record import record_metrics

        name = channel_of(channel)
        table = self._measured(name, strict=False)
        rows = [row for row in table.rows if row.set or name == "global"]
        record_metrics(self._workspace.control, self.run, rows, {name}, table.noise)
        table.failures.raise_collected()
        return rows

    def save_estimation_metrics(self, channel: str = "trainsets") -> None:
        """Compute the metrics of single estimations of a batch and replace those in the control DB.

        Single estimations of the sets are not measured.
        """
        from xingu.tracking.record import record_estimation_metrics

        if channel_of(channel) != "batch_predict":
            return
        made, failures = self._measured_estimations(*self._estimated_batch())
        record_estimation_metrics(self._workspace.control, self.run, made)
        failures.raise_collected()

    def _measured_estimations(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame
    ) -> tuple[pd.DataFrame, ErrorCollector]:
        from xingu.stages.batch import predicted
        from xingu.stages.evaluate import measure_estimations

        failures = ErrorCollector()
        return measure_estimations(self, XY, predicted(self, Y_pred), failures), failures

    def _measured(self, channel: Channel, *, strict: bool = True) -> "MetricTable":
        from xingu.stages.batch import predicted
        from xingu.stages.evaluate import measure_batch, measure_global, measure_sets

        if channel == "global":
            table = measure_global(self)
        elif channel == "trainsets":
            self._require_estimated_sets()
            table = measure_sets(self)
        else:
            batch, estimations = self._estimated_batch()
            table = measure_batch(self, batch, predicted(self, estimations))
        if strict:
            table.failures.raise_collected()
        return table

    def _require_estimated_sets(self) -> None:
        if not self.sets:
            raise DataError(
                f"{self.id}: its sets are not in memory; assign model.sets, a dict of frames."
            )
        estimated = getattr(self, "sets_estimations", {})
        if any(name not in estimated for name in self.sets):
            self.trainsets_predict()

    def _estimated_batch(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        if self.batch is None or self.batch_estimations is None:
            raise DataError(f"{self.id}: no batch was estimated; call model.batch_predict() first.")
        return self.batch, self.batch_estimations


def _relative_errors(y_true: ArrayLike, y_pred: ArrayLike) -> pd.Series:
    """Return the errors of values in the same order."""
    true = np.asarray(y_true, float)
    return pd.Series((np.asarray(y_pred, float) - true) / true)


def channel_of(name: str) -> Channel:
    """Return the channel of metrics with a name of `CHANNELS`.

    Raises:
        DataError: If there is none.
    """
    if name not in CHANNELS:
        raise DataError(f"There is no channel {name!r} of metrics; known: {', '.join(CHANNELS)}.")
    return CHANNELS[name]


def _values(table: "MetricTable", set_name: str | None = None) -> dict[str, Any]:
    """Return the metrics of a set by name; of all if it is None."""
    return {
        row.name: row.value_text if row.value_number is None else row.value_number
        for row in table.rows
        if set_name is None or row.set == set_name
    }
