"""Methods that are discovered by name: their families, and calls by signature.

The prefix of a name determines when a method is called; its signature determines the arguments. A
name that nearly matches a prefix is an error when the class is loaded.
"""

import inspect
from collections.abc import Callable, Collection, Iterator
from difflib import SequenceMatcher, get_close_matches
from typing import Any

from xingu.errors import HookError, text_of
from xingu.provider.calls import UnfilledParameterError, bound_arguments
from xingu.provider.lending import call_lent

TRAINSETS_METRICS = "compute_trainsets_model_metrics"
BATCH_METRICS = "compute_batch_model_metrics"
GLOBAL_METRICS = "compute_global_model_metrics"
ESTIMATION_METRICS = "compute_estimation_metrics"
TRAINSETS_PLOTS = "render_trainsets_model_plots"
BATCH_PLOTS = "render_batch_model_plots"
GLOBAL_PLOTS = "render_global_model_plots"
FAMILIES = (
    TRAINSETS_METRICS,
    BATCH_METRICS,
    GLOBAL_METRICS,
    ESTIMATION_METRICS,
    TRAINSETS_PLOTS,
    BATCH_PLOTS,
    GLOBAL_PLOTS,
)

BUILTIN_PLOTS = (
    "Predicted against true",
    "Residuals",
    "ROC",
    "Precision-recall",
    "Calibration",
    "Threshold",
    "Gain",
    "Lift",
    "KS",
    "Confusion matrix",
    "Error by segment",
    "Feature importance",
    "Drift",
    "Drift by column",
    "Optimization history",
    "Parallel coordinates",
    "Hyperparameter importance",
)
"""Names that `builtin_plots_off` accepts."""

ARGUMENTS = ("XY", "Y_pred", "model")
"""Arguments of methods, in the order in which parameters with other names receive them."""

_VERBS, _SCOPES = ("compute", "render"), ("trainsets", "batch", "global", "estimation")
_NOUNS = ("metrics", "plots")
_WORD_SIMILARITY, _PREFIX_SIMILARITY = 0.81, 0.9
"""Minimum similarity, in [0, 1], of a mistyped word and of a mistyped prefix."""


def near_misses(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield names that resemble methods of a family, each with the corrected name.

    Such a name has a verb and a noun of a family, and a scope or the word `model`, possibly
    mistyped; or its prefix is similar to a family. Names that begin with an underscore are skipped.
    """
    for name in sorted(names):
        named = any(name.startswith(f"{one}_") and name != f"{one}_" for one in FAMILIES)
        if named or name.startswith("_"):
            continue
        words = name.lower().rstrip("_").split("_")
        end = _prefix_length(words)
        if end:
            family = _closest("_".join(words[:end]))
            yield name, f"{family}_{'_'.join(words[end:]) or 'NAME'}"


def _prefix_length(words: list[str]) -> int:
    """Return how many leading words resemble the name of a family; 0 if none do."""
    if not get_close_matches(words[0], _VERBS, 1, _WORD_SIMILARITY):
        return 0
    for end in range(2, min(5, len(words) + 1)):
        if get_close_matches(words[end - 1], _NOUNS, 1, _WORD_SIMILARITY):
            between = words[1 : end - 1]
            scoped = any(get_close_matches(word, _SCOPES, 1, _WORD_SIMILARITY) for word in between)
            if scoped or "model" in between:
                return end
            break
    for end in range(len(words), 1, -1):
        prefix = "_".join(words[:end])
        if _similarity(prefix, _closest(prefix)) >= _PREFIX_SIMILARITY:
            return end
    return 0


def _closest(prefix: str) -> str:
    return max(FAMILIES, key=lambda family: _similarity(prefix, family))


def _similarity(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def find_methods(owner: object, prefix: str) -> dict[str, Callable[..., Any]]:
    """Return the bound methods of `owner` called ``{prefix}_{NAME}``, by NAME, sorted.

    Properties are not evaluated. A subclass disables a method by setting its name to None.
    """
    start = f"{prefix}_"
    names = sorted(name for name in dir(owner) if name.startswith(start) and name != start)
    return {name[len(start) :]: getattr(owner, name) for name in names if _is_method(owner, name)}


def call_method(where: str, method: Callable[..., Any], **available: Any) -> Any:
    """Call `method` with the arguments that its signature accepts.

    A parameter named `XY`, `Y_pred` or `model` receives that argument. Other parameters without a
    default receive the remaining arguments, in the order of `ARGUMENTS`.

    Args:
        where: Owner, method and set, for errors: ``flights.compute_global_model_metrics_speed``.
        method: A method that `find_methods` returned.
        available: Any of `XY`, `Y_pred` and `model`; frames are lent, so that no change that the
            method makes reaches anybody else.

    Raises:
        HookError: If the method has another required parameter, or raises.
    """
    try:
        bound = bound_arguments(
            method, {name: available[name] for name in ARGUMENTS if name in available}
        )
    except UnfilledParameterError as error:
        raise HookError(
            f"{where} requires {str(error)!r}; available: {', '.join(available) or 'nothing'}."
        ) from error
    try:
        return call_lent(method, *bound.args, **bound.kwargs)
    except Exception as error:
        text = f"{where} raised {type(error).__name__}: {text_of(error)}"
        raise HookError(text, where=where) from error


def _is_method(owner: object, name: str) -> bool:
    static = inspect.getattr_static(owner, name)
    return callable(static) or isinstance(static, classmethod)
