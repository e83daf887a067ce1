"""Vectors of clips: written once per clip and embedding, written again when they change."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from storage.erasure.clips import require
from storage.likeness.embeddings import Embedding
from storage.rows import is_among
from storage.tables import clip_vectors, clips
from triggers.errors import NotFound

_c = clip_vectors.c


def put(connection: Connection, clip_id: str, embedding: Embedding, vector: Sequence[float]) -> bool:
    """Write a clip's vector of an embedding, or another one in its place; returns whether that changed anything.

    NotFound or Erased when there is no such clip.
    """
    clip = select(clips.c.id).where(clips.c.id == clip_id).with_for_update(read=True, key_share=True)
    if connection.execute(clip).one_or_none() is None:
        require(connection, clip_id)
    written = insert(clip_vectors).values(clip_id=clip_id, embedding=embedding.number, vector=tuple(vector))
    changed = connection.execute(
        written.on_conflict_do_update(
            index_elements=[_c.clip_id, _c.embedding],
            set_={"vector": written.excluded.vector},
            where=_c.vector != written.excluded.vector,
        ).returning(_c.clip_id)
    )
    return changed.one_or_none() is not None


def known(connection: Connection, clip_ids: Collection[str], embedding: Embedding) -> dict[str, tuple[float, ...]]:
    """The vectors of those of these clips that have one, by clip."""
    rows = connection.execute(
        select(_c.clip_id, _c.vector).where(is_among(_c.clip_id, clip_ids), _c.embedding == embedding.number)
    )
    return {row.clip_id: row.vector for row in rows}


def of_clips(connection: Connection, clip_ids: Sequence[str], embedding: Embedding) -> list[tuple[float, ...]]:
    """The vectors of clips, in the order of their ids; NotFound for a clip without one, Erased for an erased one."""
    found = known(connection, clip_ids, embedding)
    for clip_id in clip_ids:
        if clip_id not in found:
            require(connection, clip_id)
            raise NotFound(
                f"clip {clip_id} has no vector of {embedding.id}",
                remedy="it gets one after its extraction, if it has signals around its fire; others are written "
                "through the API",
            )
    return [found[clip_id] for clip_id in clip_ids]
