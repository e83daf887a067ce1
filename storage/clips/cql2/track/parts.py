"""The parts of a literal geometry against a clip's track: what its points, lines and areas have in common with it.

Each class answers for a track that is a line and for one that is a point. Where a line enters an area is decided
without computing where they meet: the track is cut at the area's corners on it, and of each piece the middle counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    FromClause,
    Integer,
    Numeric,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import NUMMULTIRANGE, NUMRANGE

from storage.clips.cql2.track.geometry import Edge, Geometry, canonical
from storage.clips.cql2.track.rows import (
    Condition,
    Number,
    Point,
    Segment,
    Span,
    edges,
    fenced,
    point_of,
    points,
    positions,
    same_place,
    segments,
    track_end,
)
from storage.clips.cql2.track.validity import Position

FIRST, LAST = track_end("0"), track_end("-1")


def is_line() -> Condition:
    """Whether the track has two different positions."""
    return exists(select(literal_column("1")).select_from(segments().rows))


def _is_track_end(point: Point) -> Condition:
    """Whether a point is in the boundary of a track that is a line."""
    return and_(not_(same_place(FIRST, LAST)), or_(same_place(point, FIRST), same_place(point, LAST)))


def _exists(rows: FromClause, condition: Condition) -> Condition:
    return exists(select(literal_column("1")).select_from(rows).where(condition).correlate_except(rows))


def _exists_pair(one: FromClause, other: FromClause, condition: Condition) -> Condition:
    joined: Select[Any] = select(literal_column("1")).select_from(one.join(other, condition))
    return exists(joined.correlate_except(one, other))


class PointParts:
    """The points of a geometry."""

    def __init__(self, geometry: Geometry) -> None:
        self._points = geometry.points

    def any_on_line(self) -> Condition:
        """Whether one is on the track."""
        place, segment = points(self._points), segments()
        return _exists_pair(place, segment.rows, segment.holds(point_of(place)))

    def any_inside_line(self) -> Condition:
        """Whether one is on the track, and not its end."""
        place, segment = points(self._points), segments()
        inside = and_(segment.holds(point_of(place)), not_(_is_track_end(point_of(place))))
        return _exists_pair(place, segment.rows, inside)

    def all_on_line(self) -> Condition:
        """Whether each of them is on the track."""
        place, segment = points(self._points), segments()
        on_track = segment.holds(point_of(place))
        found = select(func.count(place.c.number.distinct())).select_from(place.join(segment.rows, on_track))
        return found.correlate_except(place, segment.rows).scalar_subquery() == len(self._points)

    def has(self, point: Point) -> Condition:
        """Whether a point is one of them."""
        return _is_one_of(point, self._points)


def _is_one_of(point: Point, literal_points: Sequence[Position]) -> Condition:
    place = points(literal_points)
    return _exists(place, same_place(point_of(place), point))


class LineParts:
    """The lines of a geometry."""

    def __init__(self, geometry: Geometry) -> None:
        self._edges = geometry.line_edges()
        self._ends = geometry.line_ends()
        ends = set(self._ends)
        corners = (canonical(position) for line in geometry.lines for position in line)
        self._inner = tuple(dict.fromkeys(corner for corner in corners if corner not in ends))

    def meet_line(self) -> Condition:
        """Whether they have a point in common with the track."""
        return _any_pair(self._edges, lambda segment, edge: segment.meets(edge))

    def share_a_stretch(self) -> Condition:
        """Whether they run along the track for more than a point."""
        return _any_pair(self._edges, _overlap)

    def meet_inside(self) -> Condition:
        """Whether a point that is an end of neither belongs to both: where segments cross, or at a corner."""
        crossing = _any_pair(self._edges, self._cross_inside)
        at, edge = positions(), edges(self._edges)
        corner = and_(edge.holds(point_of(at)), not_(_is_track_end(point_of(at))), not_(self.have_end(point_of(at))))
        corners = [crossing, _exists_pair(at, edge.rows, corner)]
        if self._inner:
            place, segment = points(self._inner), segments()
            theirs = and_(segment.holds(point_of(place)), not_(_is_track_end(point_of(place))))
            corners.append(_exists_pair(place, segment.rows, theirs))
        return or_(*corners)

    def _cross_inside(self, segment: Segment, edge: Segment) -> Condition:
        """Whether a segment and an edge cross where no end is: a line may come back to its own end."""
        at = positions()
        tracks = and_(_is_track_end(point_of(at)), segment.holds(point_of(at)), edge.holds(point_of(at)))
        ends = [_exists(at, tracks)]
        if self._ends:
            end = points(self._ends)
            ends.append(_exists(end, and_(segment.holds(point_of(end)), edge.holds(point_of(end)))))
        return and_(segment.crosses(edge), not_(or_(*ends)))

    def cover_line(self) -> Condition:
        """Whether every point of the track is on them."""
        segment, edge = segments(), edges(self._edges)
        covered = _are_covered([edge], segment.span(), edge.span(), segment.runs_along(edge))
        return not_(_exists(segment.rows, not_(covered)))

    def are_covered_by_line(self) -> Condition:
        """Whether every point of them is on the track."""
        base, edge, segment = edges(self._edges), edges(self._edges), segments()
        of_base = and_(edge.rows.c.number == base.rows.c.number, edge.runs_along(segment))
        covered = _are_covered([edge, segment], base.span(), segment.span(-edge.rows.c.turn), of_base)
        return not_(_exists(base.rows, and_(base.rows.c.turn == 0, not_(covered))))

    def hold(self, point: Point) -> Condition:
        """Whether a point is on them."""
        edge = edges(self._edges)
        return _exists(edge.rows, edge.holds(point))

    def have_end(self, point: Point) -> Condition:
        """Whether a point is in their boundary."""
        return _is_one_of(point, self._ends)


def _any_pair(literal_edges: Sequence[Edge], related: Callable[[Segment, Segment], Condition]) -> Condition:
    segment, edge = segments(), edges(literal_edges, near_track=True)
    return _exists_pair(segment.rows, edge.rows, related(segment, edge))


def _overlap(segment: Segment, edge: Segment) -> Condition:
    (low, high), (edge_low, edge_high) = segment.span(), edge.span()
    return and_(segment.runs_along(edge), func.greatest(low, edge_low) < func.least(high, edge_high))


def _are_covered(of: list[Segment], span: Span, by: Span, where: Condition) -> Condition:
    """Whether a span is covered by the union of the spans `by`, in rows of segments for which a condition holds."""
    rows = [segment.rows for segment in of]
    union = select(func.range_agg(func.numrange(*by, "[]"), type_=NUMMULTIRANGE)).select_from(*rows).where(where)
    ranges = union.correlate_except(*rows).scalar_subquery()
    covered: Condition = ranges.op("@>", is_comparison=True)(func.numrange(*span, "[]", type_=NUMRANGE))
    return func.coalesce(covered, literal(False))


class AreaParts:
    """The areas of a geometry."""

    def __init__(self, geometry: Geometry) -> None:
        self._edges = geometry.area_edges()

    def touch_line(self) -> Condition:
        """Whether the track meets their edges; if not, all of it lies inside, or all of it outside."""
        return _any_pair(self._edges, lambda segment, edge: segment.meets(edge))

    def cross_line(self) -> Condition:
        """Whether an edge and a segment of the track go through each other's inside, from inside to outside.

        Where another part touches the edge from outside, the track may go on in that part: its pieces tell.
        """
        return _any_pair(
            self._edges, lambda segment, edge: and_(segment.crosses(edge), not_(self._touch(segment, edge)))
        )

    def _touch(self, segment: Segment, edge: Segment) -> Condition:
        """Whether a corner lies where an edge and a segment go through each other's inside."""
        other = edges(self._edges, near_track=True)
        return _exists(other.rows, and_(edge.holds(other.a), segment.holds(other.a)))

    def hold_a_piece(self) -> Condition:
        """Whether some piece of a track that meets the edges lies inside."""
        piece = self._pieces()
        return _exists(piece, self.place(point_of(piece)) == 1)

    def leave_a_piece(self) -> Condition:
        """Whether some piece of a track that meets the edges lies outside."""
        piece = self._pieces()
        return _exists(piece, self.place(point_of(piece)) == -1)

    def place(self, point: Point) -> Number:
        """1 for a point inside, 0 on an edge, -1 outside: a ray to the north crosses an odd number of edges, or not."""
        edge = edges(self._edges)
        crossed = and_((edge.a.x > point.x) != (edge.b.x > point.x), (edge.side(point) > 0) == (edge.a.x > edge.b.x))
        odd = func.mod(func.count().filter(crossed), 2) == 1
        place = case((func.bool_or(edge.holds(point)), 0), (odd, 1), else_=-1)
        return select(place).select_from(edge.rows).correlate_except(edge.rows).scalar_subquery()

    def _pieces(self) -> FromClause:
        """The middle (x, y) of pieces of the track, cut at its own corners and at those of the areas on it.

        Segments that no edge meets are left out: each lies on the side of the piece that it continues.
        """
        touched, touching = segments(), edges(self._edges, near_track=True)
        met = _exists(touching.rows, touched.meets(touching))
        segment = Segment(fenced(select(*touched.rows.c).where(met)))
        return _middles(fenced(_cuts(segment, edges(self._edges, near_track=True))))


def _cuts(segment: Segment, edge: Segment) -> Select[Any]:
    """Where each segment begins, where it ends, and the corners on it, as rows (n, x, y, along)."""
    given = func.unnest(bindparam(None, [1, 2, 3], type_=ARRAY(Integer)))
    which = given.table_valued("which", name="which").render_derived()
    kind, a, b = which.c.which, segment.a, segment.b
    x = case((kind == 1, a.x), (kind == 2, b.x), else_=edge.a.x)
    y = case((kind == 1, a.y), (kind == 2, b.y), else_=edge.a.y)
    along = case((a.x != b.x, x * func.sign(b.x - a.x)), else_=y * func.sign(b.y - a.y))
    each = segment.rows.join(which, literal(True)).outerjoin(edge.rows, and_(kind == 3, segment.holds(edge.a)))
    cuts = select(segment.rows.c.n, x.label("x"), y.label("y"), along.label("along")).select_from(each)
    return cuts.where(or_(kind < 3, edge.a.x.is_not(None)))


def _middles(cuts: FromClause) -> FromClause:
    """The points (x, y) in the middle between neighbouring cuts of a segment."""
    c = cuts.c
    next_x, next_y = (func.lead(of).over(partition_by=c.n, order_by=c.along) for of in (c.x, c.y))
    piece = fenced(select(c.x, c.y, next_x.label("next_x"), next_y.label("next_y"))).c
    half = literal(Decimal("0.5"), Numeric)
    middle = select(((piece.x + piece.next_x) * half).label("x"), ((piece.y + piece.next_y) * half).label("y"))
    return fenced(middle.where(piece.next_x.is_not(None)))
