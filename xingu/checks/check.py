"""The record of a check: its name, its assets, its limits, and how it is computed.

The modules that `catalog` collects end with the records of their checks. Adding a check means
adding one record.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xingu.checks.gates import Gate
from xingu.checks.outcome import Limits, Outcome
from xingu.errors import DeclarationError, text_of
from xingu.records import Severity

logger = logging.getLogger(__name__)

Checks = Mapping[str, "Check"]
AssetPath = tuple[str, ...]
"""Path of an asset below its DataProvider, for example ``("batch", "features")``."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Declarations of a DataProvider that decide whether a check applies to it.

    Attributes:
        has_batch: Whether it declares sources of a batch.
        gates: Its quality gates.
        hollow: Whether it has no estimator.
    """

    has_batch: bool
    gates: Sequence[Gate]
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """A check.

    Attributes:
        name: Name, by which DataProviders configure it.
        assets: The assets that it is on, out of `xingu.checks.subjects.SUBJECTS`.
        title: The statement that is true if it passes.
        severity: ``warn``: a failure is reported; ``error``: it also fails the run and stops what
            is downstream.
        compute: Returns the outcome of a subject, with limits. What a subject is depends on the
            asset; see `xingu.checks.subjects`.
        limits: Tolerated values, and columns to ignore, by name.
        applies: Returns whether a DataProvider has anything to check.
        refuses: With severity ``error``, a value that fails is not stored.
        deferred: It is computed after all assets of its step were made.
    """

    name: str
    assets: tuple[AssetPath, ...]
    title: str
    severity: Severity
    compute: Callable[[Any, Limits], Outcome]
    limits: Mapping[str, Any] = field(default_factory=dict)
    applies: Callable[[Declared], bool] = lambda _: True
    refuses: bool = False
    deferred: bool = False

    def run(self, get_subject: Callable[[], Any]) -> Outcome:
        """Return the outcome for a subject; an error is a failure that is not conclusive.

        Args:
            get_subject: Returns the subject.

        Raises:
            DeclarationError: If a declaration of the DataProvider cannot be used.
        """
        try:
            return self.compute(get_subject(), self.limits)
        except DeclarationError:
            raise
        except Exception as error:
            logger.warning("The check %s could not be computed", self.name, exc_info=True)
            text = f"The check could not be computed: {type(error).__name__}: {text_of(error)}"
            return Outcome(False, text, conclusive=False)
