"""Create the table of check results."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Text, UniqueConstraint

revision = "0003"
down_revision = "0002"

TEXTS = ("dataprovider_id", "train_session_id", "train_id", "asset", "name", "severity", "text")


def upgrade() -> None:
    """Create the table."""
    config = op.get_context().config
    prefix = config.attributes["prefix"] if config else ""
    op.create_table(
        f"{prefix}checks",
        Column("time", BigInteger, nullable=False),
        *(Column(name, Text, nullable=False) for name in TEXTS),
        Column("passed", Boolean, nullable=False),
        UniqueConstraint("dataprovider_id", "train_id", "asset", "name", name=f"uq_{prefix}checks"),
    )


def downgrade() -> None:
    """Refuse, because it would delete records."""
    raise RuntimeError("The control DB cannot be downgraded; restore a backup.")
