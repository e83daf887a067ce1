"""Finds maneuvers in a clip's signals: hard braking, standstill, and a car that cuts in.

The computation uses only the samples and knows nothing about triggers, so its labels are a second opinion. All times
are ns since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triggers.drives.series import SignalSeries
from triggers.drives.times import Times
from triggers.times import NS_PER_S


class LabelSpan(NamedTuple):
    """A maneuver, from its first to its last sample."""

    kind: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Parameters:
    """The thresholds of the labeler; their digest is part of its labels' provenance."""

    hard_braking_m_s2: float = 2.0
    hard_braking_s: float = 0.3
    standstill_m_s: float = 0.3
    standstill_s: float = 0.5
    cut_in_jump_m: float = 4.0
    cut_in_within_s: float = 0.5
    cut_in_before_s: float = 1.5
    merge_gap_s: float = 0.4
    smoothing_s: float = 0.5

    def document(self) -> dict[str, float]:
        """As JSON values."""
        return asdict(self)


def find_maneuvers(signals: Mapping[str, SignalSeries], parameters: Parameters) -> list[LabelSpan]:
    """Every maneuver, in order of time. Signals are found by the end of their names (`speed`, `lead.distance`)."""
    maneuvers: list[LabelSpan] = []
    speed = _first_with(signals, ("ego.speed", "speed", "speed.value"))
    accel = _first_with(signals, ("ego.accel",)) or (speed and _derivative(speed, parameters.smoothing_s))
    distance = _first_with(signals, ("lead.distance",))
    if accel:
        braking = accel.values < -parameters.hard_braking_m_s2
        maneuvers += _intervals("hard_braking", accel.t_ns, braking, parameters.hard_braking_s, parameters)
    if speed:
        standing = speed.values < parameters.standstill_m_s
        maneuvers += _intervals("standstill", speed.t_ns, standing, parameters.standstill_s, parameters)
    if distance:
        maneuvers += _cut_ins(distance, parameters)
    return sorted(maneuvers, key=lambda interval: (interval.start_ns, interval.kind))


def _first_with(signals: Mapping[str, SignalSeries], endings: tuple[str, ...]) -> SignalSeries | None:
    for ending in endings:
        for name in sorted(signals):
            if (name == ending or name.endswith(f".{ending}")) and signals[name].t_ns.size > 1:
                return signals[name]
    return None


def _derivative(speed: SignalSeries, smoothing_s: float) -> SignalSeries:
    """Acceleration for cars without an accelerometer: the difference quotient over `smoothing_s` to each side."""
    half_ns = int(smoothing_s * NS_PER_S)
    before = np.clip(np.searchsorted(speed.t_ns, speed.t_ns - half_ns), 0, speed.t_ns.size - 1)
    after = np.clip(np.searchsorted(speed.t_ns, speed.t_ns + half_ns, side="right") - 1, 0, speed.t_ns.size - 1)
    dt_s = np.maximum((speed.t_ns[after] - speed.t_ns[before]) / NS_PER_S, 1e-3)
    return SignalSeries(speed.t_ns, (speed.values[after] - speed.values[before]) / dt_s)


def _intervals(
    kind: str, t_ns: Times, holds: NDArray[np.bool_], minimum_s: float, parameters: Parameters
) -> list[LabelSpan]:
    """The intervals in which the condition holds; those close together are merged, and short ones left out."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], holds, [False])).astype(np.int8)))
    merged: list[LabelSpan] = []
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        start_ns, end_ns = int(t_ns[first]), int(t_ns[end - 1])
        if merged and start_ns - merged[-1].end_ns <= parameters.merge_gap_s * NS_PER_S:
            merged[-1] = merged[-1]._replace(end_ns=end_ns)
        else:
            merged.append(LabelSpan(kind, start_ns, end_ns))
    return [interval for interval in merged if interval.end_ns - interval.start_ns >= minimum_s * NS_PER_S]


def _cut_ins(distance: SignalSeries, parameters: Parameters) -> list[LabelSpan]:
    """Moments at which the lead's distance falls by metres between samples, because another car is the lead now."""
    within = np.diff(distance.t_ns) <= parameters.cut_in_within_s * NS_PER_S
    jumps = np.flatnonzero((np.diff(distance.values) < -parameters.cut_in_jump_m) & within)
    before_ns = int(parameters.cut_in_before_s * NS_PER_S)
    first_ns = int(distance.t_ns[0])
    cut_ins: list[LabelSpan] = []
    for i in jumps:
        start_ns, end_ns = max(first_ns, int(distance.t_ns[i]) - before_ns), int(distance.t_ns[i + 1])
        if cut_ins and start_ns <= cut_ins[-1].end_ns:  # the radar saw the same change in two steps
            cut_ins[-1] = cut_ins[-1]._replace(end_ns=end_ns)
        else:
            cut_ins.append(LabelSpan("cut_in", start_ns, end_ns))
    return cut_ins
