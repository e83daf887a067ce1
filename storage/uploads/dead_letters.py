"""Dead letters: what could not be processed, kept with the reason to be listed, replayed or discarded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from storage.rows import columns_of
from storage.tables import dead_letters, uploads
from triggers.contracts.api.outcomes import MAX_LISTED_LETTERS, LetterStage, LetterState
from triggers.errors import Conflict, InvalidInput, NotFound

MAX_DETAIL_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter without its manifest's bytes; `fires` is how many fires were lost with it."""

    id: int
    stage: str
    reason: str
    detail: str
    vehicle_id: str | None
    upload_id: str | None
    clip_id: str | None
    object_key: str | None
    fires: int
    state: str
    created_at: datetime


_COLUMNS = columns_of(DeadLetter, dead_letters)


def payload_key(upload_id: str) -> str:
    """The key of the object that keeps the cell for which an upload was given up."""
    return f"dead-letters/uploads/{upload_id}"


def record(
    connection: Connection,
    *,
    stage: LetterStage,
    reason: str,
    detail: str,
    vehicle_id: str | None = None,
    upload_id: str | None = None,
    clip_id: str | None = None,
    manifest: bytes | None = None,
    object_key: str | None = None,
    fires: int = 0,
) -> int:
    """Write a dead letter and return its id; an upload, or an object without an upload, has only one.

    `reason` is a stable machine-readable word, `detail` a sentence for people (cut at MAX_DETAIL_CHARACTERS;
    characters that PostgreSQL's text cannot hold are replaced).
    """
    if upload_id is None and object_key is not None:
        existing = _of_object(connection, object_key)
        if existing is not None:
            return existing
    inserted = connection.execute(
        insert(dead_letters)
        .values(
            stage=stage,
            reason=reason,
            detail=_storable(detail),
            vehicle_id=vehicle_id,
            upload_id=upload_id,
            clip_id=clip_id,
            manifest=manifest,
            object_key=object_key,
            fires=fires,
        )
        .on_conflict_do_nothing(index_elements=[dead_letters.c.upload_id])
        .returning(dead_letters.c.id)
    ).scalar_one_or_none()
    if inserted is not None:
        return int(inserted)
    by_upload = select(dead_letters.c.id).where(dead_letters.c.upload_id == upload_id)
    return int(connection.execute(by_upload).scalar_one())


def _of_object(connection: Connection, object_key: str) -> int | None:
    """The dead letter of an object; no other transaction can write one for it until this one ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": object_key})
    letters = connection.execute(select(dead_letters.c.id).where(dead_letters.c.object_key == object_key).limit(1))
    return letters.scalar_one_or_none()


def _storable(detail: str) -> str:
    replaced = detail.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return replaced[:MAX_DETAIL_CHARACTERS]


def listing(
    connection: Connection,
    *,
    state: LetterState | None = "open",
    stage: LetterStage | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[DeadLetter]:
    """Dead letters, the newest first; `before_id` continues after the last one of the page before."""
    if not 1 <= limit <= MAX_LISTED_LETTERS:
        raise InvalidInput(f"limit is {limit}", remedy=f"give 1 to {MAX_LISTED_LETTERS}")
    letters = select(*_COLUMNS).order_by(dead_letters.c.id.desc()).limit(limit)
    if state is not None:
        letters = letters.where(dead_letters.c.state == state)
    if stage is not None:
        letters = letters.where(dead_letters.c.stage == stage)
    if before_id is not None:
        letters = letters.where(dead_letters.c.id < before_id)
    return [DeadLetter(*row) for row in connection.execute(letters)]


def get(connection: Connection, letter_id: int) -> tuple[DeadLetter, bytes | None]:
    """One dead letter and the bytes of its manifest (None: it has none); NotFound when there is no such letter."""
    row = connection.execute(
        select(*_COLUMNS, dead_letters.c.manifest).where(dead_letters.c.id == letter_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no dead letter {letter_id}")
    *values, manifest = row
    return DeadLetter(*values), manifest


def count_open(connection: Connection) -> dict[str, int]:
    """Open dead letters by reason."""
    rows = connection.execute(
        select(dead_letters.c.reason, func.count()).where(dead_letters.c.state == "open").group_by("reason")
    )
    return {row[0]: row[1] for row in rows}


def count_open_rejections(connection: Connection, vehicle_id: str) -> int:
    """How many open dead letters a vehicle has for manifests that the gateway rejected."""
    of_vehicle = (
        dead_letters.c.vehicle_id == vehicle_id,
        dead_letters.c.stage == "gateway",
        dead_letters.c.state == "open",
    )
    return connection.execute(select(func.count()).select_from(dead_letters).where(*of_vehicle)).scalar_one()


def mark_replayed(connection: Connection, clip_id: str) -> bool:
    """Close the letters of a clip's uploads because a later attempt succeeded; False when it has no open letter."""
    of_clip = select(uploads.c.id).where(uploads.c.clip_id == clip_id)
    closed = connection.execute(
        update(dead_letters)
        .where(dead_letters.c.upload_id.in_(of_clip), dead_letters.c.state == "open")
        .values(state="replayed")
    )
    return closed.rowcount > 0


def forget_those_of(connection: Connection, vehicle_id: str) -> list[str | None]:
    """Delete a vehicle's letters, in any state; returns of each the key of its object, for the caller to delete."""
    letters = delete(dead_letters).where(dead_letters.c.vehicle_id == vehicle_id)
    return list(connection.execute(letters.returning(dead_letters.c.object_key)).scalars())


def discard(connection: Connection, letter_id: int) -> str | None:
    """Close an open dead letter and erase its manifest; returns the key of its object, for the caller to delete.

    NotFound when there is no such letter, Conflict when it is no longer open.
    """
    letter, _ = get(connection, letter_id)
    closed = connection.execute(
        update(dead_letters)
        .where(dead_letters.c.id == letter_id, dead_letters.c.state == "open")
        .values(state="discarded", manifest=None, object_key=None)
    )
    if closed.rowcount == 0:
        raise Conflict(f"dead letter {letter_id} is {letter.state}, not open")
    return letter.object_key
