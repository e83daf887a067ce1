"""The statements that find the nearest clips: walks outwards by the index of vectors, and the distance to each clip.

Each is written once for an embedding and the form of a filter (storage/statements/forms.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Text,
    all_,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
)

from storage.clips.plan import settings
from storage.clips.plan.settings import Way
from storage.clips.plan.statements import checked
from storage.likeness.embeddings import Embedding
from storage.statements.forms import Condition, Given, Statement
from storage.statements.prepared import Template
from storage.tables import clip_vectors, clips
from storage.tables.likeness import Vector

SCANNED = 100_000
"""How many vectors a walk outwards compares at most; what it found until then may have gaps."""
SHORT = 30_000
"""The same of a walk that is tried."""
PATIENCE = 300
"""A walk that is tried goes on while at least one in so many neighbours is admitted. Where one in a hundred is, it
gives up one time in sixty; for 200 it would be one in five, and for 400 it takes longer where none is."""
_LEAST, _MOST = 200, 1000
"""How many vectors the index finds at once: ten times as many as are asked for, within what is fast and allowed."""

Neighbour: TypeAlias = tuple[str, float]
"""A clip's id, and its distance."""
_IS_NO_EXAMPLE = Template(lambda examples: clip_vectors.c.clip_id != all_(examples), examples=ARRAY(Text))


@dataclass(frozen=True)
class Walks:
    """The clips of one embedding by their distance to a vector, without the examples that it came from."""

    connection: Connection
    embedding: Embedding
    asked: Sequence[float]
    examples: Sequence[str]
    limit: int

    def at_once(self) -> list[Neighbour]:
        """Those that the index finds in one step, nearest first."""
        self._set({"iterative_scan": "off"})
        return self._run(Statement(_first, *self._question, self._limit))

    def tried(self, admitted: Condition) -> list[Neighbour]:
        """As `outwards`, but it ends soon where hardly any clip is admitted around the question: then there are fewer
        than were asked for, and others may have been missed."""
        self._set(_outwards(SHORT))
        return _in_order(self._run(Statement(_tried, *self._question, admitted, self._limit)))

    def outwards(self, admitted: Condition) -> list[Neighbour]:
        """By the index, step by step from the question outwards, until enough clips are admitted; nearest first."""
        self._set(_outwards(SCANNED))
        return _in_order(self._run(Statement(_outward, *self._question, admitted, self._limit)))

    def of_every_clip(self) -> list[Neighbour]:
        """By the distance of each clip that has a vector, nearest first."""
        settings.use(self.connection, Way.COLLECT)
        return self._run(Statement(_of_every, *self._question, self._limit))

    def among(self, ids: Any, way: Way = Way.COLLECT) -> list[Neighbour]:
        """By the distance of each of these clips, nearest first."""
        settings.use(self.connection, way)
        return self._run(Statement(_among, *self._question, ids, self._limit))

    def _set(self, scan: Mapping[str, str]) -> None:
        found_at_once = str(min(max(_LEAST, 10 * self.limit), _MOST))
        of_index = {f"hnsw.{name}": value for name, value in (*scan.items(), ("ef_search", found_at_once))}
        settings.use(self.connection, Way.WALK, of_index)

    @property
    def _question(self) -> tuple[Any, ...]:
        is_no_example = _IS_NO_EXAMPLE.bound(examples=list(self.examples))
        return self.embedding, Given(self.asked, Vector), is_no_example

    @property
    def _limit(self) -> Given:
        return Given(self.limit, Integer)

    def _run(self, query: Statement) -> list[Neighbour]:
        """The rows; clips whose vector has no direction have no distance, and are left out."""
        rows = query.rows(self.connection)
        return [(row[0], row[1]) for row in rows if None not in (row[0], row[1]) and not math.isnan(row[1])]


def _outwards(scanned: int) -> Mapping[str, str]:
    # In relaxed order: what comes a little late is sorted in, where a strict one would leave it out.
    return {"iterative_scan": "relaxed_order", "max_scan_tuples": str(scanned), "scan_mem_multiplier": "8"}


def _in_order(rows: list[Neighbour]) -> list[Neighbour]:
    return sorted(rows, key=lambda row: (row[1], row[0]))


_Written: TypeAlias = ColumnElement[Any]


def _first(embedding: Embedding, asked: _Written, is_no_example: _Written, limit: _Written) -> Select[Any]:
    return _near(embedding, asked, is_no_example).limit(limit)


def _outward(
    embedding: Embedding, asked: _Written, is_no_example: _Written, admitted: _Written, limit: _Written
) -> Select[Any]:
    query = _near(embedding, asked, is_no_example).join(clips, clips.c.id == clip_vectors.c.clip_id)
    return query.where(checked([admitted])).limit(limit)


def _tried(
    embedding: Embedding, asked: _Written, is_no_example: _Written, admitted: _Written, limit: _Written
) -> Select[Any]:
    """Each neighbour with the number of those that are admitted up to it; where these are too few, it is repeated so
    often that the limit is reached. All of it is in one order, so that nothing is sorted, and rows come one by one."""
    near = _near(embedding, asked, is_no_example).subquery("near")
    if_admitted = near.outerjoin(clips, and_(clips.c.id == near.c.clip_id, checked([admitted])))
    number, so_far = (each.over(rows=(None, 0)) for each in (func.row_number(), func.count(clips.c.id)))
    columns = (clips.c.id, near.c.distance, number.label("number"), so_far.label("so_far"))
    seen = select(*columns).select_from(if_admitted).order_by(near.c.distance).subquery("seen")
    gives_up = (seen.c.number % PATIENCE == 0) & (seen.c.so_far * PATIENCE < seen.c.number)
    times = func.generate_series(1, case((gives_up, limit), else_=cast(seen.c.id.is_not(None), Integer)))
    query = select(seen.c.id, seen.c.distance).join_from(seen, times.table_valued("time").lateral(), true())
    return query.order_by(seen.c.distance).limit(limit)


def _of_every(embedding: Embedding, asked: _Written, is_no_example: _Written, limit: _Written) -> Select[Any]:
    rows = _with_distance(embedding, asked).where(_is_of(embedding), is_no_example)
    return _nearest_of(rows, limit)


def _among(embedding: Embedding, asked: _Written, is_no_example: _Written, ids: Any, limit: _Written) -> Select[Any]:
    admitted = ids.cte("admitted").prefix_with("MATERIALIZED", dialect="*")
    rows = _with_distance(embedding, asked).where(_is_of(embedding), is_no_example)
    return _nearest_of(rows.join_from(admitted, clip_vectors, clip_vectors.c.clip_id == admitted.c.id), limit)


def _near(embedding: Embedding, asked: _Written, is_no_example: _Written) -> Select[Any]:
    """The clips in the order of the index."""
    distance = _distance(embedding, asked)
    columns = (clip_vectors.c.clip_id, distance.label("distance"))
    return select(*columns).where(_is_of(embedding), is_no_example).order_by(distance)


def _with_distance(embedding: Embedding, asked: _Written) -> Select[Any]:
    # What is added to the distance keeps the index out: it would walk over every clip to find the few.
    return select(clip_vectors.c.clip_id, (_distance(embedding, asked) + 0.0).label("distance"))


def _nearest_of(rows: Select[Any], limit: _Written) -> Select[Any]:
    first = rows.order_by("distance").limit(limit)
    near = first.cte("nearest").prefix_with("MATERIALIZED", dialect="*")
    return select(near.c.clip_id, near.c.distance).order_by(near.c.distance)


def _is_of(embedding: Embedding) -> ColumnElement[bool]:
    # The number is written out: with a parameter instead, a prepared statement could not use the partial index.
    return clip_vectors.c.embedding == literal_column(str(int(embedding.number)), Integer)


def _distance(embedding: Embedding, asked: _Written) -> ColumnElement[float]:
    """The cosine distance of a clip's vector, in the words of the embedding's index."""
    vector: _Written = literal_column(f"(clip_vectors.vector::vector({embedding.dimensions}))")
    return vector.op("<=>", return_type=Float())(cast(asked, Vector()))
