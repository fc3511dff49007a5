"""Noise of metrics: by how much they would differ on other rows of the same kind.

The Bayesian bootstrap (Rubin 1981, "The Bayesian bootstrap") weights rows at random instead of
drawing them, so that the weighted metrics themselves are computed, and none becomes undefined.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from xingu.metrics.builtin import Measured

ROWS, REPLICATES, SEED = 2_000, 20, 0
"""Largest number of rows, and number of repetitions: a standard error is then known to about
16 %. Standard errors of more rows are those of the sample, scaled by the root of the share."""


def standard_errors(
    measure: Callable[[pd.Series], Measured], weight: pd.Series, rows: int
) -> dict[str, float]:
    """Return the standard error of each metric, in its unit.

    Args:
        measure: Measures a sample of rows with the given weights, which are indexed as `weight`.
        weight: Weight of each row of the sample, at least 0.
        rows: Number of all rows.
    """
    rng = np.random.default_rng(SEED)
    found = [
        measure(weight * rng.standard_exponential(len(weight))).values for _ in range(REPLICATES)
    ]
    errors = pd.DataFrame(found).std() * np.sqrt(len(weight) / rows)
    return {str(name): float(error) for name, error in errors.items() if np.isfinite(error)}
