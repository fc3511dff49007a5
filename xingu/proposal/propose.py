"""Decide which columns of a table a model uses, and how."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from xingu.checks.leakage import leakage
from xingu.errors import DataError
from xingu.proposal.columns import Column, Conversion, describe
from xingu.proposal.look import Sample
from xingu.proposal.targets import has_id_name, is_class, is_key, require_target
from xingu.proposal.times import calendar_of, time_column

LEAKS = 0.995
"""R2 or AUC of a single column from which on it is left out."""
SUSPICIOUS = {False: 0.8, True: 0.9}
"""R2 of a single column of a regressor, and AUC of a classifier, from which on it is named."""
MIN_OPEN = 20
"""Rows without a target that say which columns are known no earlier than it."""
SPARSE = 0.99
"""Share of missing values from which on a column is left out."""
MAX_CATEGORIES, ROWS_PER_CATEGORY = 1_000, 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """Decisions about a model of a table.

    Attributes:
        columns: All columns that can be used, in their order.
        target: The target.
        classify: Whether it is a class.
        features: Names of the columns that are features as they are.
        calendar: Parts of dates that become features, by name of the column.
        left_out: Reason by name of each column that is no feature.
        key: Column that identifies the rows, and becomes the index.
        time: Column by which the rows are split; None: at random.
        conversions: Conversion by name of the column that needs one.
        fresh_index: Whether the index of the data is replaced, because it repeats.
        suspects: R2 or AUC by name of features that alone explain much of the target.
    """

    columns: Sequence[Column]
    target: Column
    classify: bool
    features: Sequence[str]
    calendar: Mapping[str, Sequence[str]]
    left_out: Mapping[str, str]
    key: str | None
    time: str | None
    conversions: Mapping[str, Conversion]
    fresh_index: bool
    suspects: Mapping[str, float]

    @property
    def measure(self) -> str:
        """Name of the measure of `suspects`."""
        return "AUC" if self.classify else "R2"

    @property
    def needed(self) -> list[str]:
        """Names of the columns that the model needs, in their order."""
        used = {self.target.name, self.key, self.time, *self.features, *self.calendar}
        return [one.name for one in self.columns if one.name in used]

    @property
    def reasons(self) -> dict[str, list[str]]:
        """Names of the columns that are not used at all, by reason."""
        grouped: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            if name not in (self.key, self.time):
                grouped.setdefault(reason, []).append(name)
        return grouped

    def use_of(self, name: str) -> str:
        """Return what a column is used for, in a word or two."""
        if name == self.target.name:
            return "target"
        uses = ["key"] if name == self.key else []
        uses += ["split"] if name == self.time else []
        uses += ["feature"] if name in self.features else []
        uses += self.calendar.get(name, ())
        return ", ".join(uses) or "left out"


def propose(found: Sample, target_name: str, columns: Sequence[Column] | None = None) -> Proposal:
    """Decide what a model of a table uses.

    Args:
        found: The rows that were looked at.
        target_name: Name of the target.
        columns: What `describe` returned for them; None: it is called.

    Raises:
        DataError: If the target cannot be learned, or no feature is left.
    """
    columns = describe(found.frame) if columns is None else columns
    target = require_target(columns, target_name, found.how)
    classify = is_class(target)
    others = [one for one in columns if one is not target]
    dates = [one for one in others if one.kind == "date"]
    time = time_column(dates, target, classify=classify)
    calendar = calendar_of(dates, {one.name for one in columns})
    left_out = {one.name: reason for one in others if (reason := _reason(one, calendar))}
    usable = [one for one in others if one.name not in left_out and one.kind != "date"]
    scores = _scores(usable, target, classify=classify)
    seen = [*usable, *(one for one in dates if one.name in calendar)]
    too_late = _too_late(seen, target, scores, "AUC" if classify else "R2")
    if len(too_late) < len(seen):  # else nothing would be left
        left_out |= too_late
    features = [one.name for one in usable if one.name not in left_out]
    calendar = {name: parts for name, parts in calendar.items() if name not in left_out}
    if not features and not calendar:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise DataError(f"no column is left to learn {target.name!r} from. {reasons}")
    used = {target.name, *features, *calendar, *([time.name] if time else [])}
    conversions = {one.name: _conversion(one, target) for one in columns if one.name in used}
    return Proposal(
        columns=columns,
        target=target,
        classify=classify,
        features=features,
        calendar=calendar,
        left_out={one.name: left_out[one.name] for one in others if one.name in left_out},
        key=_key(others) if found.complete else None,
        time=time.name if time else None,
        conversions={name: how for name, how in conversions.items() if how},
        fresh_index=not found.frame.index.is_unique,
        suspects={
            name: score
            for name, score in sorted(scores.items(), key=lambda item: -item[1])
            if name in features and score > SUSPICIOUS[classify]
        },
    )


def _key(columns: Sequence[Column]) -> str | None:
    """Return the column that identifies the rows, if possible one that is called so."""
    keys = [one.name for one in columns if is_key(one)]
    return next(filter(has_id_name, keys), next(iter(keys), None))


def _too_late(
    features: Sequence[Column], target: Column, scores: Mapping[str, float], measure: str
) -> dict[str, str]:
    """Return why columns are probably known only together with the target, by name."""
    reasons = {}
    open_ = target.values.isna()
    for one in features:
        missing = one.values.isna()
        follows = missing[open_].mean() > 0.95 and missing[~open_].mean() < 0.5
        if follows and open_.sum() >= MIN_OPEN:
            reasons[one.name] = "missing where the target is, so probably known no earlier"
        elif scores.get(one.name, 0) > LEAKS:
            reasons[one.name] = (
                f"alone explains the target ({measure} {scores[one.name]:.4f}), so probably known "
                "no earlier"
            )
    return reasons


def _reason(column: Column, calendar: Collection[str]) -> str | None:
    """Return why a column is no feature; None: it may be one."""
    if column.kind == "date" and column.known:
        return None if column.name in calendar else "a date without usable month, weekday or hour"
    if column.kind == "other":
        return f"holds {column.type_name} values"
    if column.known == 0:
        return "empty"
    if column.missing == 0 and column.distinct == 1:
        return "the same in every row"
    if column.missing > SPARSE * column.rows:
        return f"missing in {column.missing / column.rows:.1%} of the rows"
    if is_key(column):
        return "another value in every row"
    coded = column.kind == "text" or _is_coded(column)
    if coded and column.distinct > max(50, column.known / 2):
        return f"{column.distinct:,} different values in {column.known:,} rows are too many"
    few = column.known / column.distinct < ROWS_PER_CATEGORY
    if _is_coded(column) and (few or column.distinct > MAX_CATEGORIES):
        return f"an identifier with {column.distinct:,} values, whose order has no meaning"
    return None


def _is_coded(column: Column) -> bool:
    """Return whether numbers are names: identifiers, or too wide to be calculated with."""
    return column.kind == "number" and column.whole and (column.wide or has_id_name(column.name))


def _conversion(column: Column, target: Column) -> Conversion | None:
    if column is not target and _is_coded(column):
        return Conversion("text")
    return column.conversion


def _scores(features: Sequence[Column], target: Column, *, classify: bool) -> dict[str, float]:
    """Return how much each column alone explains of the target, as R2 or AUC."""
    known = target.values.notna()
    scores = {}
    for one in features:
        rows = pd.DataFrame({"feature": one.values[known], "target": target.values[known]})
        outcome = leakage(rows, ["feature"], "target", LEAKS, classify)
        for row in outcome.rows:  # none if it cannot be scored
            scores[one.name] = float(row["AUC" if classify else "R2"])
    return scores
