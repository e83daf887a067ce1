"""Schema migrations: upgrades the database with Alembic, and compares the result with the tables in code.

Alembic takes 45 MB and is imported where it is used: a schema that is current needs none of it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from storage.database import Database
from storage.diagnosis.differences import Difference, described
from storage.diagnosis.schema import SchemaState, fitting, head_revision, migrations_folder, own_version, schema_in
from storage.roles.grants import apply_grants
from storage.settings import shown_url
from storage.tables import is_in_schema, metadata

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATION_LOCK = 0x6C6F6E67  # "long": advisory lock, so that replicas starting at once migrate one after the other


def alembic_config() -> Config:
    """Alembic's settings with the folder of the migrations; Misconfigured when they are not installed."""
    from alembic.config import Config  # noqa: PLC0415 - as the first lines say

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


def migrate(database: Database) -> str:
    """Upgrade to the newest revision, in one transaction; returns that revision. Replicas may run it at once.

    Misconfigured, with nothing changed, when the schema is a newer version's or another program's, or was changed by
    hand so that a migration does not fit it.
    """
    with fitting(database), database.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        schema = schema_in(connection, shown_url(database.url))
        schema.require_migratable()
        if schema.state is not SchemaState.CURRENT:
            _upgrade(connection)
        apply_grants(connection)
    return head_revision()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - as the first lines say

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(text(f"COMMENT ON TABLE alembic_version IS 'migrated by longtail {own_version()}'"))


def differences(database: Database) -> list[Difference]:
    """What the live schema and the tables in code disagree on; empty when the migrations are complete."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - as the first lines say
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    with database.begin() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_server_default": True,
                "include_name": is_in_schema,
            },
        )
        with warnings.catch_warnings(record=True) as remarks:  # all that Alembic says of a generated column
            warnings.simplefilter("always")
            found = list(described(compare_metadata(context, metadata)))
    return found + [Difference(str(remark.message)) for remark in remarks]
