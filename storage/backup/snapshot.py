"""Writes the rows of all tables to files, as they were at one moment, while the deployment goes on.

The files are PostgreSQL's own text form of COPY, compressed with zstd: any server that Longtail works with can read
them, whatever its version, and so can `zstd -dc FILE | psql -c '\\copy TABLE from stdin'`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import zstandard
from sqlalchemy import Connection, select, text

from storage.backup.tables import columns_sql, saved_tables
from storage.database import Database
from storage.diagnosis.schema import head_revision, require_current
from storage.tables import campaign_versions

NAMED_OBJECTS = "objects"
_CHUNK_BYTES = 1024**2
# A clip's digest lets its object be checked without its manifest; other objects have only a size, or not even that.
_OBJECTS_SQL = """
    SELECT object_key, size_bytes, digest FROM clips
    UNION ALL SELECT object_key, size_bytes, '' FROM clip_assets
    UNION ALL SELECT object_key, NULL, '' FROM dead_letters WHERE object_key IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class SavedTable:
    """A table's file, with what a reader must find in it. `columns` are those of the file, in order."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SavedDatabase:
    """The rows of a database at one moment, and the list of objects that they name."""

    revision: str
    taken_at: datetime
    tables: tuple[SavedTable, ...]


def save(database: Database, folder: Path) -> SavedDatabase:
    """Write every table's rows, and the list of objects, to files in the empty `folder`, from one snapshot.

    Misconfigured unless the schema is the one of this version.
    """
    require_current(database)
    with database.begin() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        taken_at = connection.execute(text("SELECT now()")).scalar_one()
        tables = []
        for table in saved_tables():
            columns = [column.name for column in table.columns if column.computed is None]
            question = f'SELECT {columns_sql(columns)} FROM "{table.name}"'  # noqa: S608 - names from the code
            tables.append(_write(connection, question, folder, table.name, columns))
        objects = _write(connection, _OBJECTS_SQL, folder, NAMED_OBJECTS, ["object_key", "size_bytes", "digest"])
    return SavedDatabase(head_revision(), taken_at, (*tables, objects))


def origin_of(database: Database) -> str:
    """What tells a deployment from all others, before and after a restore: its first campaign version and when it was
    made, as versions are never deleted. Empty without one; such a deployment has no clips either.

    Misconfigured unless the schema is the one of this version.
    """
    require_current(database)
    made_at = campaign_versions.c.created_at
    question = select(campaign_versions.c.campaign, campaign_versions.c.version, made_at)
    with database.begin() as connection:
        first = connection.execute(
            question.order_by(made_at, campaign_versions.c.campaign, campaign_versions.c.version).limit(1)
        ).first()
    return "" if first is None else f"{first.campaign} {first.version} {first.created_at.astimezone(UTC).isoformat()}"


def file_of(folder: Path, name: str) -> Path:
    """Where the rows of a table are."""
    return folder / f"{name}.copy.zst"


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(connection: Connection, question: str, folder: Path, name: str, columns: list[str]) -> SavedTable:
    path = file_of(folder, name)
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - the connection is open
    with (
        path.open("xb") as file,
        zstandard.ZstdCompressor(level=6).stream_writer(file) as compressed,
        driver.cursor() as cursor,
    ):
        with cursor.copy(f"COPY ({question}) TO STDOUT") as rows:
            for block in rows:
                compressed.write(block)
        count = cursor.rowcount
    return SavedTable(name, tuple(columns), count, sha256_of(path))
