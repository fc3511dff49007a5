"""The record of a check: what it is called, which assets it is on, and how it is computed.

Every module of this room ends with the records of its checks; `catalog` collects them. Adding a
check means adding one record.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xingu.checks.gates import Gate
from xingu.checks.outcome import Limits, Outcome
from xingu.records import Severity

AssetPath = tuple[str, ...]
"""Path of an asset below its DataProvider, for example ``("batch", "features")``."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What decides whether a check applies to a DataProvider.

    Attributes:
        has_batch: Whether it declares sources of a batch.
        gates: Its quality gates.
    """

    has_batch: bool
    gates: Sequence[Gate]


@dataclass(frozen=True, slots=True)
class Check:
    """A check.

    Attributes:
        name: Name, by which DataProviders configure it.
        assets: The assets that it is on.
        title: The statement that is true if it passes.
        severity: ``warn``: a failure is reported; ``error``: it also fails the run and stops what
            is downstream.
        compute: Returns the outcome of a subject, with limits. What a subject is depends on the
            asset; see `xingu.checks.subjects`.
        limits: What is tolerated, by name.
        applies: Whether a DataProvider has anything to check.
        refuses: With severity ``error``, a value that fails is not stored.
    """

    name: str
    assets: tuple[AssetPath, ...]
    title: str
    severity: Severity
    compute: Callable[[Any, Limits], Outcome]
    limits: Mapping[str, Any] = field(default_factory=dict)
    applies: Callable[[Declared], bool] = lambda _: True
    refuses: bool = False
