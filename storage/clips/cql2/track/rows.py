"""Rows in SQL: positions and segments of a clip's track, edges of a literal geometry, and their exact relations.

Coordinates are `numeric`: differences, products and halves of decimals are exact, so a point is on a line or it is not.
PostgreSQL's own operators on paths and segments compare with a tolerance of 1e-6 and are not used. Most pairs of
segments are far apart, which their bounds show as doubles, at a tenth of the cost; rounding keeps the order of numbers.

A segment that crosses the antimeridian ends beyond 180 or -180. A geometry is compared as it is and, where the clip's
box reaches the antimeridian, a turn to the west and to the east, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Float,
    FromClause,
    Numeric,
    Select,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.clips.cql2.shapes import DECIMALS
from storage.clips.cql2.track.geometry import HALF, ROOM, TURN, Edge
from storage.clips.cql2.track.validity import Position
from storage.tables import clips

Condition: TypeAlias = ColumnElement[bool]
Number: TypeAlias = ColumnElement[Any]
Span: TypeAlias = tuple[Number, Number]
Turned = Literal["where needed", "everywhere"]
"""Whether a geometry is compared a turn to the west and to the east only where the clip's box may meet it there."""
_c = clips.c


@dataclass(frozen=True)
class Point:
    """A position in SQL."""

    x: Number
    y: Number


@dataclass(frozen=True)
class Segment:
    """A straight line between two different positions in SQL, from `rows`."""

    rows: FromClause

    @property
    def a(self) -> Point:
        """Where it begins."""
        return Point(self.rows.c.x1, self.rows.c.y1)

    @property
    def b(self) -> Point:
        """Where it ends."""
        return Point(self.rows.c.x2, self.rows.c.y2)

    def side(self, point: Point) -> Number:
        """Above 0 for a point to the left of it, below 0 to its right, 0 on its line."""
        a, b = self.a, self.b
        return (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x)

    def holds(self, point: Point) -> Condition:
        """Whether a point is on it, its ends included."""
        c = self.rows.c
        near = _overlap(c.low_x, c.high_x, point.x, point.x), _overlap(c.low_y, c.high_y, point.y, point.y)
        return and_(*near, self.side(point) == 0)

    def meets(self, other: Segment) -> Condition:
        """Whether they have a point in common: their boxes have, and neither lies on one side of the other's line."""
        return and_(self._is_near(other), self._straddles(other) <= 0, other._straddles(self) <= 0)

    def crosses(self, other: Segment) -> Condition:
        """Whether each goes through the other's inside."""
        return and_(self._is_near(other), self._straddles(other) < 0, other._straddles(self) < 0)

    def runs_along(self, other: Segment) -> Condition:
        """Whether they are on one line, and their boxes meet."""
        return and_(self._is_near(other), self.side(other.a) == 0, self.side(other.b) == 0)

    def span(self, turn: Number | int = 0) -> Span:
        """Where it begins and ends along the axis on which it does not stand still; `turn` degrees further east."""
        c = self.rows.c
        across = c.low_x < c.high_x
        return case((across, c.low_x + turn), else_=c.low_y), case((across, c.high_x + turn), else_=c.high_y)

    def _is_near(self, other: Segment) -> Condition:
        """Whether the boxes around both have a point in common."""
        mine, theirs = self.rows.c, other.rows.c
        return and_(
            _overlap(mine.west, mine.east, theirs.west, theirs.east),
            _overlap(mine.south, mine.north, theirs.south, theirs.north),
            _overlap(mine.low_x, mine.high_x, theirs.low_x, theirs.high_x),
            _overlap(mine.low_y, mine.high_y, theirs.low_y, theirs.high_y),
        )

    def _straddles(self, other: Segment) -> Number:
        return func.sign(self.side(other.a)) * func.sign(self.side(other.b))


def positions() -> FromClause:
    """The positions (n, x, y) of a clip's track, in order."""
    listed = case((func.jsonb_typeof(_c.track) == "array", _c.track))
    entries = func.jsonb_array_elements(listed).table_valued(column("pair", JSONB), with_ordinality="n", name="fix")
    entry = entries.render_derived()
    rounded = [
        func.round(cast(entry.c.pair.op("->>")(literal_column(index)), Numeric), literal_column(str(DECIMALS)))
        for index in ("1", "0")
    ]
    query = select(entry.c.n, rounded[0].label("x"), rounded[1].label("y")).select_from(entry)
    return fenced(query)


def segments(*, with_places: bool = False) -> Segment:
    """The segments (n, x1, y1, x2, y2) of a clip's track; none if it stays at one place.

    `with_places` gives those without length, too, and one at the last position.
    """
    at = positions().c
    next_x, next_y = (func.lead(value).over(order_by=at.n) for value in (at.x, at.y))
    pairs = select(at.n, at.x.label("x1"), at.y.label("y1"), next_x.label("to_x"), next_y.label("y2"))
    pair = pairs.correlate(clips).subquery()
    x1, y1, to_x = (pair.c[name] for name in ("x1", "y1", "to_x"))
    y2: Number = pair.c.y2
    x2: Number = case((to_x - x1 > HALF, to_x - TURN), (to_x - x1 < -HALF, to_x + TURN), else_=to_x)
    if with_places:
        x2, y2 = func.coalesce(x2, x1), func.coalesce(y2, y1)
    rows = select(pair.c.n, x1, y1, x2.label("x2"), y2.label("y2"))
    return _segment(rows if with_places else rows.where(or_(x2 != x1, y2 != y1)))


def edges(literal: Sequence[Edge], *, turned: Turned = "where needed", near_track: bool = False) -> Segment:
    """The edges of a literal geometry as rows (number, x1, y1, x2, y2, turn).

    `near_track` leaves out those whose box does not meet the box around the clip's track.
    """
    columns = ([a[0] for a, _ in literal], [a[1] for a, _ in literal], [b[0] for _, b in literal])
    numbers = (*columns, [b[1] for _, b in literal])
    given = func.unnest(*map(_numbers, numbers)).table_valued(
        "x1", "y1", "x2", "y2", with_ordinality="number", name="edge"
    )
    edge, turn = given.render_derived(), _turns()
    x1, x2 = edge.c.x1 + turn.c.turn, edge.c.x2 + turn.c.turn
    rows = (
        select(edge.c.number, x1.label("x1"), edge.c.y1, x2.label("x2"), edge.c.y2, turn.c.turn)
        .select_from(edge)
        .join(turn, _is_needed(turn.c.turn, literal, turned))
    )
    return _segment(rows.where(_near_track(x1, edge.c.y1, x2, edge.c.y2)) if near_track else rows)


def points(literal: Sequence[Position], *, turned: Turned = "where needed") -> FromClause:
    """Literal positions as rows (number, x, y, turn)."""
    columns = ([x for x, _ in literal], [y for _, y in literal])
    given = func.unnest(*map(_numbers, columns)).table_valued("x", "y", with_ordinality="number", name="place")
    place, turn = given.render_derived(), _turns()
    rows = (
        select(place.c.number, (place.c.x + turn.c.turn).label("x"), place.c.y, turn.c.turn)
        .select_from(place)
        .join(turn, _is_needed(turn.c.turn, [(at, at) for at in literal], turned))
    )
    return fenced(rows)


def point_of(rows: FromClause) -> Point:
    """The position in a row of `points` or `positions`."""
    return Point(rows.c.x, rows.c.y)


def has_track() -> Condition:
    """Whether the clip has a track: a list of positions that is not empty."""
    first: Number = _c.track.op("->")(literal_column("0"))
    return and_(func.jsonb_typeof(_c.track) == "array", first.is_not(None))  # a JSON null is its own first element


def track_end(index: str) -> Point:
    """The track's first position (index 0) or last one (-1)."""
    entry = _c.track.op("->")(literal_column(index))
    x, y = (
        func.round(cast(entry.op("->>")(literal_column(part)), Numeric), literal_column(str(DECIMALS)))
        for part in ("1", "0")
    )
    return Point(x, y)


def same_place(a: Point, b: Point) -> Condition:
    """Whether two positions are one place, also when one is at 180 and the other at -180."""
    return and_(func.mod(a.x - b.x, TURN) == 0, a.y == b.y)


def fenced(rows: Select[Any]) -> FromClause:
    """Rows whose columns are computed once each: OFFSET 0 keeps PostgreSQL from repeating their expressions."""
    return rows.offset(literal_column("0")).correlate(clips).subquery()


def _segment(ends: Select[Any]) -> Segment:
    """Segments with their bounds, exact and as doubles."""
    at = fenced(ends).c
    exact = {
        "low_x": func.least(at.x1, at.x2),
        "high_x": func.greatest(at.x1, at.x2),
        "low_y": func.least(at.y1, at.y2),
        "high_y": func.greatest(at.y1, at.y2),
    }
    exactly = fenced(select(*at, *(value.label(name) for name, value in exact.items())))
    doubles = {"west": "low_x", "east": "high_x", "south": "low_y", "north": "high_y"}
    rounded = (cast(exactly.c[of], Float).label(name) for name, of in doubles.items())
    return Segment(fenced(select(*exactly.c, *rounded)))


def _overlap(low: Number, high: Number, other_low: Number, other_high: Number) -> Condition:
    return and_(low <= other_high, high >= other_low)


def _near_track(x1: Number, y1: Number, x2: Number, y2: Number) -> Condition:
    """Whether the box around an edge meets the box around the clip's track, with room for what was rounded."""
    low, high = cast(func.least(x1, x2), Float), cast(func.greatest(x1, x2), Float)
    south, north = cast(func.least(y1, y2), Float), cast(func.greatest(y1, y2), Float)
    longitudes = or_(
        _c.min_longitude > _c.max_longitude,
        and_(low <= _c.max_longitude + ROOM, high >= _c.min_longitude - ROOM),
        at_the_antimeridian(),
    )
    return and_(south <= _c.max_latitude + ROOM, north >= _c.min_latitude - ROOM, longitudes)


def at_the_antimeridian() -> Condition:
    """Whether the box around the clip's track reaches the antimeridian."""
    half = float(HALF)
    return or_(_c.min_longitude > _c.max_longitude, _c.min_longitude == -half, _c.max_longitude == half)


def _turns() -> Any:
    turns = func.unnest(bindparam(None, [-TURN, Decimal(0), TURN], type_=ARRAY(Numeric)))
    return turns.table_valued("turn", name="turns").render_derived()


def _is_needed(turn: Number, literal: Sequence[Edge], turned: Turned) -> Condition:
    """Whether a turned copy of a geometry can meet the clip's track: only at the antimeridian."""
    if turned == "everywhere" or any(end[0] > HALF for edge in literal for end in edge):
        return turn.is_not(None)
    return or_(turn == 0, at_the_antimeridian())


def _numbers(values: Sequence[Decimal]) -> Any:
    return bindparam(None, list(values), type_=ARRAY(Numeric))
