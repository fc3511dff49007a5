"""Checks of what is trained on. Most of what they state was refused before, with an error.

`xingu.stages.validate` raises where training would be pointless; here the same conditions become
results with figures, also on data that an earlier version has let through.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from xingu.checks.outcome import Cell, Outcome

Sets = Mapping[str, pd.DataFrame]


def sources_not_empty(rows: Mapping[str, int]) -> Outcome:
    """Every source has rows; `rows` counts them by source."""
    empty = [name for name, count in rows.items() if not count]
    text = f"No rows: {', '.join(empty)}." if empty else f"{sum(rows.values()):,} rows."
    return Outcome(not empty, text, {f"rows {name}": count for name, count in rows.items()})


def declared_columns(sets: Sets, features: Sequence[str], target: str | None) -> Outcome:
    """Declared features and target are in every set."""
    wanted = [*features, *([target] if target else [])]
    missing = [(name, one) for name, frame in sets.items() for one in wanted if one not in frame]
    text = f"{len(features)} features and the target {target!r} are there."
    if missing:
        text = f"{len(missing)} columns are missing, for example {missing[0][1]!r}."
    rows = [{"set": name, "column": column} for name, column in missing[:20]]
    figures = {"features": len(features), "sets": len(sets), "missing": len(missing)}
    return Outcome(not missing, text, figures, rows)


def unique_index(frames: Sets) -> Outcome:
    """No index value names two rows of a frame."""
    doubled = {name: int(frame.index.duplicated().sum()) for name, frame in frames.items()}
    total, rows = sum(doubled.values()), sum(map(len, frames.values()))
    text = f"{total:,} of {rows:,} rows repeat an index value." if total else f"{rows:,} rows."
    return Outcome(not total, text, {"rows": rows, "repeated": total})


def disjoint_sets(sets: Sets) -> Outcome:
    """No row is in two sets."""
    shared = {
        f"shared by {one} and {other}": len(left.index.intersection(right.index))
        for (one, left), (other, right) in combinations(sets.items(), 2)
    }
    total = sum(shared.values())
    text = f"{total:,} rows are in two sets." if total else f"{len(sets)} disjoint sets."
    sizes = {f"rows {name}": len(frame) for name, frame in sets.items()}
    return Outcome(not total, text, {**sizes, **shared})


def classes_in_sets(sets: Sets, target: str) -> Outcome:
    """Every set has every class of the set `train`, and there are at least two."""
    counts = {name: frame[target].value_counts() for name, frame in sets.items()}
    classes = [label for label, count in counts["train"].items() if count]
    missing: list[Mapping[str, Cell]] = [
        {"set": name, "class": str(label)}
        for name, count in counts.items()
        for label in classes
        if not count.get(label, 0)
    ]
    text = f"{len(classes)} classes in every set."
    if missing:
        text = f"The set {missing[0]['set']!r} has no row of class {missing[0]['class']!r}."
    least = {f"rarest class {name}": int(count[count > 0].min()) for name, count in counts.items()}
    figures = {"classes": len(classes), "missing": len(missing), **least}
    return Outcome(not missing and len(classes) > 1, text, figures, missing[:20])


def finite_values(sets: Sets, columns: Iterable[str]) -> Outcome:
    """No value of `columns` is infinite."""
    names, infinite = list(columns), []
    for name, frame in sets.items():
        for column in names:
            count = _infinite(frame[column]) if column in frame else 0
            if count:
                infinite.append({"set": name, "column": column, "infinite": count})
    text = f"{len(names)} columns are finite."
    if infinite:
        text = f"{infinite[0]['column']!r} is infinite in {infinite[0]['infinite']:,} rows."
    total = sum(row["infinite"] for row in infinite)
    return Outcome(not infinite, text, {"columns": len(names), "infinite": total}, infinite[:20])


def complete_estimations(
    estimations: Mapping[str, pd.Series], rows: Mapping[str, int], share: float
) -> Outcome:
    """Estimations are finite, and as many as the rows.

    Args:
        estimations: *The* estimation of each row, by set.
        rows: How many there have to be.
        share: Share of the rows, in [0, 1], that may have none.
    """
    total = sum(rows.values())
    short = sum(abs(rows[name] - len(column)) for name, column in estimations.items())
    unknown = {name: int(column.isna().sum()) for name, column in estimations.items()}
    infinite = sum(_infinite(column) for column in estimations.values())
    missing = sum(unknown.values())
    wrong = short + infinite + missing
    text = f"{total:,} finite estimations."
    if wrong:
        text = f"{missing:,} missing, {infinite:,} infinite, {short:,} too many or too few."
    figures = {"rows": total, "missing": missing, "infinite": infinite, "difference": short}
    return Outcome(short == 0 and wrong <= share * total, text, figures)


def _infinite(column: pd.Series) -> int:
    if column.dtype.kind != "f" or not isinstance(column.dtype, np.dtype):
        return 0
    if np.isfinite(column.max()) and np.isfinite(column.min()):
        return 0
    return int(np.isinf(column.to_numpy()).sum())
