"""Versions of external data, and whether rows that existed before were changed.

A version is a hash of what was observed and of nothing else: neither the address of the database
nor the query is a part of it, so the same data has the same version on every machine. A changed
query changes the code version of its asset instead.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import SourceError
from xingu.records import Observed
from xingu.sources.digest import rows_digest
from xingu.sources.session import Session
from xingu.sources.spec import SqlSource

_COUNTS = ("rows", "row_count", "n_rows", "num_rows", "n")
"""Names of the number of rows in a watermark, beside those that begin with ``count``."""

__all__ = [
    "Observed",
    "ask_watermark",
    "is_rewritten",
    "observed_rows",
    "observed_watermark",
    "upstream_version",
]


def observed_watermark(frame: pd.DataFrame) -> Observed:
    """Return the observation that the result of a watermark query means.

    A column whose name begins with ``count``, or is ``rows``, ``row_count``, ``n_rows``,
    ``num_rows`` or ``n``, is the number of rows; the others are the watermark.

    Args:
        frame: The result.

    Raises:
        SourceError: If it is not one row with at least one column.
    """
    if frame.shape[0] != 1 or not frame.shape[1]:
        raise SourceError(
            f"its watermark returned {frame.shape[0]} rows and {frame.shape[1]} columns; one row "
            "is needed, as of SELECT max(updated_at), count(*) FROM …"
        )
    names = [str(name).lower() for name in frame.columns]
    values = [_plain(frame.iat[0, place]) for place in range(frame.shape[1])]
    counts = [place for place, name in enumerate(names) if _is_count(name, values[place])]
    rest = [value for place, value in enumerate(values) if place not in counts[:1]]
    return Observed(
        _hash("watermark", values),
        rows=int(values[counts[0]]) if counts else None,
        watermark=_text(rest) if rest else None,
        how="watermark",
    )


def ask_watermark(session: Session, spec: SqlSource) -> Observed:
    """Run the watermark query of a source.

    Raises:
        SourceError: If the database cannot be reached, or the result is not one row.
        QueryError: If the database rejects the query.
    """
    return observed_watermark(session.query(spec.database, spec.watermark, spec.parameters))


def observed_rows(frame: pd.DataFrame) -> Observed:
    """Return the observation that the rows of a query mean, in whatever order they are."""
    return Observed(_hash("rows", rows_digest(frame)), rows=len(frame), how="rows")


def upstream_version(versions: Mapping[str, str]) -> Observed:
    """Return the observation of a source that comes from other assets.

    Args:
        versions: Data version of each asset, by key.
    """
    if not versions:
        return Observed("", how="asset")
    only = next(iter(versions.values())) if len(versions) == 1 else None
    return Observed(only or _hash("assets", sorted(versions.items())), how="asset")


def is_rewritten(before: Observed, now: Observed) -> bool | None:
    """Return whether rows that existed at `before` were changed or removed until `now`.

    Rows were only added if both their number and the watermark grew. Fewer rows, or a watermark
    that did not grow, mean that history was rewritten.

    Returns:
        None if the observations cannot tell: without a number of rows, or without a watermark that
        grew.
    """
    if before.version == now.version:
        return False
    if before.rows is not None and now.rows is not None and now.rows < before.rows:
        return True
    if before.watermark is None or now.watermark is None:
        return None
    grew = _grew(_values(before.watermark), _values(now.watermark))
    if grew is not True:
        return None if grew is None else True
    if before.rows is None or now.rows is None:
        return None
    return now.rows == before.rows


def note_of(observed: Observed) -> str:
    """Return an observation as one line of text."""
    return json.dumps(asdict(observed))


def observed_of(note: str) -> Observed:
    """Return the observation that `note_of` was given; without a version if there is no note."""
    return Observed(**json.loads(note)) if note else Observed("")


def _grew(before: list[Any], now: list[Any]) -> bool | None:
    """Return whether no value went back and one grew; None if they cannot be compared."""
    if len(before) != len(now):
        return None
    try:
        pairs = [(_ordered(one), _ordered(other)) for one, other in zip(before, now, strict=True)]
        return all(one <= other for one, other in pairs) and before != now
    except TypeError:  # a number and a text
        return None


def _ordered(value: Any) -> tuple[bool, Any]:
    # NULL is the maximum of no rows.
    return (value is not None, 0 if value is None else value)


def _values(watermark: str) -> list[Any]:
    if watermark.startswith("["):
        return json.loads(watermark)
    try:
        return [float(watermark)]
    except ValueError:
        return [watermark or None]


def _text(values: list[Any]) -> str:
    if len(values) > 1 or str(values[0]).startswith("["):
        return json.dumps(values)
    return "" if values[0] is None else str(values[0])


def _is_count(name: str, value: Any) -> bool:
    return isinstance(value, int) and (name.startswith("count") or name in _COUNTS)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; times in ISO format, which sorts as they do."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, float | Decimal) and abs(value) < 2**53 and value == int(value):
        return int(value)  # a driver that has a NULL elsewhere reads integers as floats
    if isinstance(value, bool | int | float | Decimal):
        return float(value) if isinstance(value, Decimal) else value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _hash(how: str, facts: Any) -> str:
    return hashlib.sha256(json.dumps([how, facts]).encode()).hexdigest()
