"""Alembic's entry point: runs the migrations on the connection that `storage.migrate` passes in."""

from alembic import context

from storage.tables import is_in_schema, metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    include_name=is_in_schema,
    compare_server_default=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
