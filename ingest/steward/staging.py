"""Cleaning of the staging area: removes parked cells and staging objects that no open upload needs any more.

Keys are listed before states are read, and a closed upload never reopens, so its objects are orphans.
An object of an open upload is left alone, with or without its row: a worker may be about to write the row.
"""

from __future__ import annotations

from storage.database import Database
from storage.objects.contract import ObjectStore
from storage.uploads import parking

PAGE = 500


def clean_staging(database: Database, store: ObjectStore, *, after: str = "") -> tuple[int, str]:
    """Clean one page of staging objects after the key `after`.

    Returns how many objects were removed, and the key to continue after ("" at the end: start over).
    """
    with database.begin() as connection:
        keys = [
            key for upload_id in parking.closed_uploads(connection) for key in parking.forget(connection, upload_id)
        ]
    page = [info.key for info in store.list(parking.STAGING_PREFIX, after=after, limit=PAGE)]
    with database.begin() as connection:
        needed = parking.open_uploads(connection, sorted({parking.upload_of(key) for key in page}))
    orphans = {key for key in page if parking.upload_of(key) not in needed}.union(keys)
    for key in orphans:
        store.delete(key)
    return len(orphans), page[-1] if len(page) == PAGE else ""
