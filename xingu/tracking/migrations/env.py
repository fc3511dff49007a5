"""Alembic environment: run the migrations on the connection and with the prefix of `ControlDB`."""

from alembic import context

from xingu.tracking.schema import tables

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=tables(attributes["prefix"]).metadata,
    version_table=attributes["version_table"],
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
