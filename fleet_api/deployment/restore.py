"""Restores a backup into an empty deployment: keys and objects, then the database in one transaction.

A restore that was cut off is continued by the same command: objects that are there with the right bytes are kept, and
the database is either empty or complete. What the time since the backup has made untrue is settled with the rows, see
`storage.backup.load`; what a restore means for vehicles and people is in docs/operations.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from fleet_api.deployment.backup import Backup, index_of, nobody_writes, read_backup, store_of
from fleet_api.deployment.backup_keys import restore_keys
from storage import audit
from storage.backup.index import ObjectSums
from storage.backup.load import check_files, load, require_empty, require_known, restored_from
from storage.backup.objects import Copied, restore_objects, wanted_objects
from storage.backup.restored import Moved, move_on
from storage.database import Database
from storage.diagnosis.schema import require_current
from storage.embedded import EmbeddedPostgres, running_url
from storage.objects import open_store
from storage.roles.rights import DatabaseRole
from storage.settings import Settings
from triggers.errors import Conflict

Progress = Callable[[str], None]


def restore_backup(settings: Settings, folder: Path, progress: Progress) -> tuple[Backup, Copied]:
    """Restore the backup in `folder` to the empty deployment of `settings`, which must not run.

    Nothing is written to `folder`, which may be on a medium that is mounted for reading; where it is not, what a run
    that was killed left in the index of objects is settled.

    Objects that the backup lacks, or has with other bytes, are named in what this returns; all else is restored.

    Conflict when the deployment has a database or another signing key already, or runs, or a run writes the backup;
    Untrusted when rows or keys of the backup are missing or not as they were written.
    """
    with nobody_writes(folder):
        return _restore(settings, folder, read_backup(folder), progress)


def _restore(settings: Settings, folder: Path, backup: Backup, progress: Progress) -> tuple[Backup, Copied]:
    rows = folder / backup.database_folder
    require_known(backup.database)
    check_files(rows, backup.database)
    with database_to_fill(settings, progress) as database:
        if restored_from(database, backup.id):
            progress("database: restored from this backup already")
        else:
            require_empty(database)  # before anything is written among what belongs to another deployment
        restore_keys(settings, folder / backup.keys_folder, backup.key)
        left_out = {*backup.erased, *backup.damaged}
        wanted = (each for each in wanted_objects(rows) if each.key not in left_out)
        with closing(ObjectSums(index_of(folder), progress)) as sums:
            store = store_of(folder, create=False)
            done = restore_objects(store, open_store(settings), wanted, sums, total=backup.objects, progress=progress)
        if not restored_from(database, backup.id):
            load(database, rows, backup.database, backup_id=backup.id, erased=backup.erased)
            progress(f"database: {sum(table.rows for table in backup.database.tables)} rows, all counted")
    return backup, done


def move_on_after_restore(settings: Settings) -> Moved:
    """Leave behind every number that may have been given before the database was restored, by whatever means."""
    database = Database(settings.require_database_url(), pool_size=1)
    try:
        require_current(database)
        with database.begin() as connection:
            now = datetime.now(UTC)
            restored = f"restored-{now:%Y%m%dT%H%M%S.%f}"
            moved = move_on(connection, backup_id=restored, backup_at=now)
            audit.record(
                connection, audit.at_the_machine(), "deployment.restored", "backup", restored, after=asdict(moved)
            )
            return moved
    finally:
        database.close()


@contextmanager
def database_to_fill(settings: Settings, progress: Progress) -> Iterator[Database]:
    """The database that the settings name, else the embedded one of the data directory, started for this."""
    with _url(settings, progress) as url:
        database = Database(url, pool_size=2)
        try:
            database.check_server()
            yield database
        finally:
            database.close()


@contextmanager
def _url(settings: Settings, progress: Progress) -> Iterator[str]:
    if settings.database_url:
        yield settings.database_url
        return
    folder = settings.require_data_dir() / "postgres"
    if running_url(folder) is not None:
        raise Conflict(
            f"a deployment runs in {settings.data_dir}",
            remedy="restore into another data directory (--data); never beneath a running deployment",
        )
    server = EmbeddedPostgres(folder)
    server.start(progress)
    try:
        yield server.url_as(DatabaseRole.OWNER)
    finally:
        server.stop()
