"""Log of the trials of a search.

A trial that has ended is plain data, so it can be stored in a database, from which a killed search
is resumed; see `xingu.tracking.trials`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xingu.records import Trial


@dataclass
class TrialLog:
    """Trials of one search, in memory, sorted by number; subclasses also store them elsewhere."""

    trials: list[Trial] = field(default_factory=list)

    def record(self, trial: Trial) -> None:
        """Add a trial that has ended, or replace the one with the same number."""
        others = [known for known in self.trials if known.number != trial.number]
        self.trials = sorted([*others, trial], key=lambda known: known.number)

    def clear(self) -> None:
        """Remove all trials."""
        self.trials = []

    def close(self) -> None:
        """Record that the search has ended."""


def best_of(trials: Iterable[Trial], direction: str) -> Trial | None:
    """Return the best trial that is done, the first one of equals; None if there is none."""
    done = [trial for trial in trials if trial.value is not None]
    sign = 1 if direction == "minimize" else -1
    return min(done, key=lambda trial: (sign * float(trial.value or 0), trial.number), default=None)


def plain(value: Any) -> Any:
    """Return `value` in the types of JSON: numpy types and tuples converted, others as strings.

    A function or class becomes its dotted name, the same in every process.
    """
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)
