"""Clips with vectors, as the likeness stage and the API write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, update

from storage.likeness import embeddings, vectors
from storage.tables import clips
from tests.storage.clips.catalog_support import add_clip

EMBEDDING = "test-1"


def add_vector(connection: Connection, clip_id: str, vector: Sequence[float], embedding_id: str = EMBEDDING) -> None:
    embedding, _ = embeddings.begin(connection, embedding_id, len(vector))
    vectors.put(connection, clip_id, embedding, vector)


def clip_with(connection: Connection, vector: Sequence[float], **values: Any) -> str:
    """A ready clip with this vector."""
    clip_id = add_clip(connection, **values)
    connection.execute(update(clips).where(clips.c.id == clip_id).values(state="ready"))
    add_vector(connection, clip_id, vector)
    return clip_id
