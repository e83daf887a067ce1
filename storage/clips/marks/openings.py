"""Which clips somebody has opened, and which anybody has used at all: opened, labelled, or put into a dataset."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, Table, exists, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from storage.rows import is_among
from storage.tables import clip_openings, clips, dataset_members, labels

USES: tuple[Table, ...] = (clip_openings, labels, dataset_members)
"""A clip that one of these tables has was used."""


def is_noted(connection: Connection, clip_id: str) -> bool:
    """Whether somebody has opened a clip before."""
    noted = select(clip_openings.c.clip_id).where(clip_openings.c.clip_id == clip_id)
    return connection.execute(noted).one_or_none() is not None


def note(connection: Connection, clip_id: str) -> None:
    """Note that somebody opens a clip; nothing for one that is noted, or has been erased meanwhile.

    The clip's row is locked against its erasure first: an erasure that has it would otherwise make this fail.
    """
    locked = select(clips.c.id).where(clips.c.id == clip_id).with_for_update(read=True, key_share=True)
    if connection.execute(locked).one_or_none() is not None:
        connection.execute(insert(clip_openings).values(clip_id=clip_id).on_conflict_do_nothing())


def is_used() -> ColumnElement[bool]:
    """Whether anybody has used the clip of a row of `clips`; correlated to that row."""
    return or_(*(exists(select(literal(1)).where(table.c.clip_id == clips.c.id).correlate(clips)) for table in USES))


def used_among(connection: Connection, clip_ids: Collection[str]) -> set[str]:
    """Which of these clips anybody has used."""
    return set(connection.execute(select(clips.c.id).where(is_among(clips.c.id, clip_ids), is_used())).scalars())
