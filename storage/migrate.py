"""Schema migrations: upgrades the database with alembic, and says what state its schema is in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import metadata as distributions
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from storage.database import Database
from storage.roles.grants import apply_grants
from storage.settings import shown_url
from storage.tables import is_in_schema, metadata
from triggers.errors import Misconfigured

MIGRATION_LOCK = 0x6C6F6E67  # "long": advisory lock, so that replicas starting at once migrate one after the other
_TABLES_HERE = text(
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace(current_schema())"
    " AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ANY (:names) ORDER BY c.relname"
)
_MIGRATED_BY = text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")


class SchemaState(StrEnum):
    """How a database's schema compares with the one this version needs."""

    CURRENT = "current"
    EMPTY = "empty"
    """There is none yet."""
    BEHIND = "behind"
    AHEAD = "ahead"
    """It was migrated by a newer version of Longtail."""
    FOREIGN = "foreign"
    """The tables in it are not ones that a migration of Longtail has left."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The state of a database's schema, with what to do about it."""

    state: SchemaState
    revision: str
    """Empty when there is none, several separated by commas when somebody changed them by hand."""
    message: str
    remedy: str

    def require_current(self) -> None:
        """Misconfigured unless this version can work with the schema as it is."""
        if self.state is not SchemaState.CURRENT:
            raise Misconfigured(self.message, remedy=self.remedy)

    def require_migratable(self) -> None:
        """Misconfigured when migrating cannot lead to the schema that this version needs."""
        if self.state in (SchemaState.AHEAD, SchemaState.FOREIGN):
            raise Misconfigured(self.message, remedy=self.remedy)


def alembic_config() -> Config:
    """Alembic's settings with the folder of the migrations; Misconfigured when they are not installed."""
    config = Config()
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("the package `migrations` is not installed", remedy="reinstall longtail")
    config.set_main_option("script_location", str(Path(spec.submodule_search_locations[0])).replace("%", "%%"))
    return config


def migrate(database: Database) -> str:
    """Upgrade to the newest revision, in one transaction; returns that revision. Replicas may run it at once.

    Misconfigured, with nothing changed, when the schema is a newer version's or another program's, or was changed by
    hand so that a migration does not fit it.
    """
    config = alembic_config()
    with _fitting(database), database.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        schema = _schema_in(connection, shown_url(database.url))
        schema.require_migratable()
        if schema.state is not SchemaState.CURRENT:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.execute(text(f"COMMENT ON TABLE alembic_version IS 'migrated by longtail {_own_version()}'"))
        apply_grants(connection)
    return head_revision()


def head_revision() -> str:
    """The newest revision that this version of the code knows."""
    return known_revisions()[0]


def current_revision(database: Database) -> str | None:
    """The database's revision; None for an empty database."""
    return schema_of(database).revision or None


def schema_of(database: Database) -> Schema:
    """The state of the database's schema."""
    with _fitting(database), database.begin() as connection:
        return _schema_in(connection, shown_url(database.url))


def require_current(database: Database) -> None:
    """Misconfigured when the database's schema is not the one this code was written for."""
    schema_of(database).require_current()


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
        with warnings.catch_warnings(record=True) as remarks:  # all that Alembic says of a generated column
            warnings.simplefilter("always")
            found = [repr(difference) for difference in compare_metadata(context, metadata)]
    return found + [str(remark.message) for remark in remarks]


@contextmanager
def _fitting(database: Database) -> Iterator[None]:
    """Misconfigured when a statement does not fit the schema, as somebody has changed that by hand."""
    try:
        yield
    except ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Misconfigured(
            f"the schema of the database at {shown_url(database.url)} is not one that Longtail has left ({reason})",
            remedy="undo what was changed by hand, or restore a backup into an empty database",
        ) from error


@cache
def known_revisions() -> tuple[str, ...]:
    """Every revision that this version knows, newest first."""
    found = tuple(script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions())
    if not found:
        raise Misconfigured("the package `migrations` has no revision", remedy="reinstall longtail")
    return found


def _schema_in(connection: Connection, where: str) -> Schema:
    database, head = f"the database at {where}", head_revision()
    heads = sorted(MigrationContext.configure(connection).get_current_heads())
    ours = list(connection.execute(_TABLES_HERE, {"names": sorted(metadata.tables)}).scalars())
    revision = ", ".join(heads)
    if heads == [head]:
        return Schema(SchemaState.CURRENT, head, f"{database} is at schema revision {head}", "")
    if not heads and not ours:
        message = f"{database} has no schema yet, this version needs revision {head}"
        return Schema(SchemaState.EMPTY, "", message, "run `longtail migrate`")
    if len(heads) == 1 and heads[0] in known_revisions():
        message = f"{database} is at schema revision {revision}, this version needs {head}"
        return Schema(SchemaState.BEHIND, revision, message, "run `longtail migrate`")
    if len(heads) == 1 and ours:
        return _ahead(connection, database, revision)
    return _foreign(database, heads, ours)


def _ahead(connection: Connection, database: str, revision: str) -> Schema:
    """A revision that this version does not know: a newer one made it, and has left its name."""
    migrated_by = connection.execute(_MIGRATED_BY).scalar_one_or_none() or ""
    newer = migrated_by.removeprefix("migrated by ") if migrated_by.startswith("migrated by ") else "a newer longtail"
    return Schema(
        SchemaState.AHEAD,
        revision,
        f"{database} is at schema revision {revision} of {newer}; this is longtail {_own_version()}, which is older "
        f"and knows revisions up to {head_revision()}",
        f"install {newer}, or restore the backup that was made before the upgrade (`longtail restore`)",
    )


def _foreign(database: str, heads: list[str], ours: list[str]) -> Schema:
    if ours:
        state = f"schema revisions {', '.join(heads)} at once" if heads else "no schema revision"
        message = f"{database} has {len(ours)} of Longtail's tables, such as {ours[0]}, but {state}"
        remedy = "restore a backup into an empty database; a restore that was cut off leaves a database like this"
    else:
        message = f"{database} belongs to another program: it has alembic revision {', '.join(heads)} and other tables"
        remedy = "name a database of Longtail's own in LONGTAIL_DATABASE_URL"
    return Schema(SchemaState.FOREIGN, ", ".join(heads), message, remedy)


def _own_version() -> str:
    return distributions.version("longtail")
