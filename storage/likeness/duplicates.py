"""Near duplicates: a clip that is almost the same as an earlier one is marked, and nothing is deleted.

Almost the same: a trigger of the same name fired in both, at most 7 days and about a kilometre apart, and the distance
of their vectors is below a threshold. Only clips that are no duplicates themselves have any, so that marks lead to the
original in one step.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, text, update

from storage.likeness.embeddings import Embedding
from storage.tables import clips, label_jobs
from storage.tables.likeness import vector_text
from triggers.times import NS_PER_S

WITHIN_NS = 7 * 86_400 * NS_PER_S
WITHIN_DEGREES = 1000 / 111_320
"""A kilometre of latitude; that of longitude is longer in degrees by the cosine of the latitude."""
_LOCK = 0x6C696B65  # "like": the clips of one latitude are decided one after the other, so that two do not both stay

_DECIDE = text("SELECT pg_advisory_xact_lock(:lock, floor(:latitude)::integer)")
_NEAREST = """
    WITH this AS (
        SELECT id, recorded_ns, stored_at, (min_latitude + max_latitude) / 2 AS latitude,
            (min_longitude + max_longitude) / 2 AS longitude
        FROM clips WHERE id = :clip
    )
    SELECT c.id FROM this, clips c JOIN clip_vectors v ON v.clip_id = c.id AND v.embedding = :embedding
    WHERE (c.min_latitude + c.max_latitude) / 2 BETWEEN this.latitude - :degrees AND this.latitude + :degrees
        AND abs((c.min_longitude + c.max_longitude) / 2 - this.longitude) * cosd(this.latitude) <= :degrees
        AND c.recorded_ns BETWEEN this.recorded_ns - :within_ns AND this.recorded_ns + :within_ns
        AND (c.stored_at, c.id) < (this.stored_at, this.id)
        AND c.min_longitude <= c.max_longitude AND c.duplicate_of IS NULL
        AND EXISTS (
            SELECT FROM clip_fires a, clip_fires b
            WHERE a.clip_id = c.id AND b.clip_id = this.id AND a.trigger = b.trigger
        )
        AND (v.vector::vector({dimensions}) <=> CAST(:vector AS vector)) + 0 < :distance
    ORDER BY (v.vector::vector({dimensions}) <=> CAST(:vector AS vector)) + 0, c.id LIMIT 1
"""


def mark(
    connection: Connection, clip_id: str, embedding: Embedding, vector: Sequence[float], *, distance: float
) -> str | None:
    """Decide anew whether a clip is a duplicate; returns of which one. At a `distance` of 0 nothing is one.

    A clip without a position is none, nor is one that others are duplicates of.
    """
    original = _original(connection, clip_id, embedding, vector, distance) if distance > 0 else None
    if original is not None:
        alive = select(clips.c.id).where(clips.c.id == original).with_for_update(read=True, key_share=True)
        original = connection.execute(alive).scalar_one_or_none()  # it may be erased meanwhile
    is_duplicate = original is not None
    jobs = update(label_jobs).where(label_jobs.c.clip_id == clip_id, label_jobs.c.is_duplicate != is_duplicate)
    connection.execute(jobs.values(is_duplicate=is_duplicate))
    changed = update(clips).where(clips.c.id == clip_id, clips.c.duplicate_of.is_distinct_from(original))
    connection.execute(changed.values(duplicate_of=original))
    return original


def _original(
    connection: Connection, clip_id: str, embedding: Embedding, vector: Sequence[float], distance: float
) -> str | None:
    c = clips.c
    box = select(c.min_latitude, c.max_latitude, c.min_longitude, c.max_longitude).where(c.id == clip_id)
    row = connection.execute(box).one_or_none()
    if row is None or row.min_latitude is None or row.min_longitude > row.max_longitude:
        return None
    latitude = (row.min_latitude + row.max_latitude) / 2
    connection.execute(_DECIDE, {"lock": _LOCK, "latitude": latitude})
    if connection.execute(select(c.id).where(c.duplicate_of == clip_id).limit(1)).first() is not None:
        return None
    asked = {
        "clip": clip_id,
        "embedding": embedding.number,
        "vector": vector_text(vector),
        "degrees": WITHIN_DEGREES,
        "within_ns": WITHIN_NS,
        "distance": distance,
    }
    nearest = text(_NEAREST.format(dimensions=embedding.dimensions))
    return connection.execute(nearest, asked).scalar_one_or_none()


def release(connection: Connection, clip_ids: Sequence[str]) -> int:
    """Before these clips are erased: their duplicates are duplicates no more, and can be labeled. Returns how many."""
    others = clips.c.duplicate_of.in_(clip_ids) & clips.c.id.not_in(clip_ids)
    theirs = select(clips.c.id).where(others)
    connection.execute(update(label_jobs).where(label_jobs.c.clip_id.in_(theirs)).values(is_duplicate=False))
    return connection.execute(update(clips).where(others).values(duplicate_of=None)).rowcount
