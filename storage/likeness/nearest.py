"""The clips nearest to some examples and far from others, among those that a filter admits.

The question is Rocchio's (1971): the mean of the examples, less half the mean of the counter-examples. Distances are
cosine distances to it, 0 (the same direction) to 2. How it is answered is decided as for searches (storage.clips.plan):

1. An index of the catalog finds few clips of the filter (`CAPS`): the distance to each, so the answer is exact.
2. Before a count that takes longer, the index of vectors is asked for some hundred neighbours, of which enough may be
   admitted. One in some hundred neighbours may be missed by this, and by 4.
3. They are not enough, but some: so many are admitted around the question that a walk outwards is short, as in 4.
   Otherwise it is counted. Few: as in 1.
4. The index is walked outwards until enough clips are admitted (pgvector's iterative scan).
5. What is left are clips that are far from the question: the distance to each clip of the filter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Float, Integer, Select, cast, literal, literal_column, select
from sqlalchemy.sql.elements import BindParameter

from storage.clips.cql2 import Filter
from storage.clips.cql2.tree import properties
from storage.clips.plan import Caps, Selection, settings
from storage.clips.plan.settings import Way
from storage.clips.plan.statements import checked
from storage.clips.properties import known_names
from storage.clips.records import Clip, get_clips
from storage.clips.search import SEARCH_TIMEOUT_S
from storage.likeness import vectors
from storage.likeness.embeddings import Embedding, named
from storage.statements.time_limit import time_limit
from storage.tables import clip_vectors, clips
from storage.tables.likeness import vector_text
from triggers.errors import InvalidInput

COUNTER_WEIGHT = 0.5
CAPS = Caps(collected=5000)
"""Up to so many admitted clips are compared one by one: as fast as the index, and exact."""
SCANNED = 100_000
"""How many vectors a walk outwards compares at most; what it found until then may have gaps."""
SHORT = 30_000
"""The same of a walk before it is counted: some times as many as one in a hundred clips takes."""
_LEAST, _MOST = 200, 1000
"""How many vectors the index finds at once: ten times as many as are asked for, within what is fast and allowed."""
_SOME = 2
"""One clip may be admitted by chance."""
_COMPARED = 10
"""How many vectors a walk compares for each neighbour that it gives: six, as a rule."""


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


Neighbour: TypeAlias = tuple[str, float]
"""A clip's id, and its distance."""


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
        rows, is_exact = _rows(connection, question, embedding, vector_text(asked))
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


def _rows(connection: Connection, question: Question, embedding: Embedding, asked: str) -> tuple[list[Neighbour], bool]:
    walk = _Walk(connection, question, embedding, asked)
    if question.filter is None:
        rows = walk.at_once()
        return (rows, False) if len(rows) == question.limit else (walk.among(walk.every()), True)
    admitted = Selection.of(connection, question.filter.tree, CAPS)
    if (few := admitted.few()) is not None:
        return walk.among(few), True
    if admitted.leaves_to_count:  # else a walk outwards begins just so
        if len(rows := walk.at_once()) == question.limit:
            return rows, False
        if walk.is_short(len(rows)) and len(rows := walk.outwards(SHORT)) == question.limit:
            return rows, False
        if (few := admitted.few_at_once()) is not None:
            return walk.among(few), True
    if len(rows := walk.outwards(SCANNED)) == question.limit:
        return rows, False
    return walk.among(admitted.all(), Way.INTERSECT), True


@dataclass(frozen=True)
class _Walk:
    """The statements that find the nearest clips, nearest first."""

    connection: Connection
    question: Question
    embedding: Embedding
    asked: str

    def at_once(self) -> list[Neighbour]:
        """Those that are admitted of the neighbours which the index finds in one step."""
        return self._by_index({"hnsw.iterative_scan": "off"})

    def is_short(self, admitted: int) -> bool:
        """Whether a walk outwards probably ends soon, if so many of the first neighbours are admitted."""
        expected = _COMPARED * self._candidates * self.question.limit
        return admitted >= _SOME and expected <= admitted * SHORT

    def outwards(self, scanned: int) -> list[Neighbour]:
        """By the index, step by step from the question outwards, until enough clips are admitted.

        In relaxed order: what comes a little late is sorted in, where a strict one would leave it out.
        """
        most = str(scanned)
        scan = {"iterative_scan": "relaxed_order", "max_scan_tuples": most, "scan_mem_multiplier": "8"}
        return self._by_index({f"hnsw.{name}": value for name, value in scan.items()})

    def _by_index(self, scan: Mapping[str, str]) -> list[Neighbour]:
        settings.use(self.connection, Way.WALK, {**scan, "hnsw.ef_search": str(self._candidates)})
        admitted = [] if self.question.filter is None else [self.question.filter.where(fenced=True)]
        of_clips = clip_vectors.join(clips, clips.c.id == clip_vectors.c.clip_id)
        query = select(clips.c.id, self._distance.label("distance")).select_from(of_clips)
        query = query.where(*self._is_asked(), checked(admitted)).order_by(self._distance)
        return sorted(self._run(query.limit(self.question.limit)), key=lambda row: (row[1], row[0]))

    @property
    def _candidates(self) -> int:
        """How many vectors the index finds at once."""
        return min(max(_LEAST, 10 * self.question.limit), _MOST)

    def every(self) -> Any:
        """The ids of all clips that have a vector."""
        return select(clip_vectors.c.clip_id.label("id")).where(*self._is_asked())

    def among(self, ids: Any, way: Way = Way.COLLECT) -> list[Neighbour]:
        """By the distance of each of these clips."""
        settings.use(self.connection, way)
        admitted = ids.cte("admitted").prefix_with("MATERIALIZED", dialect="*")
        # What is added to the distance keeps the index out: it would walk over every clip to find the few.
        distance = (self._distance + 0.0).label("distance")
        found = select(clip_vectors.c.clip_id, distance).where(*self._is_asked())
        found = found.join_from(admitted, clip_vectors, clip_vectors.c.clip_id == admitted.c.id)
        first = found.order_by(distance).limit(self.question.limit)
        near = first.cte("near").prefix_with("MATERIALIZED", dialect="*")
        return self._run(select(near.c.clip_id, near.c.distance).order_by(near.c.distance))

    def _is_asked(self) -> list[ColumnElement[bool]]:
        # The number is written out: with a parameter instead, a prepared statement could not use the partial index.
        number = literal_column(str(int(self.embedding.number)), Integer)
        examples = [*self.question.like, *self.question.unlike]
        return [clip_vectors.c.embedding == number, clip_vectors.c.clip_id.not_in(examples)]

    @property
    def _distance(self) -> ColumnElement[float]:
        """The cosine distance of a clip's vector, in the words of the embedding's index."""
        vector: ColumnElement[Any] = literal_column(f"(clip_vectors.vector::vector({self.embedding.dimensions}))")
        question: BindParameter[str] = literal(self.asked)
        return vector.op("<=>", return_type=Float())(cast(question, clip_vectors.c.vector.type))

    def _run(self, query: Select[Any]) -> list[Neighbour]:
        """The rows; clips whose vector has no direction have no distance, and are left out."""
        rows = self.connection.execute(query).all()
        return [
            (row[0], float(row.distance)) for row in rows if row.distance is not None and not math.isnan(row.distance)
        ]
