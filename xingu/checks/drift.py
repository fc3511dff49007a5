"""Drift of a batch from the training data: population stability index and Kolmogorov-Smirnov.

Both are computed from the bins of the Model's reference. Each comes with the value that chance
explains for that number of rows, so that a small batch raises no false alarm.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xingu.model.reference import FeatureReference, shares_of

ENOUGH_ROWS = 100_000

FLOOR = 1e-4
"""Smallest share that replaces an empty bin in the logarithm."""


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift of one column.

    Attributes:
        psi: Population stability index, 0 and more.
        ks: Kolmogorov-Smirnov distance in [0, 1]; NaN for categories, which have no order.
        psi_by_chance: Bound that `psi` rarely exceeds if nothing has changed.
        ks_by_chance: The same for `ks`.
        shares: Share of each bin of the reference in the batch.
    """

    psi: float
    ks: float
    psi_by_chance: float
    ks_by_chance: float
    shares: Sequence[float]

    def exceeds(self, psi: float, ks: float) -> bool:
        """Return whether a figure exceeds its limit and the value that chance explains."""
        return self.psi > max(psi, self.psi_by_chance) or self.ks > max(ks, self.ks_by_chance)


def sampled(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame`, or at least `ENOUGH_ROWS` evenly spaced rows of a larger one."""
    return frame.iloc[:: max(1, len(frame) // ENOUGH_ROWS)]


def column_drift(reference: FeatureReference, column: pd.Series) -> Drift | None:
    """Return the drift of `column` from `reference`; None: they cannot be compared.

    Args:
        reference: The column in training.
        column: The same column of a batch; None is returned if it is empty.
    """
    shares = shares_of(reference, column)
    if shares is None or not len(column) or not reference.shares:
        return None
    missing = float(column.isna().mean())
    expected = _with_missing(np.array(reference.shares), reference.missing)
    actual = _with_missing(shares, missing)
    rows = 1 / max(1, reference.rows) + 1 / len(column)
    free = max(1, np.count_nonzero(expected + actual) - 1)
    ks = math.nan
    if reference.kind == "numeric" and missing < 1:
        ks = ks_statistic(np.array(reference.shares), shares)
    return Drift(
        # An empty bin of a small batch counts as half a row.
        psi=psi(expected, actual, max(FLOOR, 0.5 / len(column))),
        ks=ks,
        psi_by_chance=rows * float(free + 4 * math.sqrt(2 * free)),
        ks_by_chance=1.95 * math.sqrt(rows),
        shares=shares.tolist(),
    )


def psi(expected: np.ndarray, actual: np.ndarray, floor: float = FLOOR) -> float:
    """Population stability index: sum of (a - e) · ln(a / e) over the bins.

    Usual reading: below 0.1 stable, above 0.25 shifted (N. Siddiqi, *Credit Risk Scorecards*,
    2006). If nothing has changed it is about χ² with B - 1 degrees of freedom × (1/n + 1/m)
    (B. Yurdakul, *Statistical Properties of Population Stability Index*, 2018).

    Args:
        expected: Share of each bin in training, adding up to 1.
        actual: Share of the same bins now.
        floor: Share that replaces an empty bin.
    """
    expected, actual = np.maximum(expected, floor), np.maximum(actual, floor)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def ks_statistic(expected: np.ndarray, actual: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance: the largest gap between two cumulative distributions.

    Measured at the edges of the bins only, so the exact one is larger by less than the share of a
    bin. Chance exceeds 1.95 · sqrt(1/n + 1/m) once in a thousand (N. Smirnov, *Table for estimating
    the goodness of fit*, 1948).

    Args:
        expected: Share of each bin in training, in ascending order.
        actual: Share of the same bins now.
    """
    return float(np.abs(np.cumsum(expected) - np.cumsum(actual)).max())


def _with_missing(shares: np.ndarray, missing: float) -> np.ndarray:
    """Append the share of missing values as one more bin."""
    return np.append(shares * (1 - missing), missing)
