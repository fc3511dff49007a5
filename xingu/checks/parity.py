"""Train/batch parity: the batch hooks give the same values for the same rows as the train hooks.

A difference is conclusive only if the train hooks, applied to the same few rows again, give the old
values. Otherwise the value depends on the other rows of the data, and the failure is a warning.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from xingu.checks.check import Check
from xingu.checks.outcome import SHOWN, Outcome, not_applicable
from xingu.model.reference import is_numeric, numbers_of, sample

LARGE = 100_000
"""Rows up to which a source that is not the largest one is replayed as a whole."""
TOLERANCE = 1e-6
"""Relative difference that sums in another order may have."""


def replay_sample(frames: Mapping[str, pd.DataFrame], rows: int) -> dict[str, pd.DataFrame] | str:
    """Return few rows of the largest source and all of the others, or why there can be none.

    Args:
        frames: The raw frames by source.
        rows: Number of rows of the largest one; at most half of them are taken.
    """
    if not frames:
        return "training reads no source"
    largest = max(frames, key=lambda name: len(frames[name]))
    others = [name for name in frames if name != largest and len(frames[name]) > LARGE]
    if others:
        return f"{largest!r} and {others[0]!r} are both too large to be replayed"
    # Never all of them: a batch hook that learns again from all rows gets the same values.
    few = min(int(rows), max(1, len(frames[largest]) // 2))
    # Copies: hooks may change what they are given.
    return {
        name: (sample(frame, few) if name == largest else frame).copy()
        for name, frame in frames.items()
    }


def for_batch(
    frames: Mapping[str, pd.DataFrame], batch_sources: Collection[str]
) -> dict[str, pd.DataFrame] | str:
    """Return train frames under the names of the batch's sources, or why they do not fit."""
    if set(batch_sources) <= set(frames):
        return {name: frames[name] for name in batch_sources}
    if len(batch_sources) == len(frames) == 1:
        return dict(zip(batch_sources, frames.values(), strict=True))
    others = sorted(set(batch_sources) - set(frames))
    return f"the batch reads {', '.join(others)}, which training does not"


def different(original: pd.DataFrame, replayed: pd.DataFrame) -> dict[str, pd.Series]:
    """Return masks of the rows that differ, by column; the frames have the same labels."""
    found = {}
    for name in original:
        wrong = ~_same(original[name], replayed[name])
        if wrong.any():
            found[str(name)] = pd.Series(wrong, original.index)
    return found


def recognized(original: pd.DataFrame, replayed: pd.DataFrame) -> bool:
    """Return whether rows of the same index are the same rows.

    They are if a column that varies is equal in all of them.
    """
    both = [name for name in original if name in replayed]
    return any(
        _same(original[name], replayed[name]).all()
        for name in both
        if original[name].astype(str).nunique() > 1
    )


def parity(
    original: pd.DataFrame,
    replayed: pd.DataFrame,
    control: pd.DataFrame | None = None,
    relearned: Collection[str] = (),
) -> Outcome:
    """Check that rows give the same values through the batch hooks.

    Args:
        original: Features and estimations of some rows, as training made them.
        replayed: The same columns of the same rows, as the batch hooks made them.
        control: Result of the train hooks for only these rows; None: not known.
        relearned: Attributes of the DataProvider that the batch hooks have changed.
    """
    found = different(original, replayed)
    if not found:
        text = f"{len(original.columns)} columns of {len(original):,} rows are the same."
        return Outcome(True, text, {"rows": len(original), "columns different": 0})
    conclusive = bool(relearned) or _conclusive(original, control, found)
    shares = [f"{name!r} ({wrong.mean():.0%} of the rows)" for name, wrong in found.items()]
    text = f"Other values in batch: {', '.join(shares)[:400]}."
    if relearned:
        text += f" The batch hooks learn {', '.join(sorted(relearned))} anew."
    elif not conclusive:
        text += (
            " The train hooks do not give the old values for only these rows either, so they "
            "depend on the other rows. List the columns in `ignore` if that is intended."
        )
    rows = np.logical_or.reduce([wrong.to_numpy() for wrong in found.values()])
    figures = {
        "rows": len(original),
        "columns different": len(found),
        "rows different": int(rows.sum()),
    }
    return Outcome(False, text, figures, _examples(original, replayed, found), conclusive)


def unknown_rows() -> Outcome:
    """Return the outcome for rows that cannot be matched by index."""
    return not_applicable(
        "rows cannot be recognized by their index; set one that does not depend on the other rows"
    )


def _conclusive(
    original: pd.DataFrame, control: pd.DataFrame | None, found: Collection[str]
) -> bool:
    """Return whether the train hooks still give the old values of some column that differs."""
    if control is None:
        return False
    checked = [name for name in found if name in control]
    rows = original.index.intersection(control.index)
    if not checked or not len(rows):
        return False
    again = different(original.loc[rows, checked], control.loc[rows, checked])
    return len(again) < len(checked)


def _examples(
    original: pd.DataFrame, replayed: pd.DataFrame, found: Mapping[str, pd.Series]
) -> list[dict[str, Any]]:
    each = max(1, SHOWN // len(found))
    rows = [
        {
            "column": name,
            "row": str(label),
            "train": _cell(original.at[label, name]),
            "batch": _cell(replayed.at[label, name]),
        }
        for name, wrong in found.items()
        for label in wrong.index[wrong][:each]
    ]
    return rows[:SHOWN]


def _same(left: pd.Series, right: pd.Series) -> np.ndarray:
    if is_numeric(left) and is_numeric(right):
        one, other = numbers_of(left), numbers_of(right)
        return np.isclose(one, other, rtol=TOLERANCE, atol=1e-9, equal_nan=True)
    missing = left.isna().to_numpy() & right.isna().to_numpy()
    return missing | (left.astype(str).to_numpy() == right.astype(str).to_numpy())


def _cell(value: Any) -> Any:
    return float(f"{value:.9g}") if isinstance(value, int | float | np.number) else str(value)


CHECKS = (
    Check(
        name="batch_parity",
        assets=(("trainset_estimations",),),
        title="Rows of the training data give the same values through the batch hooks.",
        severity="error",
        compute=lambda subject, limits: subject.replay(limits),
        limits={"rows": 1_000, "ignore": ()},
        applies=lambda declared: declared.has_batch,
        deferred=True,
    ),
)
