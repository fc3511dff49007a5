"""A sample of the rows of a source."""

import numpy as np
import pandas as pd

SEED = 0
"""Seed of the sample: the same rows give the same sample in every run."""


def sample_of(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return at most `rows` rows of a frame, in their order; `frame` itself if it has no more.

    Args:
        frame: The rows of a source.
        rows: Largest number of rows; 0: all.
    """
    if not rows or len(frame) <= rows:
        return frame
    chosen = np.random.default_rng(SEED).choice(len(frame), rows, replace=False)
    return frame.iloc[np.sort(chosen)]
