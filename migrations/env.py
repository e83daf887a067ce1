"""Alembic's entry point: runs the migrations on the connection that `storage.migrate` passes in."""

from alembic import context

from storage.tables import metadata


def include_name(name: str | None, type_: str, _parents: object) -> bool:
    """Leave out the log's segments, which are partitions created at run time; the schema has only their parent."""
    return not (type_ == "table" and (name or "").startswith("log_records_"))


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    include_name=include_name,
    compare_server_default=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
