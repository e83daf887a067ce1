"""How far a drive went: from the speed signal `ego.speed` where the drive has it, else from the position.

Speed is held from sample to sample (for at most 10 s, as some cars tell theirs every few seconds), positions are joined
by great circles; neither over an interruption of the recording. Without either the distance is unknown.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import numpy as np

from triggers.contracts.base import NS_PER_S
from triggers.drives.batches import Batch
from triggers.drives.columns import Numbers
from triggers.drives.times import Times, uninitialised
from triggers.language.reference.geometry import EARTH_RADIUS_M
from triggers.signals.catalog import SignalCatalog
from triggers.signals.units import parse_unit

SPEED_SIGNAL = "ego.speed"
MAX_HOLD_NS = 10 * NS_PER_S


class Odometer(Protocol):
    """Adds up the distance of one drive, batch by batch."""

    metres: float

    @property
    def signals(self) -> tuple[str, ...]:
        """What it reads."""

    def take(self, batch: Batch) -> None:
        """Count on with the rows that follow those taken before."""


def odometer_for(catalog: SignalCatalog, columns: Collection[str]) -> Odometer | None:
    """What can measure a drive with these columns; None if nothing can."""
    present = set(columns)
    speed = catalog.signals.get(SPEED_SIGNAL)
    unit, metre_per_second = parse_unit(speed.unit) if speed else None, parse_unit("m/s")
    is_speed = unit is not None and metre_per_second is not None and unit.dimension == metre_per_second.dimension
    if unit is not None and is_speed and catalog.column(SPEED_SIGNAL) in present:
        return SpeedOdometer(float(unit.scale), catalog.max_gap_ns)
    position = catalog.position
    if position and all(catalog.column(name) in present for name in (position.latitude, position.longitude)):
        return PositionOdometer(position.latitude, position.longitude, catalog.max_gap_ns)
    return None


class SpeedOdometer:
    """The sum of speed times time. `scale` turns the signal's unit into m/s."""

    signals = (SPEED_SIGNAL,)

    def __init__(self, scale: float, max_gap_ns: int) -> None:
        self.metres = 0.0
        self._scale = scale
        self._interruptions = _Interruptions(max_gap_ns)
        self._latest: tuple[Times, Numbers] | None = None
        self._is_dense = True

    def take(self, batch: Batch) -> None:
        """Add the way between the samples of these rows, and from the latest sample before them."""
        gaps, begins_anew = self._interruptions.of(batch)
        latest = None if begins_anew else self._latest
        speed = batch.columns[SPEED_SIGNAL]
        if speed is None:
            self._latest = None if len(gaps) else latest
            return
        self._is_dense = self._is_dense and not len(gaps) and _is_finite_throughout(speed)  # once sparse, always so
        if self._is_dense:
            self._add(speed[:-1], batch.steps_ns)
            rows = np.array([0, len(speed) - 1])
        else:
            rows = np.flatnonzero(~np.isnan(speed))
            stretch = np.searchsorted(gaps, rows, side="right")
            counts = (stretch[1:] == stretch[:-1]) & np.isfinite(speed[rows[:-1]])
            self._add(speed[rows[:-1]][counts], np.diff(batch.t_ns[rows])[counts])
        if latest is not None and len(rows) and not (gaps <= rows[0]).any():
            self._add(latest[1], batch.t_ns[rows[:1]] - latest[0])
        if len(rows):
            latest = batch.t_ns[rows[-1:]], speed[rows[-1:]]
        last_row = rows[-1] if len(rows) else -1
        self._latest = None if (gaps > last_row).any() else latest

    def _add(self, speed: Numbers, steps_ns: Times) -> None:
        if not len(speed):
            return
        if steps_ns.max() > MAX_HOLD_NS or not np.isfinite(speed[0]):
            counts = (steps_ns <= MAX_HOLD_NS) & np.isfinite(speed)
            speed, steps_ns = speed[counts], steps_ns[counts]
        way = uninitialised(len(speed), np.float64)
        way[:] = steps_ns
        way *= speed
        self.metres += float(np.abs(way, out=way).sum()) * self._scale / 1e9  # a dot product would start BLAS's threads


def _is_finite_throughout(numbers: Numbers) -> bool:
    return bool(np.isfinite(numbers.min()) and np.isfinite(numbers.max()))


class _Interruptions:
    """Where a recording was interrupted: silences longer than `max_gap` between two rows."""

    def __init__(self, max_gap_ns: int) -> None:
        self._max_gap_ns = max_gap_ns
        self._latest_ns: int | None = None

    def of(self, batch: Batch) -> tuple[Times, bool]:
        """The rows after a silence, but for the first row, and whether there was one before that."""
        begins_anew = self._latest_ns is not None and int(batch.t_ns[0]) - self._latest_ns > self._max_gap_ns
        self._latest_ns = int(batch.t_ns[-1])
        if batch.longest_step_ns <= self._max_gap_ns:
            return np.empty(0, np.int64), begins_anew
        return np.flatnonzero(batch.steps_ns > self._max_gap_ns) + 1, begins_anew


class PositionOdometer:
    """The sum of the great circles between positions, of which both coordinates came in one row."""

    def __init__(self, latitude: str, longitude: str, max_gap_ns: int) -> None:
        self.signals = (latitude, longitude)
        self.metres = 0.0
        self._interruptions = _Interruptions(max_gap_ns)
        self._place: tuple[Numbers, Numbers] | None = None

    def take(self, batch: Batch) -> None:
        """Add the way between the positions of these rows, and from the latest position before them."""
        gaps, begins_anew = self._interruptions.of(batch)
        if begins_anew:
            self._place = None
        rows, latitude, longitude = self._places(batch)
        stretch = np.searchsorted(gaps, rows, side="right")  # interruptions before each position
        if self._place is not None:
            latitude, longitude = (
                np.concatenate(pair) for pair in zip(self._place, (latitude, longitude), strict=True)
            )
            stretch = np.concatenate(([0], stretch))
        joined = stretch[1:] == stretch[:-1]
        way = great_circle_m(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
        self.metres += float(way[joined].sum())
        ends_here = len(stretch) > 0 and int(stretch[-1]) == len(gaps)
        self._place = (latitude[-1:], longitude[-1:]) if ends_here else None

    def _places(self, batch: Batch) -> tuple[Times, Numbers, Numbers]:
        """Rows with a position, and the positions in radians."""
        latitude, longitude = (batch.columns[signal] for signal in self.signals)
        if latitude is None or longitude is None:
            return np.empty(0, np.int64), np.empty(0), np.empty(0)
        rows = np.flatnonzero((np.abs(latitude) <= 90) & (np.abs(longitude) <= 360))
        return rows, np.radians(latitude[rows]), np.radians(longitude[rows])


def great_circle_m(latitude_a: Numbers, longitude_a: Numbers, latitude_b: Numbers, longitude_b: Numbers) -> Numbers:
    """Distances of places (radians) on a sphere, in metres (haversine)."""
    north, east = np.sin((latitude_b - latitude_a) / 2), np.sin((longitude_b - longitude_a) / 2)
    square = north * north + np.cos(latitude_a) * np.cos(latitude_b) * east * east
    metres: Numbers = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(square)))
    return metres
