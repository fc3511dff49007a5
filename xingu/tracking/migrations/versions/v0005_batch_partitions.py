"""Create the table of partitions of batches."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text, UniqueConstraint

revision = "0005"
down_revision = "0004"

TEXTS = ("dataprovider_id", "train_session_id", "train_id", "table_name", "partition")


def upgrade() -> None:
    """Create the table."""
    config = op.get_context().config
    prefix = config.attributes["prefix"] if config else ""
    name = f"{prefix}batch_partitions"
    op.create_table(
        name,
        Column("time", BigInteger, nullable=False),
        *(Column(name, Text, nullable=False) for name in TEXTS),
        UniqueConstraint(
            *("dataprovider_id", "train_id", "table_name", "partition"), name=f"uq_{name}"
        ),
    )


def downgrade() -> None:
    """Refuse, because it would delete records."""
    raise RuntimeError("The control DB cannot be downgraded; restore a backup.")
