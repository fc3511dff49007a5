"""Compare two Models on the golden rows of one of them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from xingu.errors import XinguError, text_of
from xingu.model import Model
from xingu.model.reference import is_numeric, numbers_of
from xingu.registry.golden import same_numbers


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
    """Compare estimations of the same rows by position, with the tolerance of golden rows.

    Missing estimations are equal to each other.
    """
    count = len(new)
    if count == 0 or count != len(old):
        return Difference(problem=f"{count} and {len(old)} estimations")
    if is_numeric(new) and is_numeric(old):
        now, before = numbers_of(new), numbers_of(old)
        distance, changed = np.abs(now - before), ~same_numbers(before, now)
        known = distance[~np.isnan(distance)]
        return Difference(
            rows=count,
            mean_absolute=float(known.mean()) if len(known) else None,
            max_absolute=float(known.max()) if len(known) else None,
            changed=float(changed.mean()),
        )
    missing = new.isna().to_numpy() & old.isna().to_numpy()
    changed = (new.astype(str).to_numpy() != old.astype(str).to_numpy()) & ~missing
    return Difference(rows=count, changed=float(changed.mean()))
