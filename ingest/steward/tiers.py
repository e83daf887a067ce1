"""Moves recordings to the storage class of their age, a few in each round, one transaction for each.

Whatever is killed in between, a recording is moved or not: the copy is made first, noted second, and made again does no
harm.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from storage.database import Database
from storage.objects import ObjectStore
from storage.objects.contract import ObjectNotFound, ObjectTiers, ObjectUnreadable
from storage.tiers import moves
from storage.tiers.moves import Due
from storage.tiers.rules import Tier
from triggers.errors import Misconfigured

LOGGER = logging.getLogger(__name__)


def move_recordings(
    database: Database, store: ObjectStore, tiers: Sequence[Tier], *, after: Due | None = None
) -> Due | None:
    """Move a batch of recordings that are old enough, and come after `after`; returns the last one, None at the end.

    One that the store refuses to move, such as one that a rule of the bucket has archived, holds no other up: it is
    passed over until the next time through. Misconfigured when the store refuses all, or has no storage classes.
    """
    if not tiers:
        return None
    if (classes := store.tiers) is None:
        raise Misconfigured(
            "LONGTAIL_OBJECT_TIERS is set, but objects are in a directory, which has no storage classes",
            remedy="unset it, or keep objects in a bucket: LONGTAIL_OBJECTS_URL=s3://BUCKET/PREFIX",
        )
    with database.begin() as connection:
        batch = moves.due(connection, tiers, limit=moves.BATCH, after=after)
    moved, refusal = 0, None
    for due in batch:
        try:
            moved += _move(database, classes, tiers, due.clip_id)
        except (Misconfigured, ObjectUnreadable) as error:
            LOGGER.warning("the recording of clip %s is not moved: %s", due.clip_id, error)
            refusal = error
    if isinstance(refusal, Misconfigured) and not moved:
        raise refusal
    if moved:
        LOGGER.info("%d recordings moved to another storage class", moved)
    return batch[-1] if len(batch) == moves.BATCH else None


def _move(database: Database, classes: ObjectTiers, tiers: Sequence[Tier], clip_id: str) -> bool:
    """Move one recording; False if another worker has it, or it is gone."""
    with database.begin() as connection:
        move = moves.lock(connection, tiers, clip_id)
        if move is None:
            return False
        try:
            classes.move(move.object_key, move.storage_class)
        except ObjectNotFound:  # its clip stays, and the doctor tells; without the note it would be tried for ever
            LOGGER.warning("the recording of clip %s is missing, and was not moved", clip_id)
        moves.note(connection, move)
        return True
