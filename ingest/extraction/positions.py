"""The positions of a clip: latitudes and longitudes paired, in range, and without those that no car can drive to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triggers.clips.damage import Remark
from triggers.drives.series import SignalSeries
from triggers.times import NS_PER_S

METRES_PER_DEGREE = 111_320.0
MAX_AGE_NS = 2_000_000_000
"""A longitude belongs to a latitude, and a latitude to a longitude, that was measured at most this long after it."""
MAX_SPEED_M_S = 150.0
MAX_STEP_M = 100.0
"""What a receiver's position may be off by, whatever the time between two of them."""
_LOOK_BACK = 256
_MAX_LONGITUDE = 360.0


class Positions(NamedTuple):
    """Latitudes and longitudes (-180 to 180) in degrees, at the times of all samples of either.

    `at_latitude` marks those of latitudes.
    """

    t_ns: NDArray[np.int64]
    points: NDArray[np.float64]
    at_latitude: NDArray[np.bool_]

    def continuous(self) -> NDArray[np.float64]:
        """The same points with longitudes that go on beyond 180 where the track crosses the antimeridian."""
        if not len(self.points):
            return self.points
        return np.column_stack((self.points[:, 0], np.unwrap(self.points[:, 1], period=360.0)))


def positions(latitude: SignalSeries, longitude: SignalSeries, remarks: list[Remark]) -> Positions:
    """The positions that a car can have had. What is left out is told in `remarks`."""
    wrong: list[str] = []
    paired = _paired(_in_range(latitude, 90.0, "latitude", wrong), _normalised(longitude, wrong))
    if wrong:
        # A wrong sample among right ones is no more than a jump; without any the clip cannot be found by its place.
        reason = "positions_left_out" if len(paired.points) else "position_out_of_range"
        remarks.append(Remark(reason, "; ".join(wrong)))
    likely = likely_positions(paired)
    left_out = int(np.count_nonzero(~likely))
    if left_out:
        first = paired.points[int(np.argmin(likely))]
        of = f"{left_out} of {len(likely)} positions are farther from the others than a car can drive"
        remarks.append(Remark("positions_left_out", f"{of} (the first at {first[0]:.5f}, {first[1]:.5f})", left_out))
    return Positions(paired.t_ns[likely], paired.points[likely], paired.at_latitude[likely])


def _in_range(series: SignalSeries, limit: float, what: str, wrong: list[str]) -> SignalSeries:
    """The finite samples within the limit; infinity means "measured but invalid", which is no mistake."""
    finite = np.isfinite(series.values)
    within = finite & (np.abs(np.where(finite, series.values, 0.0)) <= limit)
    outside = finite & ~within
    if outside.any():
        first = float(series.values[int(np.argmax(outside))])
        count = int(np.count_nonzero(outside))
        wrong.append(f"{count} of {len(finite)} samples of the {what} are out of range (the first is {first:g})")
    return SignalSeries(series.t_ns[within], series.values[within])


def _normalised(longitude: SignalSeries, wrong: list[str]) -> SignalSeries:
    """Longitudes as -180 to 180; some receivers count from 0 to 360."""
    known = _in_range(longitude, _MAX_LONGITUDE, "longitude", wrong)
    wrapped = np.where(np.abs(known.values) > 180.0, (known.values + 180.0) % 360.0 - 180.0, known.values)
    return SignalSeries(known.t_ns, wrapped)


def _paired(latitude: SignalSeries, longitude: SignalSeries) -> Positions:
    """A position at each sample of either, with the latest sample of the other."""
    t_ns = np.union1d(latitude.t_ns, longitude.t_ns)
    if not len(latitude.t_ns) or not len(longitude.t_ns):
        return Positions(t_ns[:0], np.empty((0, 2)), np.empty(0, dtype=bool))
    columns, known = [], np.ones(len(t_ns), dtype=bool)
    for series in (latitude, longitude):
        at = np.searchsorted(series.t_ns, t_ns, side="right") - 1
        known &= (at >= 0) & (t_ns - series.t_ns[np.maximum(at, 0)] <= MAX_AGE_NS)
        columns.append(series.values[np.maximum(at, 0)])
    at_latitude = np.isin(t_ns, latitude.t_ns)
    return Positions(t_ns[known], np.column_stack(columns)[known], at_latitude[known])


def likely_positions(found: Positions) -> NDArray[np.bool_]:
    """Which positions belong to the longest drive through them: each can be reached from the one before.

    Runs of positions that can be reached from each other are taken or left as a whole: the cost is that of the jumps.
    """
    count = len(found.t_ns)
    if count < 2:
        return np.ones(count, dtype=bool)
    jumps = ~_reachable(found.t_ns[:-1], found.points[:-1], found.t_ns[1:], found.points[1:])
    firsts = np.append(0, np.flatnonzero(jumps) + 1)
    lasts = np.append(firsts[1:] - 1, count - 1)
    best = (lasts - firsts + 1).astype(np.int64)
    before = np.full(len(firsts), -1)
    for run in range(1, len(firsts)):
        earlier = slice(max(0, run - _LOOK_BACK), run)
        ends = lasts[earlier]
        reached = _reachable(found.t_ns[ends], found.points[ends], found.t_ns[firsts[run]], found.points[firsts[run]])
        if reached.any():
            chosen = int(np.where(reached, best[earlier], -1).argmax())
            before[run] = earlier.start + chosen
            best[run] += best[before[run]]
    likely = np.zeros(count, dtype=bool)
    run = int(best.argmax())
    while run >= 0:
        likely[firsts[run] : lasts[run] + 1] = True
        run = int(before[run])
    return likely


def _reachable(
    from_ns: NDArray[np.int64],
    from_points: NDArray[np.float64],
    to_ns: NDArray[np.int64],
    to_points: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether a car can be at the second position when it was at the first, on the plane between them."""
    north = to_points[..., 0] - from_points[..., 0]
    east = (to_points[..., 1] - from_points[..., 1] + 180.0) % 360.0 - 180.0
    east = east * np.cos(np.radians((to_points[..., 0] + from_points[..., 0]) / 2))
    metres = np.hypot(north, east) * METRES_PER_DEGREE
    return np.asarray(metres <= MAX_STEP_M + MAX_SPEED_M_S * ((to_ns - from_ns) / NS_PER_S))
