"""How clips are spread over the values or the bins of a property.

Every count is a number of clips: of those that the filter `property = value` would find among them, or `property >=
at_least AND property < below`. A clip with several fires, tags or labels is counted once for each value that it has.

One statement reads all that is needed (looked_at.py). Values are counted in it. Those that go into bins are fetched
and counted here: the bins depend on the lowest and the highest, and a second statement would read all clips again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Select,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.clips.facets.asked import Asked
from storage.clips.facets.bins import (
    count_in_bins,
    count_in_bins_of_several,
    float_edges,
    integer_edges,
    step_edges,
    time_edges,
)
from storage.clips.facets.looked_at import LookedAt
from storage.clips.plan import settings
from storage.clips.plan.settings import Way

Number: TypeAlias = int | float


@dataclass(frozen=True, slots=True)
class ValueCount:
    """How many clips have a value."""

    value: str | Number | bool
    clips: int


@dataclass(frozen=True, slots=True)
class Bin:
    """How many clips have a value from `at_least` up to, and without, `below` (None: no number is above)."""

    at_least: Number
    below: Number | None
    clips: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How clips are spread over a property: `values`, the most frequent first, or `bins` in order, empty ones included.

    `distinct` is how many values there are, those left out included; `missing` how many clips have none.
    """

    values: tuple[ValueCount, ...] = ()
    bins: tuple[Bin, ...] = ()
    distinct: int | None = None
    missing: int = 0


def spreads(connection: Connection, clip_ids: Sequence[str], asked: Sequence[Asked]) -> list[Spread]:
    """The spread of these clips over each property, by one statement."""
    if not asked:
        return []
    looked_at = LookedAt.of(clip_ids, [each.about for each in asked])
    parts = [_fetched(looked_at, each) if each.in_bins else _counted(looked_at, each) for each in asked]
    found = _by_number(connection, looked_at, parts)
    clips = len(clip_ids)
    return [
        _spread_of_bins(each, rows[0].value, clips) if each.in_bins else _spread_of_values(rows, clips)
        for each, rows in zip(asked, found, strict=True)
    ]


def _by_number(connection: Connection, looked_at: LookedAt, parts: Sequence[Select[Any]]) -> list[list[Any]]:
    """The rows of each part, which are read in one statement."""
    numbered = []
    for number, part in enumerate(parts):
        rows = part.subquery()
        counts = (cast(each, BigInteger).label(each.name) for each in (rows.c.clips, rows.c.distinct, rows.c.having))
        numbered.append(select(literal(number).label("part"), rows.c.value, *counts))
    by_number: list[list[Any]] = [[] for _ in parts]
    settings.use(connection, Way.COLLECT)  # each row by its index: the planner would read all labels into a hash
    for row in connection.execute(union_all(*numbered).add_cte(*looked_at.rows.values())):
        by_number[row.part].append(row)
    settings.reset(connection)
    return by_number


def _counted(looked_at: LookedAt, asked: Asked) -> Select[Any]:
    """The most frequent values with their clips, and beside each how many values there are, and clips with any."""
    rows = looked_at.values(asked.about).cte()
    counted = select(rows.c.value, func.count().label("clips")).group_by(rows.c.value).subquery()
    value = func.to_jsonb(counted.c.value, type_=JSONB).label("value")
    if asked.about.scope is None:
        having: ColumnElement[int] = func.sum(counted.c.clips).over()
    else:
        having = select(func.count()).select_from(select(rows.c.number).distinct().subquery()).scalar_subquery()
    return (
        select(value, counted.c.clips, func.count().over().label("distinct"), having.label("having"))
        .order_by(counted.c.clips.desc(), value)
        .limit(asked.shown)
    )


def _spread_of_values(rows: Sequence[Any], clips: int) -> Spread:
    if not rows:
        return Spread(distinct=0, missing=clips)
    found = tuple(ValueCount(row.value, row.clips) for row in rows)
    return Spread(values=found, distinct=rows[0].distinct, missing=clips - rows[0].having)


def _fetched(looked_at: LookedAt, asked: Asked) -> Select[Any]:
    """One row: the values, as a list of those of each clip if there can be several."""
    rows = looked_at.values(asked.about).subquery()
    if asked.about.scope is not None:
        rows = select(func.jsonb_agg(rows.c.value).label("value")).group_by(rows.c.number).subquery()
    values = func.coalesce(func.jsonb_agg(rows.c.value, type_=JSONB), literal([], JSONB))
    none: list[ColumnElement[Any]] = [null().label(name) for name in ("clips", "distinct", "having")]
    return select(values.label("value"), *none)


def _spread_of_bins(asked: Asked, values: list[Any], clips: int) -> Spread:
    if not values:
        return Spread(missing=clips)
    if asked.about.scope is None:
        edges = _edges(asked, min(values), max(values))
        counts = count_in_bins(edges, values)
    else:
        edges = _edges(asked, min(map(min, values)), max(map(max, values)))
        counts = count_in_bins_of_several(edges, values)
    ends = [*edges[1:], None]
    bins = [Bin(edge, end, counts[number]) for number, (edge, end) in enumerate(zip(edges, ends, strict=True), 1)]
    # The last edge is above every value, where a number is.
    return Spread(bins=tuple(bins if bins[-1].clips else bins[:-1]), missing=clips - len(values))


def _edges(asked: Asked, low: Number, high: Number) -> list[Number]:
    """The edges of the bins."""
    if isinstance(asked.about.expression.type, Float):
        return [*float_edges(float(low), float(high), asked.shown)]
    first, last = int(low), int(high)
    if asked.step is not None:
        return [*step_edges(first, last, asked.step, what=asked.about.name)]
    edges = time_edges if asked.about.kind == "time" else integer_edges
    return [*edges(first, last, asked.shown)]
