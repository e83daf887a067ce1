"""Erases what is due: clips whose time is over, vehicles whose erasure was requested, and then their objects.

Every step may be done by several workers at once, and again after a crash: rows and the list of objects to delete
change in one transaction, and an object is deleted before it is taken off the list.
"""

from __future__ import annotations

import logging

from storage.database import Database
from storage.erasure import clips, objects, vehicles
from storage.erasure.clips import ErasedSum
from storage.erasure.objects import ObjectDeletion
from storage.objects import ObjectStore
from triggers.errors import Misconfigured

LOGGER = logging.getLogger(__name__)


def expire_clips(database: Database) -> bool:
    """Erase a batch of clips that have expired; whether there may be more."""
    with database.begin() as connection:
        return _told(clips.expire(connection), "expired")


def erase_vehicles(database: Database) -> bool:
    """Do a batch of the erasure of one vehicle; whether there may be more."""
    with database.begin() as connection:
        progress = vehicles.go_on(connection)
    if progress is None:
        return False
    if progress.finished:
        LOGGER.info("a vehicle is erased: nothing of it is left but counts")
    _told(progress.erased, "erased with their vehicle")
    return True


def delete_objects(database: Database, store: ObjectStore) -> bool:
    """Delete a batch of the objects of what was erased or replaced; whether there may be more.

    One that the store refuses to delete, such as one under a hold, waits on the list, where it holds no other up.
    Misconfigured when the store refuses all of them, and would refuse any other, too.
    """
    with database.begin() as connection:
        due = objects.due(connection)
    deleted: list[ObjectDeletion] = []
    refused: list[ObjectDeletion] = []
    for deletion in due:
        (deleted if _delete(store, deletion) else refused).append(deletion)
    if refused and not deleted:
        store.check()  # which raises unless it is about these objects alone
    with database.begin() as connection:
        objects.forget(connection, deleted)
        objects.postpone(connection, refused)
    if deleted:
        LOGGER.info("%d objects deleted that nothing names any more", len(deleted))
    return bool(due)


def _delete(store: ObjectStore, deletion: ObjectDeletion) -> bool:
    """Delete an object, or all with a prefix; False when the store refused one of them."""
    if not deletion.is_prefix:
        return _delete_one(store, deletion.key)
    done, after = True, ""
    while found := store.list(deletion.key, after=after):
        for info in found:
            done &= _delete_one(store, info.key)
        after = found[-1].key
    return done


def _delete_one(store: ObjectStore, key: str) -> bool:
    try:
        store.delete(key)
    except Misconfigured as error:
        LOGGER.warning("the object %s of what was erased is not deleted: %s", key, error)
        return False
    return True


def _told(erased: ErasedSum, how: str) -> bool:
    if erased.clips:
        LOGGER.info("%d clips of %d bytes %s", erased.clips, erased.size_bytes, how)
    return erased.clips > 0
