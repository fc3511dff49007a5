"""The outcome of a check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xingu.masking import masked

Limits = Mapping[str, Any]
Cell = str | int | float | bool

SHOWN = 20
"""Maximum number of examples in the table of an outcome."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one check.

    Attributes:
        passed: Whether the statement of the check is true.
        text: One sentence for people; of a failure, with what to do.
        figures: Measured values, by name.
        rows: A table: examples of what is wrong, or a row for each feature, worst first.
        conclusive: False downgrades a failure to a warning.
    """

    passed: bool
    text: str
    figures: Mapping[str, Cell] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Cell]] = ()
    conclusive: bool = True

    def __post_init__(self) -> None:
        """Mask secrets that exceptions brought into the text."""
        object.__setattr__(self, "text", masked(self.text))


def not_applicable(reason: str) -> Outcome:
    """Return a passing outcome with the reason why there was nothing to check."""
    return Outcome(True, f"Not applicable: {reason}.", {"not applicable": reason})
