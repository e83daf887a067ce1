"""The vehicle's clock, as a protocol, so that a test or simulation can control waiting and expiry."""

from __future__ import annotations

import time
from typing import Protocol

from triggers.times import NS_PER_S


class Clock(Protocol):
    """Wall-clock time and waiting; never the time of recorded data."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since some moment; they go on steadily, however the clock is set."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds` (>= 0)."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def seconds(nanoseconds: int) -> float:
    """Nanoseconds as seconds, for messages and for waiting."""
    return nanoseconds / NS_PER_S
