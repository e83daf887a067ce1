"""The distance of a recorded drive, batch by batch: from its speed (see `triggers.distance`), else from its position.

Positions are joined by great circles, unless the recording was interrupted between them. Without speed or position the
distance is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from triggers.distance import SPEED_SIGNAL, SpeedSignal, ends_segment, metres_along, metres_between, speed_signal
from triggers.drives.batches import Batch
from triggers.drives.columns import Numbers
from triggers.drives.times import Times
from triggers.language.earth import EARTH_RADIUS_M
from triggers.signals.catalog import SignalCatalog


def odometer_for(catalog: SignalCatalog, has: Callable[[str], bool]) -> SpeedOdometer | PositionOdometer | None:
    """The odometer for a drive that has these signals; None if it has neither speed nor position."""
    speed = speed_signal(catalog, [SPEED_SIGNAL])
    if speed is not None and has(speed.name):
        return SpeedOdometer(speed, catalog.max_gap_ns)
    position = catalog.position
    if position and all(map(has, (position.latitude, position.longitude))):
        return PositionOdometer(position.latitude, position.longitude, catalog.max_gap_ns)
    return None


class SpeedOdometer:
    """The integral of the speed: the same as `TravelMeter`, but over arrays instead of row by row."""

    def __init__(self, speed: SpeedSignal, max_gap_ns: int) -> None:
        self.signals = (speed.name,)
        self.metres = 0.0
        self._scale = speed.scale
        self._segments = _SegmentStarts(max_gap_ns)
        self._latest: tuple[int, float] | None = None
        """Time and value of the segment's latest sample."""
        self._is_dense = True
        """Whether every row so far had a sample; once one had none, later batches are no longer checked."""

    def take(self, batch: Batch) -> None:
        """Add the distance between the samples of these rows, and from the latest sample before them."""
        starts = self._segments.of(batch)
        if len(starts) and starts[0] == 0:
            self._latest = None
        speed = batch.columns[self.signals[0]]
        if speed is not None:
            self._is_dense = self._is_dense and not math.isnan(speed.min())  # NaN if any of the numbers is
            rows = np.array([0, len(speed) - 1]) if self._is_dense else np.flatnonzero(~np.isnan(speed))
            if len(rows):
                self._add(batch, speed, rows, starts)
                return
        if len(starts):
            self._latest = None

    def _add(self, batch: Batch, speed: Numbers, rows: Times, starts: Times) -> None:
        """`rows` are the rows with a sample, or only the first and the last row if all of them have one."""
        first, last = int(rows[0]), int(rows[-1])
        if self._latest is not None and not (starts <= first).any():
            t_ns, number = self._latest
            elapsed_ns = int(batch.t_ns[first]) - t_ns
            self.metres += metres_between(number * self._scale, float(speed[first]) * self._scale, elapsed_ns)
        self._latest = None if (starts > last).any() else (int(batch.t_ns[last]), float(speed[last]))
        if self._is_dense:
            joined = ~ends_segment(batch.steps_ns, self._segments.max_gap_ns) if len(starts) else None
            self.metres += metres_along(speed, batch.steps_ns, scale=self._scale, joined=joined)
            return
        segment = np.searchsorted(starts, rows, side="right")
        joined = segment[1:] == segment[:-1]
        self.metres += metres_along(speed[rows], np.diff(batch.t_ns[rows]), scale=self._scale, joined=joined)


class _SegmentStarts:
    """The rows at which the segments of a recording start."""

    def __init__(self, max_gap_ns: int) -> None:
        self.max_gap_ns = max_gap_ns
        self._latest_ns: int | None = None

    def of(self, batch: Batch) -> Times:
        """Indexes, ascending, of the next batch's rows that are in another segment than the row before them."""
        first_step_ns = int(batch.t_ns[0]) - self._latest_ns if self._latest_ns is not None else 1
        self._latest_ns = int(batch.t_ns[-1])
        starts = np.empty(0, np.int64)
        if batch.shortest_step_ns <= 0 or batch.longest_step_ns > self.max_gap_ns:
            starts = np.flatnonzero(ends_segment(batch.steps_ns, self.max_gap_ns)) + 1
        return np.append(0, starts) if ends_segment(first_step_ns, self.max_gap_ns) else starts


class PositionOdometer:
    """The sum of the great circles between positions; both coordinates of a position come in the same row."""

    def __init__(self, latitude: str, longitude: str, max_gap_ns: int) -> None:
        self.signals = (latitude, longitude)
        self.metres = 0.0
        self._segments = _SegmentStarts(max_gap_ns)
        self._place: tuple[Numbers, Numbers] | None = None

    def take(self, batch: Batch) -> None:
        """Add the distance between the positions of these rows, and from the latest position before them."""
        starts = self._segments.of(batch)
        if len(starts) and starts[0] == 0:
            self._place = None
        rows, latitude, longitude = self._places(batch)
        segment = np.searchsorted(starts, rows, side="right")
        if self._place is not None:
            latitude, longitude = (
                np.concatenate(pair) for pair in zip(self._place, (latitude, longitude), strict=True)
            )
            segment = np.concatenate(([0], segment))
        joined = segment[1:] == segment[:-1]
        way = great_circle_m(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
        self.metres += float(way[joined].sum())
        ends_here = len(segment) > 0 and int(segment[-1]) == len(starts)
        self._place = (latitude[-1:], longitude[-1:]) if ends_here else None

    def _places(self, batch: Batch) -> tuple[Times, Numbers, Numbers]:
        """The rows with a position, and their positions in radians."""
        latitude, longitude = (batch.columns[signal] for signal in self.signals)
        if latitude is None or longitude is None:
            return np.empty(0, np.int64), np.empty(0), np.empty(0)
        rows = np.flatnonzero((np.abs(latitude) <= 90) & (np.abs(longitude) <= 360))
        return rows, np.radians(latitude[rows]), np.radians(longitude[rows])


def great_circle_m(latitude_a: Numbers, longitude_a: Numbers, latitude_b: Numbers, longitude_b: Numbers) -> Numbers:
    """Great-circle distances in metres between places in radians (haversine)."""
    north, east = np.sin((latitude_b - latitude_a) / 2), np.sin((longitude_b - longitude_a) / 2)
    square = north * north + np.cos(latitude_a) * np.cos(latitude_b) * east * east
    metres: Numbers = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(square)))
    return metres
