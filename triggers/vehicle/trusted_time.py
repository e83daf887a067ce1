"""The time that a vehicle trusts: its clock, but never below what the cloud has signed, however the clock is set.

The issue time of an accepted list is signed, and from there on counts what has passed since. The highest such time is
kept in the journal. The `Date` of an answer is not signed; it only helps a clock that is known to be wrong.
"""

from __future__ import annotations

from triggers.clips.clock import EARLIEST_NS
from triggers.vehicle.clock import Clock
from triggers.vehicle.journal.journal import Journal

FLOOR, SLOW = "time_floor_ns", "clock_slow_ns"


class TrustedTime:
    """The time of one vehicle. Not thread-safe."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._floor_ns = int(journal.fact(FLOOR) or b"0")
        self._slow_ns = int(journal.fact(SLOW) or b"0")
        self._since_ns = clock.monotonic_ns()

    def now_ns(self) -> int:
        """The time by which lists expire: the clock's, or the latest that has passed for certain."""
        return max(self._clock.now_ns(), self._passed_ns())

    def latest_ns(self, date_ns: int | None) -> int:
        """The latest time that it can be, to tell what lies in the future.

        `date_ns`, what an answer says, counts only where the clock is known to be wrong, or nothing is known yet. A
        clock that was found to be slow is taken to be as slow as before.
        """
        clock_ns = self._clock.now_ns()
        in_doubt = not self._floor_ns or clock_ns < max(self._passed_ns(), EARLIEST_NS)
        said_ns = date_ns if date_ns is not None and in_doubt else 0
        return max(clock_ns + self._slow_ns, self._passed_ns(), said_ns)

    def saw(self, t_ns: int) -> None:
        """Never go below this time again: a key that the vehicle trusts has signed it."""
        self._floor_ns, self._since_ns = max(t_ns, self._passed_ns()), self._clock.monotonic_ns()
        self._slow_ns = max(0, t_ns - self._clock.now_ns())
        self.keep()

    def forget(self) -> None:
        """Trust the clock alone again."""
        self._floor_ns = self._slow_ns = 0
        self._journal.set_facts({FLOOR: b"0", SLOW: b"0"})

    def keep(self) -> None:
        """Let the journal know how late it is; on a full disk, with its next write."""
        if self._floor_ns:
            values = {FLOOR: self._passed_ns(), SLOW: self._slow_ns}
            self._journal.set_facts({name: str(value).encode() for name, value in values.items()})

    def _passed_ns(self) -> int:
        """What has passed for certain: the latest time that was signed, and what has gone by since."""
        return self._floor_ns + (self._clock.monotonic_ns() - self._since_ns if self._floor_ns else 0)
