"""Armed time and distance: how long and how far a trigger could have fired, on vehicles and in backtests alike.

A *segment* is a stretch of rows without a gap longer than `max_gap` and without a step back in time. Time only counts
within segments. Distance is the integral of the speed's magnitude by the trapezoidal rule: between two samples of
one segment, at most `MAX_HOLD_NS` apart and both plausible, the speed changes linearly. Braking from 30 m/s to a stop
in 10 s is 150 m, whether it is sampled at 1 Hz or at 100 Hz.

`TravelMeter` takes one row at a time, as a vehicle gets them; `metres_along` takes arrays, as a backtest reads them.
Both give the same distance, except for the rounding of the sum (relative error 1e-9). What one step counts is said in
`triggers.signals.travel`, which the odometer of trigger programs shares.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from triggers.language.rows import Row
from triggers.signals.travel import MAX_HOLD_NS, MAX_SPEED_M_S, SPEED_SIGNAL, metres_between, speed_scale
from triggers.times import NS_PER_S

if TYPE_CHECKING:
    from triggers.signals.catalog import SignalCatalog

__all__ = [
    "MAX_HOLD_NS",
    "MAX_SPEED_M_S",
    "SPEED_SIGNAL",
    "SpeedSignal",
    "TravelMeter",
    "ends_segment",
    "metres_along",
    "metres_between",
    "speed_scale",
    "speed_signal",
]

Times = NDArray[np.int64]
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SpeedSignal:
    """The signal that distance is computed from, and the unit of its samples (any unit of speed)."""

    name: str
    unit: str = "m/s"

    @property
    def scale(self) -> float:
        """The unit in m/s. Raises ValueError if it is not a unit of speed."""
        scale = speed_scale(self.unit)
        if scale is None:
            raise ValueError(f"{self.unit} is not a unit of speed")
        return scale

    def speeds_m_s(self, rows: Iterable[Row]) -> list[float]:
        """The sample of each row in m/s; NaN for a row without one."""
        name, scale = self.name, self.scale
        return [row.samples.get(name, math.nan) * scale for row in rows]


def speed_signal(catalog: SignalCatalog, columns: Collection[str], name: str = SPEED_SIGNAL) -> SpeedSignal | None:
    """The speed signal of drives with these columns; None if it is absent or not a speed.

    Its column is one that the catalog names, or else one named like the signal; a derived signal has none.
    """
    signal = catalog.signals.get(name)
    if signal is None or speed_scale(signal.unit) is None or not set(catalog.columns(name)) & set(columns):
        return None
    return SpeedSignal(name, signal.unit)


@overload
def ends_segment(step_ns: int, max_gap_ns: int) -> bool: ...
@overload
def ends_segment(step_ns: Times, max_gap_ns: int) -> Mask: ...
def ends_segment(step_ns: int | Times, max_gap_ns: int) -> bool | Mask:
    """Whether a step from one row to the next leads into another segment; for one step or an array of steps."""
    return (step_ns <= 0) | (step_ns > max_gap_ns)


class TravelMeter:
    """Armed time (ns) and distance (m) over rows that come one at a time."""

    __slots__ = ("_max_gap_ns", "_row_ns", "_speed_m_s", "_speed_ns", "armed_ns", "metres")

    def __init__(self, max_gap_ns: int) -> None:
        self.armed_ns = 0
        self.metres = 0.0
        self._max_gap_ns = max_gap_ns
        self._row_ns: int | None = None
        self._speed_ns = 0
        self._speed_m_s = math.nan
        """The latest sample of this segment; NaN if there is none yet or it was not plausible."""

    def take(self, t_ns: int, speed_m_s: float) -> None:
        """Add the next row; NaN for a row without a speed sample."""
        if self._row_ns is not None:
            step_ns = t_ns - self._row_ns
            if ends_segment(step_ns, self._max_gap_ns):
                self._speed_m_s = math.nan
            else:
                self.armed_ns += step_ns
        self._row_ns = t_ns
        if not math.isnan(speed_m_s):
            self.metres += metres_between(self._speed_m_s, speed_m_s, t_ns - self._speed_ns)
            self._speed_ns, self._speed_m_s = t_ns, speed_m_s

    def end_drive(self) -> None:
        """End the drive: nothing is counted between its last row and the next row."""
        self._row_ns = None
        self._speed_m_s = math.nan


def metres_along(speeds: Numbers, elapsed_ns: Times, *, scale: float = 1.0, joined: Mask | None = None) -> float:
    """The sum of `metres_between` over successive samples; `scale` converts their unit into m/s.

    `speeds` has n samples (n > 0), `elapsed_ns` the n - 1 times between them, and `joined` says for each of these
    whether it is within one segment (None: all are).
    """
    limit = MAX_SPEED_M_S / scale
    slowest, fastest = float(speeds.min()), float(speeds.max())
    magnitudes = speeds if slowest >= 0 else np.abs(speeds)
    with np.errstate(over="ignore", invalid="ignore"):
        ways = magnitudes[1:] + magnitudes[:-1]
        ways *= elapsed_ns
    longest_ns = int(elapsed_ns.max(initial=0))
    # Most arrays count as a whole and need no mask, which would cost more than the sum. NaN fails the comparison.
    if joined is not None or not (-limit <= slowest and fastest <= limit and longest_ns <= MAX_HOLD_NS):
        plausible = magnitudes <= limit
        counts = plausible[1:] & plausible[:-1] & (elapsed_ns <= MAX_HOLD_NS)
        ways = ways[counts if joined is None else counts & joined]
    return float(ways.sum()) / 2 * scale / NS_PER_S  # a dot product would start BLAS's threads
