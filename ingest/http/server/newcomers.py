"""How soon a new connection is heard: at once, unless its address opens more of them than it may send requests.

Accepting a connection costs little, and reading from it much more: parser, application, answer. A caller that opens
connections and leaves again is bounded by nobody's count of open ones, so its newcomers wait in line, unread.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from ingest.http.bounds.buckets import BURST_S, REMEMBERED

LONGEST_S = 10.0
"""How long a newcomer waits at most, however many were before it and have left."""


class Newcomers:
    """The lines of all addresses: `per_second` connections are heard, after BURST_S times as many at once (GCRA)."""

    def __init__(self, per_second: float, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._each_s = 1.0 / per_second
        self._now_s = monotonic_s
        self._paid_until_s: OrderedDict[str, float] = OrderedDict()
        """When the next connection of an address would be on time, had it come evenly."""

    def wait_s(self, address: str) -> float:
        """Count a new connection of `address`; the seconds until it is to be heard."""
        now_s = self._now_s()
        paid_s = max(self._paid_until_s.get(address, now_s), now_s) + self._each_s
        paid_s = min(paid_s, now_s + BURST_S + LONGEST_S)
        self._paid_until_s[address] = paid_s
        self._paid_until_s.move_to_end(address)
        if len(self._paid_until_s) > REMEMBERED:
            self._paid_until_s.popitem(last=False)
        return max(0.0, paid_s - now_s - BURST_S)
