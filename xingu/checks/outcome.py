"""What a check has found, without a word about who shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Limits = Mapping[str, Any]
Cell = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one check.

    Attributes:
        passed: Whether what it checks is true.
        text: One sentence for people.
        figures: What was measured, by name.
        rows: A table: examples of what is wrong, or a line for each feature, worst first.
        certain: False: do not stop anything for it, whatever severity is declared.
    """

    passed: bool
    text: str
    figures: Mapping[str, Cell] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Cell]] = ()
    certain: bool = True


def not_applicable(reason: str) -> Outcome:
    """Return a passing outcome that says why there was nothing to check."""
    return Outcome(True, f"Not applicable: {reason}.", {"not applicable": reason})
