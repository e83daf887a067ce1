"""Tracks against literal geometries: the relations of DE-9IM and distances, in SQL, exact for decimal coordinates.

geometry.py    points, lines and areas of a filter    validity.py   open, self-crossing and overlapping polygons
rows.py        segments and edges as rows             parts.py      points, lines and areas against a track
relations.py   S_INTERSECTS and the others            distance.py   metres between a track and a geometry
"""

from storage.clips.cql2.track.distance import bounds_within, distance_m
from storage.clips.cql2.track.geometry import Geometry, parse_geometry
from storage.clips.cql2.track.relations import SWAPPED, TRACK_OPERATORS, relation, require_related

__all__ = [
    "SWAPPED",
    "TRACK_OPERATORS",
    "Geometry",
    "bounds_within",
    "distance_m",
    "parse_geometry",
    "relation",
    "require_related",
]
