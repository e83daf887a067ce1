"""Armed time and distance: for how long, and how far, a campaign could have fired."""

from __future__ import annotations

import math

from triggers.contracts.base import NS_PER_S
from triggers.language.rows import Row

MAX_HOLD_NS = 10 * NS_PER_S
"""Between speed samples further apart than this no distance is counted."""


class Odometer:
    """Integrates a speed signal (m/s) by the trapezoidal rule. Without a signal the distance stays 0."""

    def __init__(self, speed_signal: str | None) -> None:
        self._signal = speed_signal
        self._t_ns = 0
        self._speed_m_s: float | None = None
        self._remainder_m = 0.0

    def advance_mm(self, row: Row) -> int:
        """Millimetres since the speed sample before; the fraction is carried over."""
        speed_m_s = row.samples.get(self._signal, math.nan) if self._signal else math.nan
        if math.isnan(speed_m_s):
            return 0
        before_m_s, elapsed_ns = self._speed_m_s, row.t_ns - self._t_ns
        self._t_ns, self._speed_m_s = row.t_ns, speed_m_s if math.isfinite(speed_m_s) else None
        if before_m_s is None or self._speed_m_s is None or not 0 < elapsed_ns <= MAX_HOLD_NS:
            return 0
        self._remainder_m += abs(before_m_s + self._speed_m_s) / 2 * elapsed_ns / NS_PER_S
        whole_mm = int(self._remainder_m * 1000)
        self._remainder_m -= whole_mm / 1000
        return whole_mm
