"""The clips nearest to some examples and far from others, among those that a filter admits.

The question is Rocchio's (1971): the mean of the examples, less half the mean of the counter-examples. Distances are
cosine distances to it, 0 (the same direction) to 2. How it is answered is decided by counting first:

- few clips are admitted (`EXACT_CLIPS`): the distance to each, so the answer is exact
- else the index is walked outwards from the question until enough clips are admitted (pgvector's iterative scan), so
  one in some hundred neighbours may be missed; where that ends early, the distance to each clip is computed after all
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    and_,
    cast,
    literal,
    literal_column,
    select,
)
from sqlalchemy.sql.elements import BindParameter

from storage.clips.cql2 import Filter
from storage.clips.cql2.tree import properties
from storage.clips.facets.counting import count_up_to
from storage.clips.plan.settings import set_local
from storage.clips.properties import known_names
from storage.clips.records import CLIP_COLUMNS, Clip, clips_of
from storage.clips.search import SEARCH_TIMEOUT_S
from storage.likeness import vectors
from storage.likeness.embeddings import Embedding, named
from storage.tables import clip_vectors, clips
from storage.tables.likeness import vector_text
from storage.time_limit import time_limit
from triggers.errors import InvalidInput

COUNTER_WEIGHT = 0.5
EXACT_CLIPS = 5000
"""Up to so many admitted clips are compared one by one: as fast as the index, and exact."""
SCANNED = 40_000
_LEAST_CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class LikeClip:
    """A clip, and how far it is from the question."""

    clip: Clip
    distance: float


@dataclass(frozen=True, slots=True)
class LikeClips:
    """The nearest clips, nearest first. `is_exact`: no nearer one was missed."""

    clips: list[LikeClip]
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Question:
    """Clips like some and unlike others, in one embedding, for which a filter is true."""

    embedding_id: str
    like: tuple[str, ...]
    unlike: tuple[str, ...] = ()
    filter: Filter | None = None
    limit: int = 20


def nearest(connection: Connection, question: Question, *, timeout_s: float = SEARCH_TIMEOUT_S) -> LikeClips:
    """The clips nearest to the question, without its examples.

    InvalidInput for examples that cancel out and for unknown names in the filter, NotFound for an example without a
    vector, Erased for one that was erased, Overloaded when it takes longer than `timeout_s`.
    """
    embedding = named(connection, question.embedding_id)
    asked = _direction(
        vectors.of_clips(connection, question.like, embedding), vectors.of_clips(connection, question.unlike, embedding)
    )
    with time_limit(connection, timeout_s, what="your search", remedy="narrow it down, for instance by start"):
        if question.filter is not None:
            known_names.require_known(connection, properties(question.filter.tree))
        rows, is_exact = _rows(connection, question, embedding, vector_text(asked))
        found = clips_of(connection, [row[:-1] for row in rows])
    return LikeClips([LikeClip(clip, float(row[-1])) for clip, row in zip(found, rows, strict=True)], is_exact)


def _direction(like: Sequence[Sequence[float]], unlike: Sequence[Sequence[float]]) -> list[float]:
    """The question as a vector; InvalidInput when nothing is left of it."""
    asked = _mean(like)
    if unlike:
        asked = [near - COUNTER_WEIGHT * far for near, far in zip(asked, _mean(unlike), strict=True)]
    length = math.hypot(*asked)
    if not length > 1e-6:
        raise InvalidInput("the examples cancel each other out", remedy="leave out a counter-example, or an example")
    return [number / length for number in asked]


def _mean(of: Sequence[Sequence[float]]) -> list[float]:
    """The mean of vectors, each divided by its length, as models may write them at any length."""
    lengths = [max(math.hypot(*vector), 1e-30) for vector in of]
    scaled = ([number / length for number in vector] for vector, length in zip(of, lengths, strict=True))
    return [math.fsum(numbers) / len(of) for numbers in zip(*scaled, strict=True)]


def _rows(
    connection: Connection, question: Question, embedding: Embedding, asked: str
) -> tuple[list[tuple[Any, ...]], bool]:
    admitted = and_(*_admitted(question))
    if question.filter is not None and count_up_to(connection, admitted, EXACT_CLIPS + 1) <= EXACT_CLIPS:
        return _exact(connection, question, embedding, asked), True
    rows = _by_index(connection, question, embedding, asked)
    if len(rows) == question.limit:
        return rows, False
    return _exact(connection, question, embedding, asked), True


def _admitted(question: Question) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [] if question.filter is None else [question.filter.where()]
    return [*conditions, clips.c.id.not_in([*question.like, *question.unlike])]


def _distance(embedding: Embedding, asked: str) -> ColumnElement[float]:
    """The cosine distance of a clip's vector, in the words of the embedding's index."""
    vector: ColumnElement[Any] = literal_column(f"(clip_vectors.vector::vector({embedding.dimensions}))")
    question: BindParameter[str] = literal(asked)
    return vector.op("<=>", return_type=Float())(cast(question, clip_vectors.c.vector.type))


def _exact(connection: Connection, question: Question, embedding: Embedding, asked: str) -> list[tuple[Any, ...]]:
    # What is added to the distance keeps the index out: it would walk over every clip to find the few.
    return _found(connection, question, embedding, _distance(embedding, asked) + 0.0)


def _by_index(connection: Connection, question: Question, embedding: Embedding, asked: str) -> list[tuple[Any, ...]]:
    candidates = max(_LEAST_CANDIDATES, 2 * question.limit)
    values = {
        "hnsw.iterative_scan": "strict_order",
        "hnsw.ef_search": str(candidates),
        "hnsw.max_scan_tuples": str(SCANNED),
        "enable_sort": "off",  # so that the order comes from the index, whatever the planner thinks of the filter
    }
    set_local(connection, values)
    rows = _found(connection, question, embedding, _distance(embedding, asked))
    set_local(connection, {"enable_sort": "on"})
    return rows


def _found(
    connection: Connection, question: Question, embedding: Embedding, distance: ColumnElement[float]
) -> list[tuple[Any, ...]]:
    """Rows of CLIP_COLUMNS and the distance. Clips whose vector has no direction have no distance, and are left out."""
    joined = clip_vectors.join(clips, clips.c.id == clip_vectors.c.clip_id)
    # The number is written out: with a parameter in its place, a prepared statement could not use the partial index.
    number = literal_column(str(int(embedding.number)), Integer)
    query = select(*CLIP_COLUMNS, distance.label("distance")).select_from(joined)
    query = query.where(clip_vectors.c.embedding == number, *_admitted(question)).order_by(distance)
    rows = connection.execute(query.limit(question.limit)).all()
    return [tuple(row) for row in rows if row.distance is not None and row.distance == row.distance]
