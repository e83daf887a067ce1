"""The clips nearest to some examples and far from others, among those that a filter admits.

The question is Rocchio's (1971): the mean of the examples, less half the mean of the counter-examples. Distances are
cosine distances to it, 0 (the same direction) to 2. How it is answered is decided as for searches (storage.clips.plan):

1. An index of the catalog finds few clips of the filter (`CAPS`): the distance to each, so the answer is exact.
2. Before a count that takes longer, the index of vectors is walked outwards (pgvector's iterative scan) until enough
   clips are admitted, or hardly any is. One in some hundred neighbours may be missed by this, and by 4.
3. Hardly any is: it is counted. Few: as in 1.
4. The index is walked outwards until enough clips are admitted.
5. What is left are clips that are far from the question: the distance to each clip of the filter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from storage.clips.cql2 import Filter
from storage.clips.cql2.conditions import formed
from storage.clips.cql2.tree import properties
from storage.clips.plan import Caps, Selection, Way, settings
from storage.clips.properties import known_names
from storage.clips.records import Clip, get_clips
from storage.clips.search import SEARCH_TIMEOUT_S
from storage.likeness import vectors
from storage.likeness.embeddings import Embedding, named
from storage.likeness.walks import Neighbour, Walks
from storage.statements.time_limit import time_limit
from triggers.errors import InvalidInput

COUNTER_WEIGHT = 0.5
CAPS = Caps(collected=5000)
"""Up to so many admitted clips are compared one by one: as fast as the index, and exact."""


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
    examples = vectors.of_clips(connection, [*question.like, *question.unlike], embedding)
    asked = _direction(examples[: len(question.like)], examples[len(question.like) :])
    with time_limit(connection, timeout_s, what="your search", remedy="narrow it down, for instance by start"):
        if question.filter is not None:
            known_names.require_known(connection, properties(question.filter.tree))
        rows, is_exact = _rows(connection, question, embedding, asked)
        settings.reset(connection)
        found = get_clips(connection, [clip_id for clip_id, _ in rows])
    # A clip that was erased a moment ago is left out.
    return LikeClips([LikeClip(found[clip_id], away) for clip_id, away in rows if clip_id in found], is_exact)


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
    connection: Connection, question: Question, embedding: Embedding, asked: list[float]
) -> tuple[list[Neighbour], bool]:
    walks = Walks(connection, embedding, asked, [*question.like, *question.unlike], question.limit)
    if question.filter is None:
        rows = walks.at_once()
        return (rows, False) if len(rows) == question.limit else (walks.of_every_clip(), True)
    found = Selection.of(connection, question.filter.tree, CAPS)
    if (few := found.few()) is not None:
        return walks.among(few), True
    admitted = formed(question.filter.tree, fenced=True)
    if found.leaves_to_count:  # else a walk outwards begins just so
        if len(rows := walks.tried(admitted)) == question.limit:
            return rows, False
        if (few := found.few_at_once()) is not None:
            return walks.among(few), True
    if len(rows := walks.outwards(admitted)) == question.limit:
        return rows, False
    return walks.among(found.all(), Way.INTERSECT), True
