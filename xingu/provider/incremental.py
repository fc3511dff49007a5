"""Parse `DataProvider.batch_incremental`: estimate only new and changed rows of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xingu.errors import DeclarationError, did_you_mean

SAMPLE = 20
_KEYS = ("key", "sample")


@dataclass(frozen=True, slots=True)
class Incremental:
    """How rows of a batch are recognized, and how many kept estimations are verified.

    Attributes:
        key: Columns of the features, or levels of their index, that identify a row; empty: the
            index.
        sample: Number of kept rows that are estimated again each time, and compared.
    """

    key: tuple[str, ...] = ()
    sample: int = SAMPLE


def parse_incremental(provider_id: str, declared: Any) -> Incremental | None:
    """Parse `batch_incremental`; None: every row is estimated each time.

    Args:
        provider_id: Id of the DataProvider, for errors.
        declared: False, True, or ``{"key": columns, "sample": rows}``, both optional.

    Raises:
        DeclarationError: If it has another form.
    """
    if declared in (None, False):
        return None
    where = f"{provider_id}.batch_incremental"
    if declared is True:
        return Incremental()
    if not isinstance(declared, Mapping):
        raise DeclarationError(
            f'{where} is {declared!r}; give True, or a dict as {{"key": ["id"]}}.',
            dataprovider_id=provider_id,
        )
    errors = [
        f"{where}: {name!r} is not known; known: {', '.join(_KEYS)}."
        f"{did_you_mean(str(name), _KEYS)}"
        for name in declared
        if name not in _KEYS
    ]
    key, sample = declared.get("key", ()), declared.get("sample", SAMPLE)
    key = (key,) if isinstance(key, str) else key
    if not isinstance(key, list | tuple) or not all(isinstance(one, str) for one in key):
        errors.append(f"{where}['key'] is {key!r}; give a column, or a list of columns.")
    if not isinstance(sample, int) or isinstance(sample, bool) or sample < 0:
        errors.append(f"{where}['sample'] is {sample!r}; give a number of rows, as {SAMPLE}.")
    if errors:
        raise DeclarationError("\n".join(errors), dataprovider_id=provider_id)
    return Incremental(tuple(key), sample)
