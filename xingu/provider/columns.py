"""Check that a frame has required columns."""

from collections.abc import Iterable

import pandas as pd

from xingu.errors import MissingColumnError, did_you_mean

SHOWN = 30
"""Maximum number of columns that an error lists."""


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], declared_as: str, frame_name: str
) -> None:
    """Check that `frame` has `columns`.

    Args:
        frame: The frame.
        columns: Names of required columns.
        declared_as: Declaration of the columns, for the error: ``houses.x_features``.
        frame_name: Description of the frame, for the error.

    Raises:
        MissingColumnError: If a column is missing; it names all of them.
    """
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
