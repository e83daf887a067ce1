"""The track of a clip, simplified to a size that maps can handle, and the box around all of its positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.extraction.outputs import MAX_TRACK_POINTS, Box
from ingest.extraction.positions import METRES_PER_DEGREE, Positions

TOLERANCE_M = 1.0
MAX_INPUT_POINTS = 20_000


def box(found: Positions) -> Box | None:
    """The box around every position, not only around the track; None without one. Its west may be beyond its east."""
    if not len(found.points):
        return None
    longitudes = found.continuous()[:, 1]
    south, north = float(found.points[:, 0].min()), float(found.points[:, 0].max())
    west, east = int(longitudes.argmin()), int(longitudes.argmax())
    if longitudes[east] - longitudes[west] >= 360.0:
        return -180.0, south, 180.0, north
    return float(found.points[west, 1]), south, float(found.points[east, 1]), north


def track(found: Positions) -> tuple[tuple[float, float], ...]:
    """The (latitude, longitude) points in degrees, at most MAX_TRACK_POINTS, omitted points lie within TOLERANCE_M.

    If that takes more points, the tolerance is doubled until they suffice.
    """
    chosen = np.flatnonzero(found.at_latitude)
    if not len(chosen):  # the only latitude came before the first longitude
        chosen = np.arange(len(found.points))
    if len(chosen) > MAX_INPUT_POINTS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MAX_INPUT_POINTS).astype(int)]
    points, tolerance_m = found.continuous()[chosen], TOLERANCE_M
    kept = simplified(points, tolerance_m)
    while np.count_nonzero(kept) > MAX_TRACK_POINTS:
        tolerance_m *= 2
        kept = simplified(points, tolerance_m)
    return tuple((float(latitude), float(longitude)) for latitude, longitude in found.points[chosen[kept]])


def simplified(points: NDArray[np.float64], tolerance_m: float) -> NDArray[np.bool_]:
    """Which points (degrees) Ramer-Douglas-Peucker selects, on the plane that touches the earth at their middle."""
    if len(points) < 3:
        return np.ones(len(points), dtype=bool)
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
    return keep


def _distances(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance of each point from the straight line segment between two others."""
    along = end - start
    length_squared = float(along @ along)
    shares = np.zeros(len(points)) if length_squared == 0 else np.clip((points - start) @ along / length_squared, 0, 1)
    return np.asarray(np.linalg.norm(points - (start + shares[:, None] * along), axis=1))
