"""Values that rooms hand to each other: ids of trains, metrics, sources, packages, checks.

Plain frozen records without behaviour. A room that needs a value of another room imports it from
here, so that rooms do not depend on each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Channel = Literal["trainsets", "batch_predict", "global"]
"""Where metrics come from: the sets of the split, a batch, or the Model as a whole."""
PlotChannel = Literal["trainsets", "batch_predict", "global", "search"]
"""Subject of a plot: a `Channel`, or the search for hyperparameters."""
PictureFormat = Literal["png", "svg"]
"""Formats of pictures that can be saved beside the page of a plot."""
TrialState = Literal["running", "done", "failed"]
Severity = Literal["warn", "error"]
"""Effect of a failed check: ``warn`` reports it; ``error`` also stops what is downstream."""

BATCH_SET, GLOBAL_SET = "batch_predict", "global"
"""Values of the column `set` for metrics of a batch, and of the Model as a whole."""

Noise = Mapping[str, Mapping[str, float]]
"""Standard errors of metrics, by set and name."""
POSITIVE_CLASS = "positive_class"
"""Attribute of a train, and metric with a text: the class that estimations and metrics are of."""


@dataclass(frozen=True, slots=True)
class TrainRun:
    """The ids of one train."""

    dataprovider_id: str
    train_id: str
    train_session_id: str
    run_id: str

    @property
    def full_train_id(self) -> str:
        """`train_session_id:train_id`."""
        return f"{self.train_session_id}:{self.train_id}"


@dataclass(frozen=True, slots=True)
class BatchPartition:
    """One partition of a batch.

    Attributes:
        key: Its key.
        start: Start of its period; None: it is no period of time. It has a time zone if one was
            declared, else it is in UTC, without a zone.
        end: End of its period, which does not belong to it.
    """

    key: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The name of a saved Model, and the ids of the values it was trained on, by asset key."""

    dataprovider_id: str
    train_id: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """State of the external data of one source; equal versions mean unchanged data.

    Attributes:
        version: Version of the data.
        rows: Number of rows, if the observation counted them.
        watermark: Values of the watermark query without the number of rows: one value as a text,
            several as a JSON list. None without a watermark query.
        rewritten: Whether rows that existed before were changed or removed since the observation
            that this one was compared with; None if that is not known.
        how: How the version was found: ``watermark``, ``rows`` (a hash of them), ``file`` (ETag, or
            size and time), ``content`` (a hash of it) or ``asset``; empty if not recorded.
    """

    version: str
    rows: int | None = None
    watermark: str | None = None
    rewritten: bool | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """The contribution of one source to a train.

    Attributes:
        source: Name of the source.
        declared: Query or address, without secrets.
        data_version: Version of the data that was read.
        rows: Number of rows.
        cached: Whether the rows came from the source cache.
        observed: Version that an observation would have found when the rows were read; empty in
            records of earlier versions.
        observed_rows: Number of rows of that observation.
        watermark: Watermark of that observation.
    """

    source: str
    declared: str
    data_version: str
    rows: int
    cached: bool
    observed: str = ""
    observed_rows: int | None = None
    watermark: str | None = None

    @property
    def observation(self) -> Observed:
        """Result of an observation at the time when the rows were read."""
        return Observed(self.observed, self.observed_rows, self.watermark)


@dataclass(frozen=True, slots=True)
class PackageRecord:
    """Location and files of a model package.

    Attributes:
        path: Folder or URL.
        manifest_sha256: SHA-256 of the manifest, in hexadecimal.
        files: SHA-256 and size in bytes, by relative path.
    """

    path: str
    manifest_sha256: str
    files: Mapping[str, tuple[str, int]]


@dataclass(frozen=True, slots=True)
class DeployRules:
    """The conditions of a deploy to a target.

    Attributes:
        approvals: Number of approvals by different people.
        approvers: Users who may approve; empty: everyone but the user who trained.
        approval_days: Days after which an approval expires.
        trusted_keys: Files of the public keys that packages may be signed with; empty: none must
            be signed.
        clean_git: Refuse trains of code that was not committed.
    """

    approvals: int = 0
    approvers: tuple[str, ...] = ()
    approval_days: float = 7
    trusted_keys: tuple[str, ...] = ()
    clean_git: bool = False


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of one set, or of the whole Model where `set` is None: a number or a text."""

    set: str | None
    name: str
    value_number: float | None
    value_text: str | None


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """Result of one check on one asset of a train.

    Attributes:
        asset: Path of the asset below the DataProvider, for example ``trainset_metrics``.
        name: Name of the check.
        passed: Whether it passed.
        severity: Effect of a failure.
        text: One sentence for people.
    """

    asset: str
    name: str
    passed: bool
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of a search space, and its value.

    Attributes:
        number: Position in the search, from 0.
        params: The hyperparameters that were searched, by name.
        state: ``done``; ``failed``: it raised, `reason` says what; ``running``: without a value.
        value: The metric of the search; None unless done.
        reason: Why it failed.
        started: Seconds since the epoch.
        ended: Seconds since the epoch.
    """

    number: int
    params: Mapping[str, Any]
    state: TrialState = "running"
    value: float | None = None
    reason: str | None = None
    started: float = 0.0
    ended: float = 0.0

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.ended - self.started
