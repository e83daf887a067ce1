"""Notes that people add to clips: short texts, which are never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from storage.clips.marks import texts
from storage.clips.marks.clip_row import lock_clip
from storage.tables import clip_notes, clips, users
from triggers.errors import Conflict, NotFound

MAX_NOTES = 100
"""Notes that one clip may have."""
_c = clip_notes.c


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a clip."""

    id: int
    text: str
    by: str
    created_at: datetime
    user_id: int


_COLUMNS = (_c.id, _c.text, users.c.name, _c.created_at, _c.user_id)
_NOTES = select(*_COLUMNS).join(users, users.c.id == _c.user_id)


def add(connection: Connection, clip_id: str, text: str, *, user_id: int) -> tuple[Note, bool]:
    """Add a note; with the same text of the same user twice, the first is returned, and False.

    So a request whose answer was lost can be sent again. Conflict when the clip has MAX_NOTES already.
    """
    lock_clip(connection, clip_id, clips.c.id)
    same = _NOTES.where(_c.clip_id == clip_id, _c.user_id == user_id, _c.text == text)
    known = connection.execute(same).first()
    if known is not None:
        return Note(*known), False
    if connection.execute(select(func.count()).where(_c.clip_id == clip_id)).scalar_one() >= MAX_NOTES:
        raise Conflict(f"clip {clip_id} has {MAX_NOTES} notes already", remedy="remove one that is not needed any more")
    added = insert(clip_notes).values(clip_id=clip_id, user_id=user_id, text=text).returning(_c.id)
    note_id = connection.execute(added).scalar_one()
    texts.write(connection, [clip_id])
    return Note(*connection.execute(_NOTES.where(_c.id == note_id)).one()), True


def find(connection: Connection, clip_id: str, note_id: int) -> Note:
    """A note of a clip, with the clip locked; NotFound when there is none."""
    lock_clip(connection, clip_id, clips.c.id)
    row = connection.execute(_NOTES.where(_c.clip_id == clip_id, _c.id == note_id)).one_or_none()
    if row is None:
        raise NotFound(f"clip {clip_id} has no note {note_id}", remedy="`longtail clips get` shows its notes")
    return Note(*row)


def remove(connection: Connection, clip_id: str, note: Note) -> None:
    """Remove a note of a clip."""
    connection.execute(delete(clip_notes).where(_c.id == note.id))
    texts.write(connection, [clip_id])


def of_clip(connection: Connection, clip_id: str) -> tuple[Note, ...]:
    """The notes of a clip, oldest first."""
    rows = connection.execute(_NOTES.where(_c.clip_id == clip_id).order_by(_c.id))
    return tuple(Note(*row) for row in rows)
