"""Checks of sources, features, sets and estimations.

Conditions that training needs in any case are errors of `xingu.stages.validate`, not checks.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from xingu.checks.check import Check
from xingu.checks.outcome import SHOWN, Cell, Limits, Outcome, not_applicable
from xingu.checks.subjects import TrainFrames
from xingu.model.reference import numbers_of
from xingu.provider.columns import missing_columns

Sets = Mapping[str, pd.DataFrame]


def sources_not_empty(rows: Mapping[str, int]) -> Outcome:
    """Check that every source has rows; `rows` has their number by source."""
    empty = [name for name, count in rows.items() if not count]
    text = f"No rows: {', '.join(empty)}." if empty else f"{sum(rows.values()):,} rows."
    return Outcome(not empty, text, {f"rows {name}": count for name, count in rows.items()})


def declared_columns(sets: Sets, declared: Mapping[str, Sequence[str]]) -> Outcome:
    """Check that declared columns are in every set, each of them once.

    Args:
        sets: Frames by set.
        declared: Columns, by the name of their declaration, for example ``flights.x_features``.
    """
    missing, text = [], ""
    used = {one for columns in declared.values() for one in columns}
    for name, frame in sets.items():
        for declared_as, columns in declared.items():
            where = f"the set {name!r}"
            missing += [{"set": name, "column": one} for one in columns if one not in frame]
            text = text or missing_columns(frame, columns, declared_as, where, used) or ""
            repeated = [one for one in columns if isinstance(frame.get(one), pd.DataFrame)]
            missing += [{"set": name, "column": one} for one in repeated]
            if repeated:
                text = text or f"{declared_as}: {where} has {repeated[0]!r} more than once."
    total = sum(map(len, declared.values()))
    figures = {"columns": total, "sets": len(sets), "missing": len(missing)}
    return Outcome(not missing, text or f"{total} columns in every set.", figures, missing[:SHOWN])


def unique_index(frames: Sets) -> Outcome:
    """Check that no index value identifies two rows of a frame."""
    repeated, text = 0, ""
    for name, frame in frames.items():
        if not frame.index.is_unique:
            values = frame.index[frame.index.duplicated()]
            repeated += len(values)
            text = text or (
                f"{name!r} has a duplicate index: {_examples(values.unique())} more than once "
                f"({values.nunique()} such values); estimations and sets are identified by it. Set "
                "a unique index in clean_data_for_train."
            )
    rows = sum(map(len, frames.values()))
    return Outcome(not repeated, text or f"{rows:,} rows.", {"rows": rows, "repeated": repeated})


def disjoint_sets(sets: Sets) -> Outcome:
    """Check that no row is in two sets."""
    shared, text = {}, ""
    for (one, left), (other, right) in combinations(sets.items(), 2):
        rows = left.index.intersection(right.index)
        shared[f"shared by {one} and {other}"] = len(rows)
        if len(rows):
            text = text or (
                f"The sets {one!r} and {other!r} share {len(rows)} rows, for example "
                f"{_examples(rows)}; metrics would be too good. Give each row to one set."
            )
    sizes = {f"rows {name}": len(frame) for name, frame in sets.items()}
    return Outcome(not text, text or f"{len(sets)} disjoint sets.", {**sizes, **shared})


def classes_in_sets(sets: Sets, target: str) -> Outcome:
    """Check that every set has every class of the set `train`, which has at least two."""
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
    return Outcome(not missing and len(classes) > 1, text, figures, missing[:SHOWN])


def finite_values(sets: Sets, columns: Iterable[str]) -> Outcome:
    """Check that no value of `columns` is infinite; missing and repeated ones are skipped."""
    names, infinite, text = list(columns), [], ""
    for name, frame in sets.items():
        for column in (one for one in names if isinstance(frame.get(one), pd.Series)):
            rows = _infinite_rows(frame[column])
            if rows.empty:
                continue
            infinite.append({"set": name, "column": column, "infinite": len(rows)})
            text = text or (
                f"{column!r} is infinite in {len(rows)} rows of the set {name!r}, for example "
                f"{_examples(rows)}; a division by zero? Make it NaN or a number."
            )
    figures = {"columns": len(names), "infinite": sum(row["infinite"] for row in infinite)}
    text = text or f"{len(names)} columns are finite."
    return Outcome(not infinite, text, figures, infinite[:SHOWN])


def complete_estimations(
    estimations: Mapping[str, pd.Series], rows: Mapping[str, int], share: float
) -> Outcome:
    """Check that estimations are finite, and as many as the rows.

    Args:
        estimations: *The* estimation of each row, by set.
        rows: Number of rows that were to be estimated, by set.
        share: Tolerated share of the rows without a finite estimation, in [0, 1].
    """
    total = sum(rows.values())
    difference = sum(abs(count - len(estimations.get(name, ()))) for name, count in rows.items())
    missing = [column.index[column.isna()] for column in estimations.values()]
    infinite = [_infinite_rows(column) for column in estimations.values()]
    examples = [_examples(labels) for labels in (*missing, *infinite) if len(labels)]
    unknown, unbounded = sum(map(len, missing)), sum(map(len, infinite))
    wrong = unknown + unbounded
    text = f"{total:,} finite estimations."
    if wrong or difference:
        text = f"{unknown:,} of {total:,} estimations are missing, {unbounded:,} are infinite"
        text += f", for example of row {examples[0]}" if examples else ""
        text += f"; there are {difference:,} too many or too few" if difference else ""
        text += "; look at post_process_after_predict."
    figures = {
        "rows": total,
        "missing": unknown,
        "infinite": unbounded,
        "difference": difference,
    }
    return Outcome(not difference and wrong <= share * total, text, figures)


def _infinite_rows(column: pd.Series) -> pd.Index:
    if column.dtype.kind != "f":
        return column.index[:0]
    numbers = column.to_numpy() if isinstance(column.dtype, np.dtype) else numbers_of(column)
    # Two passes without a temporary array; most columns are finite.
    if len(numbers) and np.isfinite(numbers.min()) and np.isfinite(numbers.max()):
        return column.index[:0]
    return column.index[np.isinf(numbers)]


def _examples(values: pd.Index) -> str:
    return ", ".join(repr(value) for value in list(values[:3]))


def _declared_columns(subject: TrainFrames, _: Limits) -> Outcome:
    owner, target = subject.provider.id, subject.target
    features = "x_estimator_features" if subject.provider.x_estimator_features else "x_features"
    declared = {f"{owner}.{features}": subject.features, f"{owner}.y": [target] if target else []}
    return declared_columns(subject.frames, declared)


def _classes_in_sets(subject: TrainFrames, _: Limits) -> Outcome:
    if not subject.provider.is_classifier():
        return not_applicable("it estimates numbers")
    return classes_in_sets(subject.frames, str(subject.target))


def _finite_values(subject: TrainFrames, _: Limits) -> Outcome:
    return finite_values(subject.frames, [*subject.features, str(subject.target)])


FEATURES, SPLITS, BATCH_FEATURES = ("features",), ("splits",), ("batch", "features")

CHECKS = (
    Check(
        name="sources_not_empty",
        assets=(("cleaned",), ("batch", "cleaned")),
        title="Every source has rows.",
        severity="warn",
        compute=lambda subject, _: sources_not_empty(subject.rows),
    ),
    Check(
        name="declared_columns",
        assets=(SPLITS,),
        title="Declared features and target are in every set.",
        severity="error",
        compute=_declared_columns,
        refuses=True,
    ),
    Check(
        name="unique_index",
        assets=(FEATURES, SPLITS, BATCH_FEATURES),
        title="No index value identifies two rows.",
        severity="error",
        compute=lambda subject, _: unique_index(subject.frames),
        refuses=True,
    ),
    Check(
        name="disjoint_sets",
        assets=(SPLITS,),
        title="No row is in two sets.",
        severity="warn",
        compute=lambda subject, _: disjoint_sets(subject.frames),
        refuses=True,
    ),
    Check(
        name="classes_in_sets",
        assets=(SPLITS,),
        title="Every set has every class of the set `train`.",
        severity="warn",
        compute=_classes_in_sets,
    ),
    Check(
        name="finite_values",
        assets=(SPLITS,),
        title="No feature and no target is infinite.",
        severity="error",
        compute=_finite_values,
        refuses=True,
    ),
    Check(
        name="complete_estimations",
        assets=(("trainset_estimations",), ("batch", "estimations")),
        title="Estimations are finite, and as many as the rows.",
        severity="error",
        compute=lambda subject, limits: complete_estimations(
            subject.estimations, subject.rows, limits["share"]
        ),
        limits={"share": 0.0},
        refuses=True,
    ),
)
