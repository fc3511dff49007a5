"""Names that mean something on a DataProvider: families of methods, and built-in plots.

Its one idea: a method that nobody would ever call is found while the class is loaded. It does not
know what the methods compute.
"""

from collections.abc import Collection, Iterator
from difflib import SequenceMatcher, get_close_matches

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
"""What `builtin_plots_off` may name."""

_VERBS, _SCOPES = ("compute", "render"), ("trainsets", "batch", "global", "estimation")
_NOUNS = ("metrics", "plots")
_WORD, _WHOLE = 0.81, 0.9
"""How alike a word, and the whole beginning of a name, are that somebody has mistyped."""


def near_misses(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the names that look like methods of a family and are none, with the name to give them.

    A near miss has a family's verb, its noun, and its scope or the word `model`, all maybe
    mistyped; or begins almost like a family. Names that begin with an underscore are left alone.
    """
    for name in sorted(names):
        named = any(name.startswith(f"{one}_") and name != f"{one}_" for one in FAMILIES)
        if named or name.startswith("_"):
            continue
        words = name.lower().rstrip("_").split("_")
        end = _end_of_beginning(words)
        if end:
            family = _closest("_".join(words[:end]))
            yield name, f"{family}_{'_'.join(words[end:]) or 'NAME'}"


def _end_of_beginning(words: list[str]) -> int:
    """How many words look like a family's name; 0 if none do."""
    if not get_close_matches(words[0], _VERBS, 1, _WORD):
        return 0
    for end in range(2, min(5, len(words) + 1)):
        if get_close_matches(words[end - 1], _NOUNS, 1, _WORD):
            between = words[1 : end - 1]
            scoped = any(get_close_matches(word, _SCOPES, 1, _WORD) for word in between)
            if scoped or "model" in between:
                return end
            break
    for end in range(len(words), 1, -1):
        beginning = "_".join(words[:end])
        if _likeness(beginning, _closest(beginning)) >= _WHOLE:
            return end
    return 0


def _closest(beginning: str) -> str:
    return max(FAMILIES, key=lambda family: _likeness(beginning, family))


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
