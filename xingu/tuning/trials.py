"""Trials of a search, and where they are kept while it runs.

Its one idea: a trial is plain data from the moment it ends, so that a database can hold it and a
search that was killed goes on from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

State = Literal["running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of a search space, and how good it was.

    Attributes:
        number: Position in the search, from 0.
        params: The hyperparameters that were searched, by name.
        state: ``done``; ``failed``: it raised, `reason` says what; ``running``: without a value.
        value: The metric, on the rows that judge; None unless done.
        reason: Why it failed.
        started: Seconds since the epoch.
        ended: Seconds since the epoch.
    """

    number: int
    params: Mapping[str, Any]
    state: State = "running"
    value: float | None = None
    reason: str | None = None
    started: float = 0.0
    ended: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.started


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
