"""Spatial relations (DE-9IM, OGC 06-103r4) between a clip's track and a literal geometry, as exact conditions in SQL.

A track is a line through its positions, or a point if it stays at one place. Its boundary is its two ends, unless they
are one place; the boundary of lines is where an odd number of them end. A relation that the dimensions exclude is
false: a line never contains an area. Without a track every relation is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, case, false, not_, null, or_

from storage.clips.cql2.track import boxes
from storage.clips.cql2.track.geometry import Geometry
from storage.clips.cql2.track.parts import FIRST, AreaParts, LineParts, PointParts, is_line
from storage.clips.cql2.track.rows import Condition, has_track
from storage.statements import forms
from triggers.errors import InvalidInput


@dataclass(frozen=True)
class _Parts:
    """The parts of a geometry that it has; None for the others."""

    points: PointParts | None
    lines: LineParts | None
    areas: AreaParts | None
    geometry: Geometry


def relation(name: str, geometry: Geometry) -> forms.Condition:
    """`name(geometry, ...)` between the track and a geometry: true, false, or NULL without a track."""
    rectangle = geometry.rectangle() if name in ("s_intersects", "s_disjoint") else None
    if rectangle is not None:
        meets = boxes.meets(*rectangle)
        return meets if name == "s_intersects" else not_(meets.clause)
    parts = _Parts(
        PointParts(geometry) if geometry.points else None,
        LineParts(geometry) if geometry.lines else None,
        AreaParts(geometry) if geometry.areas else None,
        geometry,
    )
    if parts.areas and not parts.points and not parts.lines and name in ("s_intersects", "s_disjoint"):
        related = _meets(parts.areas) if name == "s_intersects" else not_(_meets(parts.areas))
    else:
        of_line, of_point = _RELATIONS[name]
        related = case((is_line(), of_line(parts)), else_=of_point(parts))
    return case((has_track(), related), else_=null())


def require_related(name: str, geometry: Geometry) -> None:
    """InvalidInput for a relation that is not defined for a collection of points, lines and areas."""
    if geometry.is_mixed and name in ("s_within", "s_touches", "s_crosses", "s_overlaps"):
        raise InvalidInput(
            f"{name} is not defined for a collection of points, lines and polygons",
            remedy="write one condition for each kind, and join them with AND or OR",
        )


def _meets(areas: AreaParts) -> Condition:
    """Whether a track, line or point, meets areas. Most begin inside, so their first position is tried first."""
    return or_(areas.place(FIRST) >= 0, areas.touch_line())


def _line_intersects(parts: _Parts) -> Condition:
    return or_(
        *([parts.points.any_on_line()] if parts.points else []),
        *([parts.lines.meet_line()] if parts.lines else []),
        *([parts.areas.touch_line(), parts.areas.place(FIRST) == 1] if parts.areas else []),
    )


def _point_intersects(parts: _Parts) -> Condition:
    return or_(
        *([parts.points.has(FIRST)] if parts.points else []),
        *([parts.lines.hold(FIRST)] if parts.lines else []),
        *([parts.areas.place(FIRST) >= 0] if parts.areas else []),
    )


def _line_within(parts: _Parts) -> Condition:
    if parts.lines:
        return parts.lines.cover_line()
    if parts.areas:
        areas = parts.areas
        inside = and_(not_(areas.cross_line()), not_(areas.leave_a_piece()), areas.hold_a_piece())
        return case((areas.touch_line(), inside), else_=areas.place(FIRST) == 1)
    return false()


def _point_within(parts: _Parts) -> Condition:
    if parts.lines:
        return and_(parts.lines.hold(FIRST), not_(parts.lines.have_end(FIRST)))
    if parts.areas:
        return parts.areas.place(FIRST) == 1
    return parts.points.has(FIRST) if parts.points else false()


def _line_contains(parts: _Parts) -> Condition:
    if parts.areas:
        return false()
    needed = [parts.points.all_on_line()] if parts.points else []
    if parts.lines:
        needed.append(parts.lines.are_covered_by_line())
    elif parts.points:
        needed.append(parts.points.any_inside_line())
    return and_(*needed)


def _point_contains(parts: _Parts) -> Condition:
    if parts.lines or parts.areas or not parts.points or len(parts.geometry.points) > 1:
        return false()
    return parts.points.has(FIRST)


def _line_equals(parts: _Parts) -> Condition:
    if parts.areas or not parts.lines:
        return false()
    return and_(parts.lines.cover_line(), _line_contains(parts))


def _line_touches(parts: _Parts) -> Condition:
    if parts.lines:
        lines = parts.lines
        return and_(lines.meet_line(), not_(lines.share_a_stretch()), not_(lines.meet_inside()))
    if parts.areas:
        areas = parts.areas
        return and_(areas.touch_line(), not_(areas.cross_line()), not_(areas.hold_a_piece()))
    return and_(parts.points.any_on_line(), not_(parts.points.any_inside_line())) if parts.points else false()


def _point_touches(parts: _Parts) -> Condition:
    if parts.lines:
        return parts.lines.have_end(FIRST)
    return parts.areas.place(FIRST) == 0 if parts.areas else false()


def _line_crosses(parts: _Parts) -> Condition:
    if parts.lines:
        return and_(parts.lines.meet_inside(), not_(parts.lines.share_a_stretch()))
    if parts.areas:
        areas = parts.areas
        return or_(areas.cross_line(), and_(areas.hold_a_piece(), areas.leave_a_piece()))
    return and_(parts.points.any_inside_line(), not_(parts.points.all_on_line())) if parts.points else false()


def _line_overlaps(parts: _Parts) -> Condition:
    if not parts.lines:
        return false()
    lines = parts.lines
    return and_(lines.share_a_stretch(), not_(lines.cover_line()), not_(lines.are_covered_by_line()))


def _never(_parts: _Parts) -> Condition:
    return false()


_Rule = Callable[[_Parts], Condition]
_RELATIONS: Mapping[str, tuple[_Rule, _Rule]] = {
    "s_intersects": (_line_intersects, _point_intersects),
    "s_disjoint": (
        lambda parts: not_(_line_intersects(parts)),
        lambda parts: not_(_point_intersects(parts)),
    ),
    "s_within": (_line_within, _point_within),
    "s_contains": (_line_contains, _point_contains),
    "s_equals": (_line_equals, _point_contains),
    "s_touches": (_line_touches, _point_touches),
    "s_crosses": (_line_crosses, _never),
    "s_overlaps": (_line_overlaps, _never),
}
"""Each relation for a track that is a line, and for one that is a point."""
TRACK_OPERATORS = tuple(_RELATIONS)
SWAPPED = {"s_within": "s_contains", "s_contains": "s_within"}
"""The relation of two geometries in the other order, where it is another one."""
