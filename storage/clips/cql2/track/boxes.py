"""Whether a clip's track meets a box: by the box around the track where that decides, and else exactly.

The exact comparison is the function `track_meets_box` of the database. In full, as for other areas, its SQL takes
longer to write and to plan than to run.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Float, Numeric, and_, case, false, func, null, or_, true

from storage.clips.cql2.track.geometry import HALF, ROOM, TURN
from storage.clips.cql2.track.rows import Condition, Number, at_the_antimeridian, has_track
from storage.statements.prepared import Bound, Template
from storage.tables import clips

_c = clips.c


def meets(west: Decimal, south: Decimal, east: Decimal, north: Decimal) -> Bound:
    """Whether a track has a point in a box, edges included; `east` is above 180 if it crosses the antimeridian.

    Unknown without a track.
    """
    relation = _MEETS_ACROSS if east > HALF else _MEETS
    return relation.bound(
        west=west,
        south=south,
        east=east,
        north=north,
        inner_west=float(west) + ROOM,
        inner_south=float(south) + ROOM,
        inner_east=float(east) - ROOM,
        inner_north=float(north) - ROOM,
    )


def _meets(sides: Sequence[Number], inner: Sequence[ColumnElement[float]], *, across: bool) -> Condition:
    """`inner` are the sides as doubles, with room for what was rounded: `across` the antimeridian or not."""
    inner_west, inner_south, inner_east, inner_north = inner
    turned = true() if across else at_the_antimeridian()
    # Of a track whose box lies inside, the first position does.
    is_inside = and_(
        _c.min_latitude >= inner_south,
        _c.max_latitude <= inner_north,
        _c.min_longitude <= _c.max_longitude,
        or_(
            and_(_c.min_longitude >= inner_west, _c.max_longitude <= inner_east),
            and_(_c.min_longitude >= inner_west - float(TURN), _c.max_longitude <= inner_east - float(TURN))
            if across
            else false(),
        ),
    )
    exactly: Condition = func.track_meets_box(_c.track, *sides, turned, type_=Boolean)
    # CASE, as OR does not say which is computed first; and a clip that has no box is compared exactly.
    return case((has_track(), case((is_inside, true()), else_=exactly)), else_=null())


def _template(*, across: bool) -> Template:
    exact: Numeric[Decimal] = Numeric()
    double: Float[float] = Float()

    def write(**given: Any) -> Condition:
        return _meets([given[side] for side in _SIDES], [given[f"inner_{side}"] for side in _SIDES], across=across)

    return Template(
        write, **dict.fromkeys(_SIDES, exact), **dict.fromkeys((f"inner_{side}" for side in _SIDES), double)
    )


_SIDES = ("west", "south", "east", "north")
_MEETS, _MEETS_ACROSS = _template(across=False), _template(across=True)
