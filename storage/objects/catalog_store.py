"""The object store of a catalog: a directory that is gone is not made again while the catalog has clips in it."""

from __future__ import annotations

from sqlalchemy import select

from storage.database import Database
from storage.objects import ObjectStore, open_store, store_directory
from storage.objects.contract import ATTEMPTS
from storage.settings import Settings
from storage.tables import clips
from triggers.errors import LongtailError


def open_store_of_catalog(settings: Settings, database: Database, *, attempts: int = ATTEMPTS) -> ObjectStore:
    """The store that the settings name (`open_store`), made anew only for a catalog without clips.

    Otherwise a process that starts while a disk is not mounted would store clips below its mount point, where nobody
    finds them once it is mounted again. Such a store is Unreachable until its directory is back. Where the database
    cannot say so, the store is made.
    """
    return open_store(settings, attempts=attempts, create=not _has_lost_its_directory(settings, database))


def _has_lost_its_directory(settings: Settings, database: Database) -> bool:
    directory = store_directory(settings)
    try:
        if directory is None or (directory / "data").is_dir():
            return False
        with database.begin() as connection:
            return connection.execute(select(clips.c.id).limit(1)).first() is not None
    except (OSError, LongtailError):  # opening the store, or the first work with the database, says what is wrong
        return False
