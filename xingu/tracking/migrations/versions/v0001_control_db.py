"""Create the tables of Xingu 2.0 that do not exist yet, and the first of our own."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Text, UniqueConstraint

from xingu.tracking.schema import tables

revision = "0001"
down_revision = None

TRAIN = ("dataprovider_id", "train_id")


def upgrade() -> None:
    """Create missing tables and indexes; existing tables and their rows are not changed."""
    config = op.get_context().config
    prefix = config.attributes["prefix"] if config else ""
    # The columns of Xingu 2.0 never change, so the current schema can be used here.
    legacy = tables(prefix)
    legacy.metadata.create_all(op.get_bind(), legacy.xingu_2)
    for table in legacy.xingu_2:
        for index in table.indexes:
            index.create(op.get_bind(), checkfirst=True)
    for name, (columns, key) in _own_tables().items():
        unique = UniqueConstraint(*key, name=f"uq_{prefix}{name}")
        op.create_table(prefix + name, *columns, unique)


def _own_tables() -> dict[str, tuple[list[Column], Sequence[str]]]:
    """Return columns and unique key of each table."""
    session, parent = "train_session_id", "parent_dataprovider_id"
    return {
        "train_sessions": (_text(session, "root_run_id"), [session]),
        "train_claims": (
            [*_text("dataprovider_id", session, "train_id", "root_run_id"), _whole("claimed")],
            TRAIN,
        ),
        "train_parents": (_text(*TRAIN, parent, "parent_train_id"), [*TRAIN, parent]),
        "train_sources": (
            [
                *_text(*TRAIN, "source", "declared", "data_version"),
                _whole("rows", nullable=True),
                Column("cached", Boolean),
            ],
            [*TRAIN, "source"],
        ),
        "packages": (
            [
                *_text(*TRAIN, "path", "manifest_sha256", "run_id"),
                _whole("saved"),
                _whole("bytes", nullable=True),
            ],
            TRAIN,
        ),
        "package_files": (
            [*_text(*TRAIN, "file", "sha256"), _whole("bytes", nullable=True)],
            [*TRAIN, "file"],
        ),
    }


def downgrade() -> None:
    """Refuse, because it would delete records."""
    raise RuntimeError("The control DB cannot be downgraded; restore a backup.")


def _text(*names: str) -> list[Column]:
    return [Column(name, Text, nullable=False) for name in names]


def _whole(name: str, *, nullable: bool = False) -> Column:
    return Column(name, BigInteger, nullable=nullable)
