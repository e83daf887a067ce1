"""Which lists of campaigns a vehicle accepts by their revision and times, and when the one that it follows is over.

(revision, issue time) never decreases, so replaying an old list cannot withhold a stop. A list that lies in the future
is refused, so whoever has stolen a key cannot outdo every later list. A list that has expired once is over for good,
even if the clock is set back.
"""

from __future__ import annotations

from triggers.contracts.checkin import AssignmentList, out_of_bounds
from triggers.errors import Untrusted
from triggers.times import NS_PER_S
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.trusted_time import TrustedTime

REVISION, ISSUED = "revision", "issued_at_ns"
OVER = "over_until_ns"
"""The fact with the issue time of the newest list that is known to have expired."""


class Freshness:
    """The marks that one vehicle has set by the lists that it accepted. They outlive the lists. Not thread-safe."""

    def __init__(self, journal: Journal, time: TrustedTime) -> None:
        self._journal = journal
        self._time = time

    @property
    def revision(self) -> int | None:
        """The highest revision ever accepted; None before the first."""
        return None if (mark := self._mark(REVISION)) < 0 else mark

    def is_over(self, followed: AssignmentList) -> bool:
        """Whether a list has expired, now or at any earlier moment."""
        over = self._has_expired(followed)
        if over and followed.issued_at_ns > self._mark(OVER):
            self._journal.set_facts({OVER: str(followed.issued_at_ns).encode()})
        return over

    def check(self, offered: AssignmentList, followed: AssignmentList | None, *, date_ns: int | None) -> None:
        """Untrusted, with the reason, for a list that must not be followed.

        `followed` is the list so far; `date_ns` is what the answer that it came in says of the time.
        """
        if self._has_expired(offered):
            raise Untrusted(
                f"the list of campaigns expired {(self._time.now_ns() - offered.expires_at_ns) / NS_PER_S:.0f} s ago",
                remedy="check the vehicle's clock",
            )
        wrong = out_of_bounds(offered, self._time.latest_ns(date_ns))
        if wrong is not None:
            raise Untrusted(f"the list of campaigns {wrong}", remedy="check the vehicle's clock, and the API's")
        latest = self._mark(REVISION), self._mark(ISSUED)
        if (offered.revision, offered.issued_at_ns) >= latest:
            return
        same = followed is not None and followed.content_digest == offered.content_digest
        if offered.revision == latest[0] and same and followed and offered.expires_at_ns >= followed.expires_at_ns:
            return
        raise Untrusted(
            f"the list of campaigns has revision {offered.revision} of {offered.issued_at_ns} ns, older than revision"
            f" {latest[0]} of {latest[1]} ns, which this vehicle has seen"
        )

    def accepted(self, followed: AssignmentList) -> None:
        """Set the marks by a list that passed `check`."""
        self._time.saw(followed.issued_at_ns)
        marks = {REVISION: followed.revision, ISSUED: followed.issued_at_ns}
        self._journal.set_facts({name: str(value).encode() for name, value in marks.items()})

    def forget(self) -> None:
        """Believe nothing that lists have said so far: the key that signed them was taken out."""
        self._journal.set_facts(dict.fromkeys((REVISION, ISSUED, OVER), b"-1"))
        self._time.forget()

    def _has_expired(self, listed: AssignmentList) -> bool:
        return listed.issued_at_ns <= self._mark(OVER) or self._time.now_ns() >= listed.expires_at_ns

    def _mark(self, name: str) -> int:
        return int(self._journal.fact(name) or b"-1")
