"""The track of a clip: where the vehicle was, simplified to a size that maps and indexes can handle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.extraction.outputs import MAX_TRACK_POINTS
from triggers.drives.series import SignalSeries

METRES_PER_DEGREE = 111_320.0
TOLERANCE_M = 1.0
MAX_INPUT_POINTS = 20_000
MAX_AGE_NS = 2_000_000_000
"""A longitude belongs to a latitude when it was measured at most this long before it."""


def track(latitude: SignalSeries, longitude: SignalSeries) -> tuple[tuple[float, float], ...]:
    """The (latitude, longitude) points in degrees, at most MAX_TRACK_POINTS, omitted points lie within TOLERANCE_M.

    If that takes more points, the tolerance is doubled until they suffice. Values that are not a position are left out.
    """
    points = _points(latitude, longitude)
    if len(points) > MAX_INPUT_POINTS:
        points = points[np.linspace(0, len(points) - 1, MAX_INPUT_POINTS).astype(int)]
    tolerance_m = TOLERANCE_M
    kept = simplify(points, tolerance_m)
    while len(kept) > MAX_TRACK_POINTS:
        tolerance_m *= 2
        kept = simplify(points, tolerance_m)
    return tuple((float(lat), float(lon)) for lat, lon in kept)


def _points(latitude: SignalSeries, longitude: SignalSeries) -> NDArray[np.float64]:
    lat_ns, lat = latitude
    lon_ns, lon = longitude
    if not len(lat) or not len(lon):
        return np.empty((0, 2))
    at = np.searchsorted(lon_ns, lat_ns, side="right") - 1
    known = (at >= 0) & (lat_ns - lon_ns[np.maximum(at, 0)] <= MAX_AGE_NS)
    points = np.column_stack((lat, lon[np.maximum(at, 0)]))
    with np.errstate(invalid="ignore"):
        places = np.isfinite(points).all(axis=1) & (np.abs(points) <= (90.0, 180.0)).all(axis=1)
    return points[known & places]


def simplify(points: NDArray[np.float64], tolerance_m: float) -> NDArray[np.float64]:
    """The points (degrees) that Ramer-Douglas-Peucker selects, on the plane that touches the earth at their middle."""
    if len(points) < 3:
        return points
    scale = np.array([1.0, np.cos(np.radians(points[:, 0].mean()))]) * METRES_PER_DEGREE
    plane_m = points * scale
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances_m = _distances(plane_m[first + 1 : last], plane_m[first], plane_m[last])
        farthest = int(distances_m.argmax())
        if distances_m[farthest] > tolerance_m:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points[keep]


def _distances(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance of each point from the straight line segment between two others."""
    along = end - start
    length_squared = float(along @ along)
    shares = np.zeros(len(points)) if length_squared == 0 else np.clip((points - start) @ along / length_squared, 0, 1)
    return np.asarray(np.linalg.norm(points - (start + shares[:, None] * along), axis=1))
