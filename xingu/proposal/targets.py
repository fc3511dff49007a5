"""Find columns that may be the target, and decide whether it is a number or a class."""

import re
from collections.abc import Sequence

from xingu.errors import DataError, did_you_mean
from xingu.proposal.columns import Column

MIN_ROWS = 10
MAX_CLASSES = 50
MAX_NUMBERED_CLASSES = 10
"""Whole numbers with more distinct values than this are amounts, not classes."""
ROWS_PER_CLASS = 15
_TARGET_NAMES = {"target", "y", "label", "class"}
_ID_NAME = re.compile(
    r"(?i)(^|_)(id|ids|key|uuid|guid|pk|rowid|index|idx)(_|$)|^unnamed: |[a-z]I[dD]$"
)


def has_id_name(name: str) -> bool:
    """Return whether a column is called like an identifier."""
    return bool(_ID_NAME.search(name))


def is_key(column: Column) -> bool:
    """Return whether every row has another value that identifies it."""
    if not column.unique or column.rows < 2:
        return False
    if column.kind == "text":
        return True
    if column.kind != "number" or not column.whole:
        return False
    span = int(column.values.max()) - int(column.values.min())
    return has_id_name(column.name) or column.wide or span == column.rows - 1


def target_candidates(columns: Sequence[Column]) -> list[Column]:
    """Return the columns that may be the target, the likeliest first.

    Those that are called like a target come first, then the others from the last one to the first,
    because tables tend to end with it.
    """
    usable = [one for one in columns if _may_be_target(one)]
    named = [one for one in usable if one.name.lower() in _TARGET_NAMES]
    return [*named, *(one for one in reversed(usable) if one not in named)]


def obvious_target(columns: Sequence[Column]) -> Column | None:
    """Return the only column that is called like a target; None: there is none, or several."""
    named = [one for one in target_candidates(columns) if one.name.lower() in _TARGET_NAMES]
    return named[0] if len(named) == 1 else None


def _may_be_target(column: Column) -> bool:
    if column.distinct < 2 or column.known < MIN_ROWS or is_key(column) or has_id_name(column.name):
        return False
    if column.kind == "text":
        return column.distinct <= MAX_CLASSES
    return column.kind in ("number", "yes/no")


def require_target(columns: Sequence[Column], name: str, how: str) -> Column:
    """Return the target of a name.

    Args:
        columns: The columns.
        name: Name of the target.
        how: Which rows were looked at, for errors.

    Raises:
        DataError: If there is no such column, or nothing can be learned from it.
    """
    column = next((one for one in columns if one.name == name), None)
    if column is None:
        names = [one.name for one in columns]
        raise DataError(
            f"there is no usable column {name!r}; columns: {', '.join(names)}."
            f"{did_you_mean(name, names)}"
        )
    if column.kind not in ("number", "yes/no", "text"):
        raise DataError(
            f"{name!r} cannot be a target: it holds {column.type_name} values; a target is a "
            "number or a class."
        )
    if column.known < MIN_ROWS:
        raise DataError(
            f"{name!r} is known in {column.known} rows ({how}); at least {MIN_ROWS} are needed."
        )
    if column.distinct < 2:
        value = column.values.dropna().iloc[0]
        raise DataError(f"{name!r} is {value!r} in every row ({how}); there is nothing to learn.")
    if column.kind == "text" and column.distinct > MAX_CLASSES:
        raise DataError(
            f"{name!r} has {column.distinct:,} different texts; a class has at most "
            f"{MAX_CLASSES}. Name another column."
        )
    return column


def is_class(column: Column) -> bool:
    """Return whether a target is a class: text, yes/no, or a few numbers that count from 0 or 1."""
    if column.kind != "number":
        return True
    if not column.whole or column.distinct > MAX_NUMBERED_CLASSES:
        return False
    lowest, highest = int(column.values.min()), int(column.values.max())
    if column.distinct == 2:
        return True
    counted = lowest in (0, 1) and highest - lowest + 1 == column.distinct
    return counted and int(column.values.value_counts().min()) >= ROWS_PER_CLASS
