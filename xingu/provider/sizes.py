"""Sizes of the sets of the default split: shares or numbers of rows, as scikit-learn has them."""

from typing import Any

import numpy as np

from xingu.errors import DataError, DeclarationError


def set_rows(owner: str, sizes: dict[str, Any], total: int) -> dict[str, int]:
    """Return the number of rows of each set; 0 means that there is no such set.

    Args:
        owner: Id of the DataProvider.
        sizes: ``test_size`` and ``val_size``: a share in [0, 1), a number of rows, or None.
        total: Number of rows to split.

    Raises:
        DeclarationError: If a size is none of these, or the shares leave nothing for `train`.
        DataError: If the numbers of rows leave nothing for `train`.
    """
    rows, shares = {}, 0.0
    for name, size in sizes.items():
        if size is None:
            rows[name] = 0
        elif isinstance(size, int | np.integer) and not isinstance(size, bool) and size >= 0:
            rows[name] = int(size)
        elif isinstance(size, float | np.floating) and 0 <= size < 1:
            rows[name], shares = round(size * total), shares + float(size)
        else:
            raise DeclarationError(
                f"{owner}.{name}: {size!r}; write a share of at least 0 and below 1, a whole "
                "number of rows, or None for no such set.",
                dataprovider_id=owner,
            )
    declared = " and ".join(f"{owner}.{name}={size!r}" for name, size in sizes.items() if size)
    if shares >= 1:
        raise DeclarationError(
            f"{declared}: nothing is left for train; the shares must add up to less than 1.",
            dataprovider_id=owner,
        )
    counted = any(size and not isinstance(size, float | np.floating) for size in sizes.values())
    if counted and sum(rows.values()) >= total:
        raise DataError(
            f"{declared}: nothing is left for train, because there are {total} rows.",
            dataprovider_id=owner,
        )
    return rows
