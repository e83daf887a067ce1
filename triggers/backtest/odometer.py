"""How far a drive went: from the speed signal `ego.speed` where the drive has it, else from the position.

Speed is held from sample to sample (at most `max_gap`), positions are joined by great circles. Without either
the distance is unknown.
"""

from __future__ import annotations

import math

from triggers.catalog import SignalCatalog
from triggers.drives import Drive
from triggers.language.geometry import EARTH_RADIUS_M
from triggers.language.interpreter import Row
from triggers.language.units import parse_unit

SPEED_SIGNAL = "ego.speed"


class Odometer:
    """Adds up the distance of one drive."""

    def __init__(self, catalog: SignalCatalog) -> None:
        self._catalog = catalog
        self._max_gap_ns = catalog.max_gap_ns
        self._speed_scale: float | None = None
        self._position: tuple[str, str] | None = None
        self._speed: tuple[int, float] | None = None
        self._place: tuple[float, float] | None = None
        self._metres = 0.0

    def signals_in(self, drive: Drive) -> set[str]:
        """The signals to measure a drive by: those of its columns that can serve."""
        present = set(drive.columns)
        speed = self._catalog.signals.get(SPEED_SIGNAL)
        unit, metre_per_second = parse_unit(speed.unit) if speed else None, parse_unit("m/s")
        is_speed = unit is not None and metre_per_second is not None and unit.dimension == metre_per_second.dimension
        if unit is not None and is_speed and self._catalog.column(SPEED_SIGNAL) in present:
            self._speed_scale = float(unit.scale)
            return {SPEED_SIGNAL}
        position = self._catalog.position
        names = (position.latitude, position.longitude) if position else ()
        if position and all(self._catalog.column(name) in present for name in names):
            self._position = (position.latitude, position.longitude)
        return set(self._position or ())

    @property
    def metres(self) -> float | None:
        """The distance so far; None where nothing measures it."""
        return self._metres if self._speed_scale is not None or self._position is not None else None

    def interrupt(self) -> None:
        """The recording was interrupted: what lies between is not counted."""
        self._speed = self._place = None

    def take(self, row: Row) -> None:
        """Count on with a row's samples."""
        if self._speed_scale is not None:
            self._take_speed(row, self._speed_scale)
        elif self._position is not None:
            self._take_position(row, *self._position)

    def _take_speed(self, row: Row, scale: float) -> None:
        speed = row.samples.get(SPEED_SIGNAL)
        if speed is None:
            return
        if self._speed is not None and row.t_ns - self._speed[0] <= self._max_gap_ns:
            self._metres += abs(self._speed[1]) * scale * (row.t_ns - self._speed[0]) / 1e9
        self._speed = (row.t_ns, speed) if math.isfinite(speed) else None

    def _take_position(self, row: Row, latitude_signal: str, longitude_signal: str) -> None:
        latitude, longitude = row.samples.get(latitude_signal), row.samples.get(longitude_signal)
        if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 360):
            return
        place = (math.radians(latitude), math.radians(longitude))
        if self._place is not None:
            self._metres += great_circle_m(self._place, place)
        self._place = place


def great_circle_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two places (latitude, longitude in radians) on a sphere, in metres (haversine)."""
    north, east = math.sin((b[0] - a[0]) / 2), math.sin((b[1] - a[1]) / 2)
    square = north * north + math.cos(a[0]) * math.cos(b[0]) * east * east
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(square)))
