"""Create the tables of trials and plots."""

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Text, UniqueConstraint

revision = "0002"
down_revision = "0001"

TRAIN = ("dataprovider_id", "train_session_id", "train_id")


def upgrade() -> None:
    """Create the tables."""
    config = op.get_context().config
    prefix = config.attributes["prefix"] if config else ""
    op.create_table(
        f"{prefix}trials",
        *_text(*TRAIN, "search_id"),
        Column("number", BigInteger, nullable=False),
        *_text("state", "params"),
        Column("value", Double),
        Column("reason", Text),
        Column("started", Double, nullable=False),
        Column("ended", Double),
        UniqueConstraint("search_id", "number", name=f"uq_{prefix}trials"),
    )
    op.create_table(
        f"{prefix}plots",
        Column("time", BigInteger, nullable=False),
        *_text(*TRAIN, "channel", "name", "path"),
        UniqueConstraint(
            "dataprovider_id", "train_id", "channel", "name", "path", name=f"uq_{prefix}plots"
        ),
    )


def downgrade() -> None:
    """Refuse, because it would delete records."""
    raise RuntimeError("The control DB cannot be downgraded; restore a backup.")


def _text(*names: str) -> list[Column]:
    return [Column(name, Text, nullable=False) for name in names]
