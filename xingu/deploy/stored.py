"""Read plans from a file, and refuse them if what they were made from has changed."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from xingu.deploy.record import Plan
from xingu.errors import StalePlanError


def read_plans(file: Path) -> list[Plan]:
    """Return the plans in a file that ``xingu deploy --plan -o`` has written, of one target.

    Raises:
        StalePlanError: If it is no such file, or of another version of Xingu.
    """
    try:
        plans = [Plan.model_validate(one) for one in json.loads(file.read_text())["plans"]]
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise StalePlanError(
            f"{file} cannot be read as plans of this version of Xingu ({type(error).__name__}): "
            "write it with `xingu deploy --plan -o`."
        ) from None
    if len({one.target for one in plans}) != 1:
        raise StalePlanError(f"{file} has no plans, or plans of several targets.")
    return plans


def require_unchanged(file: Path, stored: Sequence[Plan], now: Sequence[Plan]) -> None:
    """Refuse plans of a file that differ from those that are made now.

    A plan that was executed already is not out of date: there is nothing left to do.

    Raises:
        StalePlanError: If one differs; the text names all that changed.
    """
    changes = [
        f"{old.dataprovider_id}: {change}"
        for old, new in zip(stored, now, strict=True)
        if (new.action, new.package) != ("nothing", old.package)
        for change in new.changes_since(old)
    ]
    if changes:
        raise StalePlanError(
            f"{file} is out of date, and nothing was deployed. Changed since: {'; '.join(changes)}."
            " Plan again."
        )
