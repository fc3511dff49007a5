"""Alert: one event that people are told about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from xingu.masking import masked

SCHEMA = "xingu.alert/1"
"""Name and version of the document; the version grows when a field is removed or changes."""

Kind = Literal[
    "run_failed",
    "check_failed",
    "check_warning",
    "gate_refused",
    "policy_tripped",
    "sensor_silent",
    "deployment",
    "rollback",
]
Severity = Literal["error", "warning", "info"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST = 500
"""Characters of a cause that are sent."""

_NUMBER = re.compile(r"\d[\d.,e+-]*")


@dataclass(frozen=True, slots=True)
class Alert:
    """One event.

    Title and cause are masked here; who makes an Alert of an error of others uses `safe_cause`.

    Attributes:
        kind: What happened.
        severity: ``error``, ``warning`` or ``info``.
        dataprovider_id: Id of the DataProvider; empty: the project.
        title: The event in one line.
        cause: The first cause; empty for an event that has none.
        link: Address of the run in the UI; empty: not known.
        run_id: The run; empty: none.
        facts: More values of JSON, by name.
    """

    kind: Kind
    severity: Severity
    dataprovider_id: str
    title: str
    cause: str = ""
    link: str = ""
    run_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cause = masked(self.cause)
        object.__setattr__(self, "title", masked(self.title))
        shown = cause if len(cause) <= LONGEST else f"{cause[: LONGEST - 1]}…"
        object.__setattr__(self, "cause", shown)

    @property
    def group(self) -> str:
        """Key of equal alerts: kind, DataProvider, and cause without numbers."""
        return "\n".join((self.kind, self.dataprovider_id, _NUMBER.sub("#", self.cause)))

    def document(self, count: int = 1) -> dict[str, Any]:
        """Return the alert as values of JSON.

        Args:
            count: Number of equal alerts that this one stands for.
        """
        return {
            "schema": SCHEMA,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "kind": self.kind,
            "severity": self.severity,
            "dataprovider": self.dataprovider_id,
            "title": self.title,
            "cause": self.cause,
            "link": self.link,
            "run_id": self.run_id,
            "count": count,
            "facts": dict(self.facts),
            "text": self._text(count),
        }

    def _text(self, count: int) -> str:
        """Return the whole message, for people."""
        title = f"{self.title} ({count} times since the last message)" if count > 1 else self.title
        return "\n".join(filter(None, (title, self.cause, self.link)))
