"""The control database: what is recorded about every train. Never needed to predict."""

from xingu.extras import needs

needs("tracking", "alembic", "sqlalchemy")
