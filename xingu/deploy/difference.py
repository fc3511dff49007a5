"""Compare two Models on the golden rows of one of them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from xingu.errors import XinguError, text_of
from xingu.model import Model


class Difference(BaseModel):
    """By how much the estimations of a train differ from those of the one that it replaces.

    Attributes:
        rows: Number of rows that both estimated.
        mean_absolute: Mean absolute difference, in the unit of the target; None for labels.
        max_absolute: Largest absolute difference; None for labels.
        changed: Share of rows with another estimation, in [0, 1].
        problem: Why they cannot be compared; empty if they can.
    """

    model_config = ConfigDict(frozen=True)

    rows: int = 0
    mean_absolute: float | None = None
    max_absolute: float | None = None
    changed: float = 0.0
    problem: str = ""


def difference_of(
    rows: pd.DataFrame, new: pd.Series, load_served: Callable[[], Model]
) -> Difference:
    """Estimate rows with the Model that is served, and compare.

    Args:
        rows: Rows as `Model.predict` takes them.
        new: Estimations of the new Model, in the order of `rows`.
        load_served: Loads the Model that is served.
    """
    try:
        old = load_served().predict(rows)["estimation"]
    except XinguError as error:
        return Difference(problem=text_of(error))
    except Exception as error:  # noqa: BLE001 - hooks of another version raise anything
        return Difference(problem=f"{type(error).__name__}: {text_of(error)}")
    return compared(new, old)


def compared(new: pd.Series, old: pd.Series) -> Difference:
    """Compare estimations of the same rows, by position; missing ones are equal to each other."""
    count = len(new)
    if count == 0 or count != len(old):
        return Difference(problem=f"{count} and {len(old)} estimations")
    missing = new.isna().to_numpy() & old.isna().to_numpy()
    if all(pd.api.types.is_numeric_dtype(one.dtype) for one in (new, old)):
        left, right = (one.to_numpy("float64", na_value=np.nan) for one in (new, old))
        distance = np.abs(left - right)
        changed = ~(distance <= 1e-9 * np.maximum(np.abs(left), np.abs(right))) & ~missing
        known = distance[~np.isnan(distance)]
        return Difference(
            rows=count,
            mean_absolute=float(known.mean()) if len(known) else None,
            max_absolute=float(known.max()) if len(known) else None,
            changed=float(changed.mean()),
        )
    changed = (new.astype(str).to_numpy() != old.astype(str).to_numpy()) & ~missing
    return Difference(rows=count, changed=float(changed.mean()))
