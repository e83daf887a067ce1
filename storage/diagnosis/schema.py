"""The state of the database's schema: whether it is the one that this version needs, and what to do if it is not.

It needs no Alembic, which takes 45 MB: every process asks for the state when it starts, and only migrating needs more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import metadata as distributions
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from storage.database import Database
from storage.settings import shown_url
from storage.tables import metadata
from triggers.errors import Misconfigured

_TABLES_HERE = text(
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace(current_schema())"
    " AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ANY (:names) ORDER BY c.relname"
)
_IS_VERSIONED = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_HEADS = text("SELECT version_num FROM alembic_version ORDER BY version_num")
_MIGRATED_BY = text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")
_FILE = re.compile(r"(\d{4})_\w+\.py")
"""The file of a migration: its revision and its subject. Each follows the number before, as a test checks."""


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


def head_revision() -> str:
    """The newest revision that this version of the code knows."""
    return known_revisions()[0]


def schema_of(database: Database) -> Schema:
    """The state of the database's schema."""
    with fitting(database), database.begin() as connection:
        return schema_in(connection, shown_url(database.url))


def require_current(database: Database) -> None:
    """Misconfigured when the database's schema is not the one this code was written for."""
    schema_of(database).require_current()


@cache
def known_revisions() -> tuple[str, ...]:
    """Every revision that this version knows, newest first, by the names of their files."""
    names = [file.name for file in (migrations_folder() / "versions").glob("*.py")]
    found = sorted((match[1] for name in names if (match := _FILE.fullmatch(name))), reverse=True)
    if not found:
        raise Misconfigured("the package `migrations` has no revision", remedy="reinstall longtail")
    return tuple(found)


def migrations_folder() -> Path:
    """Where the migrations are; Misconfigured when they are not installed."""
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("the package `migrations` is not installed", remedy="reinstall longtail")
    return Path(spec.submodule_search_locations[0])


@contextmanager
def fitting(database: Database) -> Iterator[None]:
    """Misconfigured when a statement does not fit the schema, as somebody has changed that by hand."""
    try:
        yield
    except ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Misconfigured(
            f"the schema of the database at {shown_url(database.url)} is not one that Longtail has left ({reason})",
            remedy="undo what was changed by hand, or restore a backup into an empty database",
        ) from error


def schema_in(connection: Connection, where: str) -> Schema:
    """The state of the schema in the database that messages call `where`; use `fitting` around it."""
    database, head = f"the database at {where}", head_revision()
    heads = _heads(connection)
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


def _heads(connection: Connection) -> list[str]:
    """The revisions that Alembic has noted: one, none before the first, several when somebody changed them by hand."""
    if not connection.execute(_IS_VERSIONED).scalar_one():
        return []
    return list(connection.execute(_HEADS).scalars())


def _ahead(connection: Connection, database: str, revision: str) -> Schema:
    """A revision that this version does not know: a newer one made it, and has left its name."""
    migrated_by = connection.execute(_MIGRATED_BY).scalar_one_or_none() or ""
    newer = migrated_by.removeprefix("migrated by ") if migrated_by.startswith("migrated by ") else "a newer longtail"
    return Schema(
        SchemaState.AHEAD,
        revision,
        f"{database} is at schema revision {revision} of {newer}; this is longtail {own_version()}, which is older "
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


def own_version() -> str:
    """The version of Longtail that is installed."""
    return distributions.version("longtail")
