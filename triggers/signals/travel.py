"""What one step of a recorded speed counts as distance: the rule that meters of travel and trigger programs share."""

from __future__ import annotations

from triggers.signals.units import parse_unit
from triggers.times import NS_PER_S

SPEED_SIGNAL = "ego.speed"
MAX_HOLD_NS = 10 * NS_PER_S
"""No distance is counted between samples further apart than this. Some cars send their speed only every 7 s."""
MAX_SPEED_M_S = 1000.0
"""A sample above this (or infinite) is a sensor fault: no distance is counted up to it or from it."""


def speed_scale(unit: str) -> float | None:
    """A unit in m/s; None if it is not a unit of speed."""
    parsed, metre_per_second = parse_unit(unit), parse_unit("m/s")
    if parsed is None or metre_per_second is None or parsed.dimension != metre_per_second.dimension:
        return None
    return float(parsed.scale)


def metres_between(first_m_s: float, second_m_s: float, elapsed_ns: int) -> float:
    """The distance in metres between two successive samples of one segment; 0 if they do not count."""
    if elapsed_ns > MAX_HOLD_NS or not (abs(first_m_s) <= MAX_SPEED_M_S and abs(second_m_s) <= MAX_SPEED_M_S):
        return 0.0
    return (abs(first_m_s) + abs(second_m_s)) / 2 * elapsed_ns / NS_PER_S
