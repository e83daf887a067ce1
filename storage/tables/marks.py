"""Tables of tags and notes that people add to clips, of clips that somebody opened, and of the words of clips."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import TSVECTOR

from storage.tables.base import created_at, metadata

clip_tags = Table(
    "clip_tags",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("of_a_trigger", Boolean, nullable=False),
    created_at("added_at"),
)
"""Tags that people have added, each with who and when. `clips.tags` has them too, beside those of triggers, as filters
do not tell them apart; `of_a_trigger` says that a tag stays there when the person's is removed."""

clip_notes = Table(
    "clip_notes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("clip_id", Text, ForeignKey("clips.id"), nullable=False),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("text", Text, nullable=False),
    created_at(),
    Index("ix_clip_notes_clip_id", "clip_id"),
)
"""Notes of people, which are never changed: one that was wrong is removed."""

clip_openings = Table(
    "clip_openings",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    created_at("opened_at"),
)
"""Clips of which somebody has asked for the details, with the links to their files; and when first."""

clip_texts = Table(
    "clip_texts",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    Column("words", TSVECTOR, nullable=False),
    Index("ix_clip_texts_words", "words", postgresql_using="gin"),
)
"""The words of each clip (storage/clips/marks/texts.py). Apart from `clips`, so that a note writes one index."""
