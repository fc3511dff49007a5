"""Keep integers exact where pandas makes them float64 because cells are missing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

ROUNDED = 2**53
"""The first integer that float64 may have rounded."""


def with_exact_integers(
    frame: pd.DataFrame, reread: Callable[[list[Any]], pd.DataFrame]
) -> pd.DataFrame:
    """Replace columns of rounded integers by Int64 columns.

    Args:
        frame: Frame of a pandas reader; it may be modified.
        reread: Reads the given columns with nullable types.
    """
    if not frame.columns.is_unique:
        return frame
    suspects = [
        name
        for name, column in frame.items()
        if column.dtype == np.float64 and column.hasnans and column.abs().max() >= ROUNDED
    ]
    if suspects:
        exact = reread(suspects)
        for name in suspects:
            if exact[name].dtype in ("Int64", "UInt64"):
                frame[name] = exact[name].array
    return frame
