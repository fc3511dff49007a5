"""The tables of the control DB.

Seven are those of Xingu 2.0, with exactly its columns; whatever else is kept has tables of its own.
All names can have a prefix. `migrations` makes the tables; nothing here touches a database.
"""

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
"""SQLite keeps numbers as numbers in such a column, and texts as texts."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one prefix.

    Attributes:
        training: One row per saved train.
        training_attributes: What is known of a train, by name.
        training_steps: When (seconds since the epoch) which step began and ended.
        sets: Index and target of the rows of each set.
        metrics_model: Metrics by set; `value_text` of NaN and infinite ones says so.
        metrics_estimation: Metrics of single estimations.
        estimations: Estimations of batch rows.
        sessions: Which run a session's name belongs to.
        claims: Which run a train's name belongs to.
        parents: The trains of prerequisites that a train was made with.
        sources: What a train was made from: query, data version, rows.
        packages: Where a train's package is, and the SHA-256 of its manifest.
        package_files: SHA-256 and bytes of every file of a package.
        trials: The trials of searches: parameters (JSON), value, state; times in seconds.
        plots: Where the plots of a train are.
        checks: What the checks on a train have found; `severity` is ``warn`` or ``error``.
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

    @property
    def of_2_0(self) -> list[Table]:
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


TRAIN = ("dataprovider_id", "train_session_id", "train_id")
OWN_TRAIN = ("dataprovider_id", "train_id")


@cache
def tables(prefix: str = "") -> Tables:
    """Return the tables whose names begin with `prefix`."""
    metadata = MetaData()

    def table(name: str, *columns: Column) -> Table:
        index = f"ix_{prefix}{name}_train_id"
        return Table(prefix + name, metadata, *columns, Index(index, "train_id"))

    def own_table(name: str, *columns: Column, key: Sequence[str] = OWN_TRAIN) -> Table:
        unique = UniqueConstraint(*key, name=f"uq_{prefix}{name}")
        return Table(prefix + name, metadata, *columns, unique)

    return Tables(metadata, *_of_2_0(table), *_of_ours(own_table))


def _of_2_0(table: Callable[..., Table]) -> list[Table]:
    return [
        table("training", *_text(*TRAIN)),
        table("training_attributes", *_text(*TRAIN, "attribute"), *_text("value", nullable=True)),
        table("training_steps", _time(), *_text(*TRAIN, "status")),
        table("sets", *_text(*TRAIN, "set", "index"), Column("target", NUMBER_OR_TEXT)),
        table("metrics_model", _time(), *_text(*TRAIN, "set", "name"), *_value()),
        table("metrics_estimation", _time(), *_text(*TRAIN, "index", "name"), *_value()),
        table("estimations", _time(), *_text(*TRAIN, "index"), Column("estimation", Double)),
    ]


def _of_ours(table: Callable[..., Table]) -> list[Table]:
    parent, session = "parent_dataprovider_id", "train_session_id"
    return [
        table("train_sessions", *_text(session, "root_run_id"), key=[session]),
        table("train_claims", *_text(*TRAIN, "root_run_id"), _time("claimed")),
        table(
            "train_parents", *_text(*OWN_TRAIN, parent, "parent_train_id"), key=[*OWN_TRAIN, parent]
        ),
        table(
            "train_sources",
            *_text(*OWN_TRAIN, "source", "declared", "data_version"),
            Column("rows", BigInteger),
            Column("cached", Boolean),
            key=[*OWN_TRAIN, "source"],
        ),
        table(
            "packages",
            *_text(*OWN_TRAIN, "path", "manifest_sha256", "run_id"),
            _time("saved"),
            Column("bytes", BigInteger),
        ),
        table(
            "package_files",
            *_text(*OWN_TRAIN, "file", "sha256"),
            Column("bytes", BigInteger),
            key=[*OWN_TRAIN, "file"],
        ),
        *_of_details(table),
    ]


def _of_details(table: Callable[..., Table]) -> list[Table]:
    return [
        table(
            "trials",
            *_text(*TRAIN, "search_id"),
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
            *_text(*TRAIN, "channel", "name", "path"),
            key=[*OWN_TRAIN, "channel", "name", "path"],
        ),
        table(
            "checks",
            _time(),
            *_text(*TRAIN, "asset", "name", "severity", "text"),
            Column("passed", Boolean, nullable=False),
            key=[*OWN_TRAIN, "asset", "name"],
        ),
    ]
