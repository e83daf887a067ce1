"""How clips are spread over the values or the bins of a property, in SQL.

Every count is a number of clips: of those that the filter `property = value` would find among them, or `property >=
at_least AND property < below`. A clip with several fires, tags or labels is counted once for each value that it has.

The statements read the clips that are looked at from a common table expression that is called like the table itself,
so that the expressions of properties, which name columns of `clips`, are about these clips alone, and each clip is
fetched once and not once for every property.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Column,
    Connection,
    Float,
    FromClause,
    Integer,
    Numeric,
    Select,
    Subquery,
    Text,
    cast,
    column,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import visitors

from storage.clips.facets.asked import Asked
from storage.clips.facets.bins import float_edges, integer_edges, step_edges, time_edges
from storage.clips.scopes import members
from storage.tables import clips

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
    """The spread of these clips over each property, with two statements at most."""
    if not asked:
        return []
    first = _by_number(connection, clip_ids, [_extent(each) if each.in_bins else _values(each) for each in asked])
    edges = [_edges(each, rows[0].value) if each.in_bins else [] for each, rows in zip(asked, first, strict=True)]
    cut = [(each, at) for each, at in zip(asked, edges, strict=True) if at]
    binned = iter(_by_number(connection, clip_ids, [_bins(each, at) for each, at in cut]))
    found = []
    for each, rows, at in zip(asked, first, edges, strict=True):
        if each.in_bins:
            found.append(Spread(bins=_spread_of_bins(next(binned), at) if at else (), missing=rows[0].clips))
        else:
            found.append(_spread_of_values(each, rows))
    return found


def _by_number(connection: Connection, clip_ids: Sequence[str], parts: Sequence[Select[Any]]) -> list[list[Any]]:
    """The rows of each part, which are read in one statement."""
    if not parts:
        return []
    numbered = []
    for number, part in enumerate(parts):
        rows = part.subquery()
        columns = rows.c.value, rows.c.clips, cast(rows.c.distinct_values, BigInteger).label("distinct_values")
        numbered.append(select(literal(number).label("part"), *columns))
    statement = union_all(*numbered).add_cte(_looked_at(clip_ids, parts))
    by_number: list[list[Any]] = [[] for _ in parts]
    for row in connection.execute(statement):
        by_number[row.part].append(row)
    return by_number


def _looked_at(clip_ids: Sequence[str], parts: Sequence[Select[Any]]) -> CTE:
    """The clips, under the name of their table, with the columns that the parts need."""
    needed = {"id": clips.c.id}
    for part in parts:
        for element in visitors.iterate(part):
            if isinstance(element, Column) and element.table is clips:
                needed[element.name] = element
    ids = (
        func.unnest(literal(list(clip_ids), ARRAY(Text)))
        .table_valued(column("id", Text), name="looked_at")
        .render_derived()
    )
    return select(*needed.values()).select_from(ids.join(clips, clips.c.id == ids.c.id)).cte("clips")


def _rows(asked: Asked) -> Subquery:
    """A row for each different value that a clip has, and one for a clip without any: its id, and the value."""
    about, value = asked.about.scope, asked.about.expression
    source: FromClause = clips
    if about is not None:
        of_clip = members(about, value)
        source, value = clips.outerjoin(of_clip, true()), of_clip.c.value
    return select(clips.c.id, value.label("value")).select_from(source).subquery()


def _values(asked: Asked) -> Select[Any]:
    """The most frequent values, and first a row for the clips without one."""
    rows = _rows(asked)
    value = select(func.to_jsonb(rows.c.value, type_=JSONB).label("value")).subquery().c.value
    counted = func.count().label("clips")
    return (
        select(value, counted, func.count(value).over().label("distinct_values"))
        .group_by(value)
        .order_by(value.is_(None).desc(), counted.desc(), value)
        .limit(asked.shown + 1)
    )


def _spread_of_values(asked: Asked, rows: Sequence[Any]) -> Spread:
    found = tuple(ValueCount(row.value, row.clips) for row in rows if row.value is not None)
    missing = sum(row.clips for row in rows if row.value is None)
    return Spread(values=found[: asked.shown], distinct=rows[0].distinct_values if rows else 0, missing=missing)


def _extent(asked: Asked) -> Select[Any]:
    """The lowest and the highest value, and how many clips have none."""
    value = _rows(asked).c.value
    extent = func.jsonb_build_array(func.min(value), func.max(value), type_=JSONB)
    missing = func.count().filter(value.is_(None))
    return select(extent.label("value"), missing.label("clips"), null().label("distinct_values"))


def _edges(asked: Asked, extent: Sequence[Number | None]) -> list[Number]:
    """The edges of the bins; none when no clip has a value."""
    low, high = extent
    if low is None or high is None:
        return []
    if _is_float(asked):
        return [*float_edges(float(low), float(high), asked.shown)]
    first, last = int(low), int(high)
    if asked.step is not None:
        return [*step_edges(first, last, asked.step, what=asked.about.name)]
    edges = time_edges if asked.about.kind == "time" else integer_edges
    return [*edges(first, last, asked.shown)]


def _bins(asked: Asked, edges: Sequence[Number]) -> Select[Any]:
    """How many clips are in each bin that has any; bins are numbered from 1."""
    rows, number = _rows(asked), Float() if _is_float(asked) else Numeric()
    bucket = func.width_bucket(cast(rows.c.value, number), literal(list(edges), ARRAY(number)), type_=Integer)
    binned = select(rows.c.id, bucket.label("value")).where(rows.c.value.is_not(None)).subquery()
    counted = func.count() if asked.about.scope is None else func.count(binned.c.id.distinct())
    value = func.to_jsonb(binned.c.value, type_=JSONB).label("value")
    return select(value, counted.label("clips"), null().label("distinct_values")).group_by(binned.c.value)


def _spread_of_bins(rows: Sequence[Any], edges: Sequence[Number]) -> tuple[Bin, ...]:
    counts = {row.value: row.clips for row in rows}
    ends = [*edges[1:], None]
    bins = [
        Bin(edge, end, counts.get(number, 0)) for number, (edge, end) in enumerate(zip(edges, ends, strict=True), 1)
    ]
    return tuple(bins if bins[-1].clips else bins[:-1])  # the last edge is above every value, where a number is


def _is_float(asked: Asked) -> bool:
    return isinstance(asked.about.expression.type, Float)
