"""Shapes by the index of clips' boxes: the clips whose box meets the box around a shape.

PostgreSQL compares boxes with a tolerance of 1e-6 degrees, so a few more are found; the filter itself is exact.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float, and_, func, literal_column
from sqlalchemy.types import NullType

from storage.clips.cql2.shapes import TURN, Box
from storage.clips.cql2.tree import SpatialRelation
from storage.statements.forms import Condition
from storage.statements.prepared import Template
from storage.tables import clips
from storage.tables.clips import BOX

_BOUNDED = ("s_intersects", "s_within")
"""Relations that hold of nothing far from the shape."""
_BOX: ColumnElement[Any] = literal_column(
    BOX.replace("min_l", "clips.min_l").replace("max_l", "clips.max_l"), NullType()
)


def near(leaf: SpatialRelation) -> list[Condition]:
    """The conditions that the index answers, one of which holds; none for a relation that holds of what is far away."""
    if leaf.name.lower() not in _BOUNDED:
        return []
    boxes = [part if isinstance(part, Box) else part.bounds() for part in leaf.shape]
    return [_meets(box, turn) for box in boxes for turn in _turns(box)]


def _turns(box: Box) -> list[float]:
    """By how many degrees a box may lie beside those of clips, which begin between -180 and 180 and end below 540."""
    return [turn for turn in (0.0, TURN, -TURN) if box.east + turn >= -180 and box.west + turn < 540]


def _meets(box: Box, turn: float) -> Condition:
    return _MEETS.bound(west=box.west + turn, south=box.south, east=box.east + turn, north=box.north)


def _box_meets(
    west: ColumnElement[float], south: ColumnElement[float], east: ColumnElement[float], north: ColumnElement[float]
) -> ColumnElement[bool]:
    asked = func.box(func.point(west, south), func.point(east, north), type_=NullType())
    meets: ColumnElement[bool] = _BOX.op("&&", is_comparison=True)(asked)
    return and_(clips.c.min_latitude.is_not(None), meets)


_FLOAT: Float[float] = Float()
_MEETS = Template(_box_meets, west=_FLOAT, south=_FLOAT, east=_FLOAT, north=_FLOAT)
