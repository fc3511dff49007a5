"""Tables of the control DB, and names and encodings that writers and readers share.

Seven tables are those of Xingu 2.0 and have exactly its columns; further data is in tables of our
own. Table names can have a prefix. This module describes the newest schema; `migrations` creates it
in steps, so a change here needs a new migration.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    NUMERIC,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

NUMBER_OR_TEXT = Text().with_variant(NUMERIC(asdecimal=False), "sqlite")
"""In SQLite, such a column stores numbers as numbers and texts as texts."""

IDS = ("dataprovider_id", "train_session_id", "train_id")
"""Columns that identify a train."""

TRAINED = "trained"
"""Attribute: time of the fit (ISO 8601)."""
BRANCH = "git_branch"
"""Attribute: git branch."""
HYPERPARAM = "hyperparam"
"""Attribute: JSON with `source_train_id`, `params` and `hyperparams`."""
HYPERPARAM_ORIGIN = "hyperparam_origin"
"""Attribute: origin of the hyperparameters; see `xingu.tuning.resolve.Hyperparameters`."""
HYPERPARAM_DECLARED = "hyperparam_declared"
"""Attribute: JSON, what was declared when they were chosen; see `Declaration.record`."""
HYPERPARAM_CHOICE = "hyperparam_choice"
"""Attribute: why they were chosen, and what differs from the declaration, for people."""
HYPERPARAM_SEARCHED = "hyperparam_searched"
"""Attribute of a train that is not fitted yet: time of the end of its search (ISO 8601)."""
DIRECTIONS = "metric_directions"
"""Attribute: JSON, which values of a metric are better."""
TOLERANCES = "metric_tolerances"
"""Attribute: JSON, which differences of a metric do not count."""
SETTINGS = "settings"
"""Attribute: JSON, the settings in force; see `xingu.config.effective.InForce`."""
NOISE = "metric_noise_"
"""Attribute, with the name of a set behind it: JSON, the standard error of each metric."""

NOT_FINITE = {math.nan: "NaN", math.inf: "Infinity", -math.inf: "-Infinity"}
"""Texts in `value_text` for numbers that SQLite cannot store."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables with one prefix.

    Attributes:
        metadata: SQLAlchemy metadata of the tables.
        training: One row per saved train.
        training_attributes: Attributes of a train, by name.
        training_steps: Begin and end of the steps of a train, in seconds since the epoch.
        sets: Index and target of the rows of each set.
        metrics_model: Metrics by set; numbers that are not finite as in `NOT_FINITE`.
        metrics_estimation: Metrics of single estimations.
        estimations: Estimations of batch rows.
        sessions: The run that owns the name of a session.
        claims: The run that owns the name of a train.
        parents: Trains of the prerequisites of a train.
        sources: Query, data version and rows of each source of a train.
        packages: Location of the package of a train, and the SHA-256 of its manifest.
        package_files: SHA-256 and size in bytes of every file of a package.
        trials: Trials of searches: parameters (JSON), value, state; times in seconds.
        plots: Location of the plots of a train.
        checks: Results of the checks on a train; `severity` is ``warn`` or ``error``.
        leases: Runs that hold a name; see `xingu.tracking.leases`. Times of the database's clock.
        batch_partitions: The `time` of the rows of each partition of a batch, by table.
    """

    metadata: MetaData
    training: Table
    training_attributes: Table
    training_steps: Table
    sets: Table
    metrics_model: Table
    metrics_estimation: Table
    estimations: Table
    sessions: Table
    claims: Table
    parents: Table
    sources: Table
    packages: Table
    package_files: Table
    trials: Table
    plots: Table
    checks: Table
    leases: Table
    batch_partitions: Table

    @property
    def xingu_2(self) -> list[Table]:
        """The seven tables of Xingu 2.0."""
        return [
            *(self.training, self.training_attributes, self.training_steps, self.sets),
            *(self.metrics_model, self.metrics_estimation, self.estimations),
        ]


def _text(*names: str, nullable: bool = False) -> list[Column]:
    return [Column(name, Text, nullable=nullable) for name in names]


def _value() -> list[Column]:
    return [Column("value_number", Double), *_text("value_text", nullable=True)]


def _time(name: str = "time") -> Column:
    return Column(name, BigInteger, nullable=False)


KEY = ("dataprovider_id", "train_id")
"""Unique key of a train in our own tables."""


@cache
def tables(prefix: str = "") -> Tables:
    """Return the tables with `prefix` before their names."""
    metadata = MetaData()

    def table(name: str, *columns: Column) -> Table:
        index = f"ix_{prefix}{name}_train_id"
        return Table(prefix + name, metadata, *columns, Index(index, "train_id"))

    def own_table(name: str, *columns: Column, key: Sequence[str] = KEY) -> Table:
        unique = UniqueConstraint(*key, name=f"uq_{prefix}{name}")
        return Table(prefix + name, metadata, *columns, unique)

    return Tables(metadata, *_xingu_2_tables(table), *_own_tables(own_table), *_details(own_table))


def _xingu_2_tables(table: Callable[..., Table]) -> list[Table]:
    return [
        table("training", *_text(*IDS)),
        table("training_attributes", *_text(*IDS, "attribute"), *_text("value", nullable=True)),
        table("training_steps", _time(), *_text(*IDS, "status")),
        table("sets", *_text(*IDS, "set", "index"), Column("target", NUMBER_OR_TEXT)),
        table("metrics_model", _time(), *_text(*IDS, "set", "name"), *_value()),
        table("metrics_estimation", _time(), *_text(*IDS, "index", "name"), *_value()),
        table("estimations", _time(), *_text(*IDS, "index"), Column("estimation", Double)),
    ]


def _own_tables(table: Callable[..., Table]) -> list[Table]:
    parent, session = "parent_dataprovider_id", "train_session_id"
    return [
        table("train_sessions", *_text(session, "root_run_id"), key=[session]),
        table("train_claims", *_text(*IDS, "root_run_id"), _time("claimed")),
        table("train_parents", *_text(*KEY, parent, "parent_train_id"), key=[*KEY, parent]),
        table(
            "train_sources",
            *_text(*KEY, "source", "declared", "data_version"),
            Column("rows", BigInteger),
            Column("cached", Boolean),
            key=[*KEY, "source"],
        ),
        table(
            "packages",
            *_text(*KEY, "path", "manifest_sha256", "run_id"),
            _time("saved"),
            Column("bytes", BigInteger),
        ),
        table(
            "package_files",
            *_text(*KEY, "file", "sha256"),
            Column("bytes", BigInteger),
            key=[*KEY, "file"],
        ),
    ]


def _details(table: Callable[..., Table]) -> list[Table]:
    return [
        table(
            "trials",
            *_text(*IDS, "search_id"),
            Column("number", BigInteger, nullable=False),
            *_text("state", "params"),
            Column("value", Double),
            *_text("reason", nullable=True),
            Column("started", Double, nullable=False),
            Column("ended", Double),
            key=["search_id", "number"],
        ),
        table(
            "plots",
            _time(),
            *_text(*IDS, "channel", "name", "path"),
            key=[*KEY, "channel", "name", "path"],
        ),
        table(
            "checks",
            _time(),
            *_text(*IDS, "asset", "name", "severity", "text"),
            Column("passed", Boolean, nullable=False),
            key=[*KEY, "asset", "name"],
        ),
        table(
            "leases",
            *_text("name", "run_id", "process"),
            Column("token", BigInteger, nullable=False),
            Column("since", Double, nullable=False),
            Column("expires", Double, nullable=False),
            key=["name", "token"],
        ),
        table(
            "batch_partitions",
            _time(),
            *_text(*IDS, "table_name", "partition"),
            key=[*KEY, "table_name", "partition"],
        ),
    ]
