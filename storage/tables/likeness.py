"""Tables of likeness: embeddings, the vectors of clips in them, and the jobs that write our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

from storage.tables.base import created_at, is_one_of, metadata
from storage.tables.clips import job_columns
from triggers.contracts.api.labels import OPEN_JOBS, JobState


class Vector(UserDefinedType[tuple[float, ...]]):
    """pgvector's `vector`: finite numbers of single precision, as many as a row has."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in SQL."""
        return "vector"

    def bind_processor(self, _dialect: Any) -> Callable[[Any], str | None]:
        """Numbers as pgvector reads them."""
        return lambda value: None if value is None else vector_text(value)

    def result_processor(self, _dialect: Any, _coltype: Any) -> Callable[[Any], tuple[float, ...] | None]:
        """Numbers from the text that pgvector writes."""
        return lambda value: None if value is None else tuple(float(part) for part in value[1:-1].split(","))


def vector_text(numbers: Any) -> str:
    """A vector as text, in pgvector's form; each number as short as single precision allows to read back."""
    return "[" + ",".join(f"{float(number):.9g}" for number in numbers) + "]"


ischema_names["vector"] = Vector  # so that a column of it can be read back from the schema, to be compared

embeddings = Table(
    "embeddings",
    metadata,
    Column("number", Integer, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("dimensions", Integer, nullable=False),
    created_at(),
)
"""Spaces of vectors: within one, a distance means something. Each has an index of its own, begun by a function."""

clip_vectors = Table(
    "clip_vectors",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    Column("embedding", Integer, ForeignKey("embeddings.number"), primary_key=True, autoincrement=False),
    Column("vector", Vector(), nullable=False),
    created_at(),
)
"""`embedding` is a number and not the id, as a million rows have it."""

vector_jobs = Table(
    "vector_jobs",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    Column("embedding_id", Text, primary_key=True),
    *job_columns(),
    Column("worker", Text),
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), nullable=False),
    CheckConstraint(is_one_of("state", JobState), name="state"),
    Index("ix_vector_jobs_open", "created_at", "clip_id", postgresql_where=text(is_one_of("state", OPEN_JOBS))),
)
