"""The versions of the control DB's schema, for alembic."""
