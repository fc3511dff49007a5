"""Create the table of leases."""

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Text, UniqueConstraint

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    config = op.get_context().config
    prefix = config.attributes["prefix"] if config else ""
    op.create_table(
        f"{prefix}leases",
        *(Column(name, Text, nullable=False) for name in ("name", "run_id", "process")),
        Column("token", BigInteger, nullable=False),
        Column("since", Double, nullable=False),
        Column("expires", Double, nullable=False),
        UniqueConstraint("name", "token", name=f"uq_{prefix}leases"),
    )


def downgrade() -> None:
    """Refuse, because it would delete records."""
    raise RuntimeError("The control DB cannot be downgraded; restore a backup.")
