"""Schema migrations: upgrades the database with alembic, and checks that its schema is current."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from storage.database import Database
from storage.tables import is_in_schema, metadata
from triggers.errors import Misconfigured

MIGRATION_LOCK = 0x6C6F6E67  # "long": advisory lock, so that replicas starting at once migrate one after the other


def alembic_config() -> Config:
    """Alembic's settings with the folder of the migrations; Misconfigured when they are not installed."""
    config = Config()
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("the package `migrations` is not installed", remedy="reinstall longtail")
    config.set_main_option("script_location", str(Path(spec.submodule_search_locations[0])).replace("%", "%%"))
    return config


def migrate(database: Database) -> str:
    """Upgrade to the newest revision, in one transaction; returns that revision. Replicas may run it at once."""
    config = alembic_config()
    with database.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return head_revision()


def head_revision() -> str:
    """The newest revision that this version of the code knows."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise Misconfigured("the package `migrations` has no revision", remedy="reinstall longtail")
    return head


def current_revision(database: Database) -> str | None:
    """The database's revision; None for an empty database."""
    with database.begin() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def require_current(database: Database) -> None:
    """Misconfigured when the database's schema is not the one this code was written for."""
    current, head = current_revision(database), head_revision()
    if current != head:
        raise Misconfigured(
            f"the database is at schema revision {current or 'none'}, this version needs {head}",
            remedy="run `longtail migrate`",
        )


def differences(database: Database) -> list[str]:
    """What the live schema and the tables in code disagree on; empty when the migrations are complete."""
    with database.begin() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_server_default": True,
                "include_name": is_in_schema,
            },
        )
        return [repr(difference) for difference in compare_metadata(context, metadata)]
