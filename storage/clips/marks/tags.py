"""Tags that people add to clips.

`clips.tags` has the tags of triggers and of people, so that filters find both; the table `clip_tags` says which of them
people have added, who and when. Every change locks the clip's row first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, Connection, Text, delete, func, insert, literal, select, update

from storage.clips.marks import texts
from storage.clips.marks.clip_row import lock_clip
from storage.clips.properties import known_values, terms
from storage.tables import clip_tags, clips, users
from triggers.clips.clock import IMPLAUSIBLE
from triggers.errors import Conflict, InvalidInput, NotFound

MAX_ADDED = 100
"""Tags that people may have added to one clip."""
_c = clip_tags.c


@dataclass(frozen=True, slots=True)
class AddedTag:
    """A tag that a person has added to a clip."""

    tag: str
    by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ClipTags:
    """The tags of a clip: all of them, and those that people have added."""

    tags: tuple[str, ...]
    added: tuple[AddedTag, ...]


def add(connection: Connection, clip_id: str, tags: Collection[str], *, user_id: int) -> list[str]:
    """Add tags to a clip; returns those that nobody had added before.

    InvalidInput for a tag that is not for people, Conflict when a clip would have more than MAX_ADDED of them.
    """
    if IMPLAUSIBLE in tags:  # `recorded` would change with it
        raise InvalidInput(
            f"the tag {IMPLAUSIBLE!r} is set by Longtail alone: it says that a clip's times cannot be right",
            remedy="choose another tag",
        )
    present = set(lock_clip(connection, clip_id, clips.c.tags))
    known = set(connection.execute(select(_c.tag).where(_c.clip_id == clip_id)).scalars())
    new = sorted(set(tags) - known)
    if len(known) + len(new) > MAX_ADDED:
        raise Conflict(
            f"people have added {len(known)} tags to clip {clip_id}; with {len(new)} more it would have more than"
            f" {MAX_ADDED}",
            remedy="remove some, or write a note",
        )
    if new:
        rows = [{"clip_id": clip_id, "tag": tag, "user_id": user_id, "of_a_trigger": tag in present} for tag in new]
        connection.execute(insert(clip_tags), rows)
        _set_tags(connection, clip_id, sorted(present | set(new)))
    return new


def remove(connection: Connection, clip_id: str, tag: str) -> None:
    """Remove a tag that a person has added; it stays on the clip if a trigger has it, too.

    NotFound when the clip does not have it, Conflict when only a trigger has it.
    """
    present = lock_clip(connection, clip_id, clips.c.tags)
    removed = delete(clip_tags).where(_c.clip_id == clip_id, _c.tag == tag).returning(_c.of_a_trigger)
    of_a_trigger = connection.execute(removed).scalar_one_or_none()
    if of_a_trigger is None:
        if tag in present:
            raise Conflict(
                f"nobody has added the tag {tag[:100]!r} to clip {clip_id}: a trigger that fired has it",
                remedy="tags of triggers stay; change them in the campaign for later clips",
            )
        raise NotFound(f"clip {clip_id} does not have the tag {tag[:100]!r}", remedy="`longtail clips get` shows all")
    if not of_a_trigger:
        _set_tags(connection, clip_id, [each for each in present if each != tag])


def added_to(connection: Connection, clip_id: str) -> tuple[AddedTag, ...]:
    """The tags that people have added to a clip, sorted."""
    rows = connection.execute(
        select(_c.tag, users.c.name, _c.added_at)
        .join(users, users.c.id == _c.user_id)
        .where(_c.clip_id == clip_id)
        .order_by(_c.tag)
    )
    return tuple(AddedTag(*row) for row in rows)


def of_clip(connection: Connection, clip_id: str) -> ClipTags:
    """All tags of a clip that exists."""
    tags = connection.execute(select(clips.c.tags).where(clips.c.id == clip_id)).scalar_one()
    return ClipTags(tuple(tags), added_to(connection, clip_id))


def _set_tags(connection: Connection, clip_id: str, tags: Sequence[str]) -> None:
    values = func.coalesce(literal(list(tags), ARRAY(Text)), literal([], ARRAY(Text)))
    connection.execute(update(clips).where(clips.c.id == clip_id).values(tags=values))
    terms.note(connection, [clip_id])  # or a search that walks by time would not look where this clip is
    known_values.note(connection, [clip_id])
    texts.write(connection, [clip_id])
