"""Alembic migrations of the control DB."""
