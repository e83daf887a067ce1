"""The row of a clip that people mark: locked first, so that two of them do not undo what the other does."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, select

from storage.erasure.clips import no_clip, require
from storage.tables import clips

T = TypeVar("T")


def lock_clip(connection: Connection, clip_id: str, column: ColumnElement[T]) -> T:
    """Lock a clip until the transaction ends; returns a column. NotFound, or Erased, when it is not in the catalog."""
    locked = select(column).where(clips.c.id == clip_id).with_for_update(key_share=True)
    row = connection.execute(locked).one_or_none()
    if row is None:
        require(connection, clip_id)
        raise no_clip(clip_id)
    value: T = row[0]
    return value
