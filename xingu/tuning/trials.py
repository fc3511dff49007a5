"""The log of the trials of a search, and what is computed from trials.

A trial is plain data once it has ended, so a database can hold it and a killed search continues
from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xingu.records import Trial


@dataclass
class TrialLog:
    """The trials of one search, in memory; subclasses keep them elsewhere, too."""

    trials: list[Trial] = field(default_factory=list)

    def record(self, trial: Trial) -> None:
        """Take a trial that has ended; one of the same number is replaced."""
        others = [known for known in self.trials if known.number != trial.number]
        self.trials = sorted([*others, trial], key=lambda known: known.number)

    def clear(self) -> None:
        """Forget all trials."""
        self.trials = []

    def close(self) -> None:
        """Say that the search has come to its end."""


def best_of(trials: Iterable[Trial], direction: str) -> Trial | None:
    """Return the best trial that is done, the first of equals."""
    done = [trial for trial in trials if trial.value is not None]
    sign = 1 if direction == "minimize" else -1
    return min(done, key=lambda trial: (sign * float(trial.value or 0), trial.number), default=None)


def plain(value: Any) -> Any:
    """Return `value` as JSON has it: no types of numpy, no tuples."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    return str(value)
