"""Call the hooks of a DataProvider, and hold them to what they promise.

A hook that raises or returns the wrong kind of value becomes one error that says where and what.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from xingu.dataprovider import HOOKS, DataProvider, Returns
from xingu.errors import HookError, XinguError

ProviderFactory = Callable[[], DataProvider]

WANTED: Mapping[Returns, str] = {
    "frame": "a DataFrame",
    "frames": "a dict of DataFrames by set name, or a tuple (train, val, test)",
    "sources": "a dict of source declarations by name",
    "dict": "a dict",
}


def call_hook(provider: DataProvider, name: str, *arguments: Any) -> Any:
    """Return what the hook `name` of `provider` returns, checked.

    Raises:
        HookError: If the hook raises, or returns another kind of value than it has to.
    """
    where = f"{provider.id}.{name}"
    try:
        result = getattr(provider, name)(*arguments)
    except XinguError:
        raise
    except Exception as error:
        raise HookError(
            f"{where} raised {type(error).__name__}: {error}",
            dataprovider_id=provider.id,
            hook=name,
        ) from error
    return _checked(result, HOOKS[name].returns, where)


def is_overridden(provider: DataProvider, name: str) -> bool:
    """Return whether the class of `provider` has its own hook `name`."""
    return getattr(type(provider), name) is not getattr(DataProvider, name)


def _checked(result: Any, returns: Returns, where: str) -> Any:
    if returns == "any":
        return result
    if returns == "frames":
        return _frames(result, where)
    expected = pd.DataFrame if returns == "frame" else Mapping
    if not isinstance(result, expected):
        raise _wrong(result, returns, where)
    return result


def _frames(result: Any, where: str) -> dict[str, pd.DataFrame]:
    if isinstance(result, tuple) and len(result) in (2, 3):
        names = ("train", "val", "test") if len(result) == 3 else ("train", "test")
        result = {
            name: frame for name, frame in zip(names, result, strict=True) if frame is not None
        }
    if not isinstance(result, Mapping) or not all(
        isinstance(name, str) and isinstance(frame, pd.DataFrame) for name, frame in result.items()
    ):
        raise _wrong(result, "frames", where)
    return dict(result)


def _wrong(result: Any, returns: Returns, where: str) -> HookError:
    got = type(result).__name__
    forgot = " Is a `return` missing?" if result is None else ""
    return HookError(f"{where} returned {got}; it must return {WANTED[returns]}.{forgot}", got=got)
