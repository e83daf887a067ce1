"""Reads the rows of a backup into an empty database, and settles what the time since the backup has made untrue.

Everything is one transaction: a restore that is cut off leaves the database empty.

1. bring the schema to the backup's revision, read all rows, bring the schema to this version's revision
2. numbers that vehicles and labelers have seen since the backup are not given again: the assignment revision jumps, and
   so do campaign versions and ids
3. uploads that were open are closed, and vehicles begin them again; uploads whose bytes had all arrived are failed,
   since their cells were in the log, which a backup does not have
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import zstandard
from alembic import command
from sqlalchemy import Connection, func, select, text, update

from storage import audit, ledger
from storage.backup.restored import move_on
from storage.backup.snapshot import NAMED_OBJECTS, SavedDatabase, SavedTable, file_of, sha256_of
from storage.backup.tables import columns_sql
from storage.clips import writer
from storage.database import Database
from storage.diagnosis.schema import SchemaState, known_revisions, schema_of
from storage.erasure import clips as erased_clips
from storage.likeness import embeddings
from storage.migrate import MIGRATION_LOCK, alembic_config
from storage.tables import clips, dead_letters, restores, uploads
from storage.tables.erasure import ErasureCause
from storage.tables.uploads import UploadState
from triggers.errors import Conflict, InvalidInput, Misconfigured, Untrusted

RESTORED = "restored"
"""The reason of uploads that a restore has closed."""
_CHUNK_BYTES = 1024**2
_BATCH = 500


def check_files(folder: Path, saved: SavedDatabase) -> None:
    """Untrusted unless every file is there and as it was written."""
    for table in saved.tables:
        path = file_of(folder, table.name)
        if not path.is_file():
            raise Untrusted(f"the backup lacks {path}", remedy="use another backup, or make this one again")
        if sha256_of(path) != table.sha256:
            raise Untrusted(f"{path} was changed after it was written", remedy="use another backup")


def require_known(saved: SavedDatabase) -> None:
    """Misconfigured when the backup is a newer version's."""
    if saved.revision not in known_revisions():
        raise Misconfigured(
            f"the backup has schema revision {saved.revision}, which is newer than this version of Longtail",
            remedy="install the version that made the backup, or a newer one",
        )


def load(database: Database, folder: Path, saved: SavedDatabase, *, backup_id: str, erased: Sequence[str] = ()) -> None:
    """Fill the empty database with the rows of a backup; see above. Conflict unless it is empty.

    `erased` are keys of objects that were erased while the backup was made; their clips are erased here, too, and dead
    letters name them no more.

    Misconfigured when the backup is a newer version's, Untrusted when its files do not hold what they should.
    """
    require_known(saved)
    check_files(folder, saved)
    require_empty(database)
    config = alembic_config()
    with database.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, saved.revision)
        connection.execute(text("DELETE FROM assignment_revision"))  # the founding migration writes its row
        for table in saved.tables:
            if table.name != NAMED_OBJECTS:
                _read(connection, file_of(folder, table.name), table)
        command.upgrade(config, "head")
        move_on(connection, backup_id=backup_id, backup_at=saved.taken_at)
        embeddings.index_all(connection)
        _close_uploads(connection)
        connection.execute(update(dead_letters).where(dead_letters.c.object_key.in_(erased)).values(object_key=None))
        gone = connection.execute(select(clips.c.id).where(clips.c.object_key.in_(erased))).scalars().all()
        erased_clips.erase(connection, gone, ErasureCause.ERASED, reason="erased while the backup was made")
        taken = {"backup_at": saved.taken_at.isoformat(), "schema": saved.revision}
        audit.record(connection, audit.at_the_machine(), "deployment.restore", "backup", backup_id, after=taken)


def restored_from(database: Database, backup_id: str) -> bool:
    """Whether the database was filled from this backup, completely."""
    if schema_of(database).state is not SchemaState.CURRENT:
        return False
    with database.begin() as connection:
        found = connection.execute(select(restores.c.id).where(restores.c.backup_id == backup_id))
        return found.first() is not None


def require_empty(database: Database) -> None:
    """Conflict unless nothing is in the database."""
    schema = schema_of(database)
    if schema.state is not SchemaState.EMPTY:
        raise Conflict(
            f"a backup is restored into an empty database only: {schema.message}",
            remedy="choose another data directory (--data) or an empty database (LONGTAIL_DATABASE_URL)",
        )


def _read(connection: Connection, path: Path, table: SavedTable) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - the connection is open
    with driver.cursor() as cursor:
        with cursor.copy(f'COPY "{table.name}" ({columns_sql(list(table.columns))}) FROM STDIN') as rows:
            for block in _blocks(path):
                rows.write(block)
        if cursor.rowcount != table.rows:
            raise Untrusted(f"{path} holds {cursor.rowcount} rows, {table.rows} were written")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from zstandard.ZstdDecompressor().read_to_iter(file, write_size=_CHUNK_BYTES)


def _close_uploads(connection: Connection) -> None:
    closed = connection.execute(
        update(uploads)
        .where(uploads.c.state == UploadState.OPEN)
        .values(state=UploadState.EXPIRED, reason=RESTORED, closed_at=func.now())
        .returning(uploads.c.id)
    )
    expired = list(closed.scalars())
    for start in range(0, len(expired), _BATCH):
        ledger.release(connection, *expired[start : start + _BATCH])
    received = connection.execute(select(uploads.c.id).where(uploads.c.state == UploadState.RECEIVED)).scalars().all()
    detail = "its cells were in the log when the backup was made, which does not have them"
    for upload_id in received:
        try:
            upload = writer.find_upload(connection, upload_id)
        except InvalidInput:
            writer.fail_unread(connection, upload_id, reason=RESTORED, detail=detail)
        else:
            assert upload is not None  # noqa: S101 - its row was read above
            writer.fail_upload(connection, upload, reason=RESTORED, detail=detail)
