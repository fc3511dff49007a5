"""Guard for the columns that a frame must have."""

from collections.abc import Iterable

import pandas as pd

from xingu.errors import MissingColumnError, did_you_mean

SHOWN = 30
"""Columns of the frame that an error lists."""


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], declared_as: str, frame_name: str
) -> None:
    """Raise MissingColumnError that names the `columns` that `frame` does not have."""
    known = set(frame.columns)
    missing = [name for name in columns if name not in known]
    if missing:
        names = [str(name) for name in frame.columns]
        listed = ", ".join(names[:SHOWN]) or "no columns"
        hints = "".join(did_you_mean(name, names) for name in missing[:3])
        raise MissingColumnError(
            f"{declared_as} names {', '.join(map(repr, missing))}: not in {frame_name}, which has "
            f"{listed}{' …' if len(names) > SHOWN else ''}.{hints}",
            missing=missing,
        )
