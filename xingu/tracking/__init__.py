"""Control DB: records of trains, metrics, sets, estimations and trials. Not needed to predict."""

from xingu.extras import needs

needs("tracking", "alembic", "sqlalchemy")
