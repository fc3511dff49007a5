"""Check that a frame has required columns."""

from collections.abc import Collection, Iterable

import pandas as pd

from xingu.errors import MissingColumnError, did_you_mean

SHOWN = 30
"""Maximum number of columns that an error lists."""


def missing_columns(
    frame: pd.DataFrame,
    columns: Iterable[str],
    declared_as: str,
    frame_name: str,
    used: Collection[str] = (),
) -> str | None:
    """Return a text about the `columns` that `frame` lacks, with suggestions; None: it has all.

    Args:
        frame: The frame.
        columns: Columns that it must have.
        declared_as: Where they are declared, for example ``flights.y``.
        frame_name: Name of the frame, for example ``the set 'train'``.
        used: Other columns that are declared, and so are not what was meant.
    """
    known, columns = set(frame.columns), [*columns]
    missing = [name for name in columns if name not in known]
    if not missing:
        return None
    names = [str(name) for name in frame.columns]
    listed = ", ".join(names[:SHOWN]) or "no columns"
    unused = [str(name) for name in known - {*columns, *used}]
    if set(map(str, missing)) & set(unused):
        hints = (
            " These columns are numbers, declared names are texts: give the source `params` "
            "names=[…] if its file has no header, or rename the columns in clean_data_for_train."
        )
    else:
        hints = "".join(did_you_mean(name, unused) for name in missing[:3])
    return (
        f"{declared_as} names {', '.join(map(repr, missing))}: not in {frame_name}, which has "
        f"{listed}{' …' if len(names) > SHOWN else ''}.{hints}"
    )


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], declared_as: str, frame_name: str
) -> None:
    """Raise MissingColumnError if `frame` lacks some of `columns`; see `missing_columns`."""
    text = missing_columns(frame, columns, declared_as, frame_name)
    if text:
        missing = [name for name in columns if name not in frame.columns]
        raise MissingColumnError(text, missing=missing)
