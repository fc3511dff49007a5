"""Hooks of a DataProvider: their table, and calls with a check of the returned type.

A hook that raises or returns a wrong type becomes a HookError that names the hook. Frames are lent
to hooks: no change that a hook makes to an argument reaches anybody else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pandas as pd

from xingu.errors import HookError, XinguError, text_of
from xingu.provider.base import DataProvider
from xingu.provider.calls import UnfilledParameterError, bound_arguments, signature_of
from xingu.provider.lending import call_lent, reclaim

Stage = Literal["prepare", "tune", "fit", "evaluate", "batch", "predict"]
Returns = Literal["frame", "frames", "sources", "dict", "any"]


@dataclass(frozen=True, slots=True)
class Hook:
    """One overridable method: the stage that calls it, and its return type."""

    name: str
    stage: Stage
    returns: Returns


HOOK_TABLE: tuple[tuple[str, Stage, Returns], ...] = (
    ("get_dataset_sources_for_train", "prepare", "sources"),
    ("clean_data_for_train", "prepare", "frame"),
    ("feature_engineering_for_train", "prepare", "frame"),
    ("last_pre_process_for_train", "prepare", "frame"),
    ("data_split_for_train", "prepare", "frames"),
    ("get_estimator_optimization_search_space", "tune", "dict"),
    ("get_estimator_hyperparameters", "tune", "dict"),
    ("get_estimator_hyperparams", "tune", "dict"),
    ("post_process_after_hyperparam_optimize", "fit", "any"),
    ("post_process_after_train", "fit", "any"),
    ("pre_process_for_predict", "predict", "frame"),
    ("pre_process_for_predict_proba", "predict", "frame"),
    ("pre_process_for_generic_predict", "predict", "frame"),
    ("post_process_after_predict", "predict", "frame"),
    ("post_process_after_predict_proba", "predict", "frame"),
    ("post_process_after_generic_predict", "predict", "frame"),
    ("pre_process_for_trainsets_metrics", "evaluate", "any"),
    ("post_process_after_trainsets_metrics", "evaluate", "any"),
    ("get_dataset_sources_for_batch_predict", "batch", "sources"),
    ("clean_data_for_batch_predict", "batch", "frame"),
    ("feature_engineering_for_batch_predict", "batch", "frame"),
    ("last_pre_process_for_batch_predict", "batch", "frame"),
    ("feature_engineering_for_predict", "predict", "frame"),
)

HOOKS: Mapping[str, Hook] = {row[0]: Hook(*row) for row in HOOK_TABLE}

CALLED_BY_DEFAULT: Mapping[str, str] = {
    "clean_data_for_batch_predict": "clean_data_for_train",
    "pre_process_for_predict": "pre_process_for_generic_predict",
    "pre_process_for_predict_proba": "pre_process_for_generic_predict",
    "post_process_after_predict": "post_process_after_generic_predict",
    "post_process_after_predict_proba": "post_process_after_generic_predict",
}
"""The hook that the default of another one calls."""

ProviderFactory = Callable[[], DataProvider]

EXPECTED: Mapping[Returns, str] = {
    "frame": "a DataFrame",
    "frames": "a dict of DataFrames by set name, or a tuple (train, val, test)",
    "sources": "a dict of source declarations by name",
    "dict": "a dict",
}


def call_hook(provider: DataProvider, name: str, *arguments: Any, owned: bool = False) -> Any:
    """Call the hook `name` of `provider` and check the type of its result.

    Args:
        provider: The DataProvider.
        name: Name of the hook, a key of `HOOKS`.
        arguments: Arguments of the hook, in the order of `DataProvider`; a hook receives them by
            name if its signature has these names. Frames are lent, see `xingu.provider.lending`.
        owned: Nobody but the caller holds the frames, so that they need not be lent.

    Raises:
        HookError: If the hook raises, or returns a wrong type.
        XinguError: If the hook raises one; it propagates unchanged.
    """
    where = f"{provider.id}.{name}"
    try:
        hook = getattr(provider, name)
        if is_overridden(provider, name):
            bound = bound_arguments(hook, dict(zip(_parameters(name), arguments, strict=False)))
            args, named = bound.args, bound.kwargs
            result = reclaim(hook(*args, **named)) if owned else call_lent(hook, *args, **named)
        else:
            result = hook(*arguments)  # defaults change no frames
    except XinguError:
        raise
    except UnfilledParameterError as error:
        raise HookError(
            f"{where} requires {str(error)!r}; it is called with "
            f"{', '.join(_parameters(name)) or 'nothing'}.",
            dataprovider_id=provider.id,
            hook=name,
        ) from error
    except Exception as error:
        raise HookError(
            f"{where} raised {type(error).__name__}: {text_of(error)}"
            f"{_doubled_columns(error, arguments)}",
            dataprovider_id=provider.id,
            hook=name,
        ) from error
    return _checked(result, HOOKS[name].returns, where)


def is_overridden(provider: DataProvider, name: str) -> bool:
    """Return whether the class of `provider` overrides the hook `name`, or what it calls."""
    if getattr(type(provider), name) is not getattr(DataProvider, name):
        return True
    return name in CALLED_BY_DEFAULT and is_overridden(provider, CALLED_BY_DEFAULT[name])


@cache
def _parameters(name: str) -> tuple[str, ...]:
    """Return the names of the parameters of a hook, as `DataProvider` declares them."""
    return tuple(signature_of(getattr(DataProvider, name)).parameters)[1:]


def _doubled_columns(error: Exception, arguments: tuple[Any, ...]) -> str:
    """Return a hint at columns that are in a frame twice, which errors of pandas do not name."""
    named = [("the data", one) for one in arguments if isinstance(one, pd.DataFrame)]
    for argument in arguments:
        if isinstance(argument, Mapping):
            named += [(repr(name), one) for name, one in argument.items()]
    texts = (
        f" (Note that {name} has two columns called "
        f"{', '.join(map(repr, frame.columns[frame.columns.duplicated()].unique()))}; "
        "rename or drop one.)"
        for name, frame in named
        if isinstance(frame, pd.DataFrame) and not frame.columns.is_unique
    )
    hint = " (Is a column in the frame twice?)" if "1-dimensional" in text_of(error) else ""
    return "".join(texts) or hint


def _checked(result: Any, returns: Returns, where: str) -> Any:
    if returns == "any":
        return result
    if returns == "frames":
        return _frames(result, where)
    if returns in ("sources", "dict") and result is None:
        return {}
    expected = pd.DataFrame if returns == "frame" else Mapping
    if not isinstance(result, expected):
        raise _wrong_type(result, returns, where)
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
        raise _wrong_type(result, "frames", where)
    return dict(result)


def _wrong_type(result: Any, returns: Returns, where: str) -> HookError:
    got = type(result).__name__
    hint = " Is a `return` missing?" if result is None else ""
    return HookError(f"{where} returned {got}; it must return {EXPECTED[returns]}.{hint}", got=got)
