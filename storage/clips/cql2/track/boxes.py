"""Whether a clip's track meets a box: by the box around the track where that decides, and else exactly.

The exact comparison is the function `track_meets_box` of the database. In full, as for other areas, its SQL takes
longer to write and to plan than to run.
"""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Boolean, Float, Numeric, and_, case, func, literal, or_, true

from storage.clips.cql2.track.geometry import HALF, ROOM, TURN
from storage.clips.cql2.track.rows import Condition, at_the_antimeridian
from storage.tables import clips

_c = clips.c


def meets(west: Decimal, south: Decimal, east: Decimal, north: Decimal) -> Condition:
    """Whether a track has a point in a box, edges included; `east` is above 180 if it crosses the antimeridian."""
    sides = (literal(side, Numeric) for side in (west, south, east, north))
    turned = true() if east > HALF else at_the_antimeridian()
    exactly: Condition = func.track_meets_box(_c.track, *sides, turned, type_=Boolean)
    # CASE, as OR does not say which is computed first; and a clip that has no box is compared exactly.
    return case((_is_inside(*map(float, (west, south, east, north))), true()), else_=exactly)


def _is_inside(west: float, south: float, east: float, north: float) -> Condition:
    """Whether the box around a track lies in a box, with room for what was rounded: then its first position does."""
    turns = [0.0, float(TURN)] if east > HALF else [0.0]
    longitudes = (
        and_(
            _c.min_longitude >= literal(west + ROOM - turn, Float),
            _c.max_longitude <= literal(east - ROOM - turn, Float),
        )
        for turn in turns
    )
    latitudes = _c.min_latitude >= literal(south + ROOM, Float), _c.max_latitude <= literal(north - ROOM, Float)
    return and_(*latitudes, _c.min_longitude <= _c.max_longitude, or_(*longitudes))
