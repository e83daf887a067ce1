"""Alembic's entry: runs the migrations on the connection that `storage.migrate` hands over."""

from alembic import context

from storage.tables import metadata


def include_name(name: str | None, type_: str, _parents: object) -> bool:
    """Segments of the log are partitions made at run time; the schema knows only their parent."""
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
