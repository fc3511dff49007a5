"""Findings: problems of a project, with their place and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from xingu.errors import XinguError, text_of
from xingu.masking import masked
from xingu.provider.class_source import Place

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a project.

    Attributes:
        severity: ``error``: a train or a batch will fail; ``warning``: it may, or it is not used.
        subject: Id of the DataProvider, or what else it is about: ``database 'sales'``.
        text: The problem, and what to do.
        place: Line that declares it, if it is known.
    """

    severity: Severity
    subject: str
    text: str
    place: Place | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the finding as values of JSON."""
        return {
            "severity": self.severity,
            "subject": self.subject,
            "file": str(self.place.file) if self.place else None,
            "line": self.place.line if self.place else None,
            "text": self.text,
        }


def finding_of(
    error: BaseException, subject: str, place: Place | None = None, severity: Severity = "error"
) -> Finding:
    """Convert an exception to a finding; its text is masked."""
    text = text_of(error)
    if not isinstance(error, XinguError):
        text = f"{type(error).__name__}: {text}"
    return Finding(severity, subject, " ".join(masked(text).split()), place)


def place_of_error(error: BaseException, file: Path) -> Place:
    """Return the line of `file` in which an exception, or what caused it, was raised."""
    place = Place(file)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SyntaxError) and cause.filename == str(file):
            return Place(file, cause.lineno)
        trace = cause.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == str(file):
                place = Place(file, trace.tb_lineno)
            trace = trace.tb_next
        cause = cause.__cause__
    return place


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without repetitions: errors first, then by subject and line."""

    def key(one: Finding) -> tuple[bool, str, int]:
        return one.severity != "error", one.subject, (one.place and one.place.line) or 0

    return sorted(dict.fromkeys(findings), key=key)
