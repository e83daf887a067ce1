"""Token buckets: how many requests a caller may still send, by whom it is known."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from triggers.errors import TooMany

BURST_S = 5
"""A bucket holds what comes in so many seconds."""
REMEMBERED = 20_000
"""Buckets; those not used for longest are forgotten, and a forgotten bucket is full again."""


class Buckets:
    """A token bucket for each key, of `per_second` and BURST_S times as much at once."""

    def __init__(self, per_second: float, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self.most = max(1.0, per_second * BURST_S)
        self._now_s = monotonic_s
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        """What is left, and when that was so."""

    def take(self, key: bytes) -> float:
        """Take one if there is one; returns the seconds until there is (0: taken)."""
        left = self._left(key)
        if left < 1.0:
            return (1.0 - left) / self.per_second
        self._set(key, left - 1.0)
        return 0.0

    def check(self, who: str, key: bytes) -> None:
        """Take one; TooMany, whose message begins with `who`, when there is none."""
        if (refusal := self.refusal(who, key)) is not None:
            raise refusal

    def refusal(self, who: str, key: bytes) -> TooMany | None:
        """Take one; the error to answer with when there is none."""
        wait_s = self.take(key)
        if not wait_s:
            return None
        return TooMany(
            f"{who} may send {self.per_second:g} requests per second ({self.most:g} at once); yours sent more",
            retry_after_s=math.ceil(wait_s),
            remedy="send fewer",
        )

    def give_back(self, key: bytes) -> None:
        """What was taken did not count."""
        self._set(key, min(self.most, self._left(key) + 1.0))

    def _set(self, key: bytes, left: float) -> None:
        self._buckets[key] = (left, self._now_s())
        self._buckets.move_to_end(key)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)

    def _left(self, key: bytes) -> float:
        left, at_s = self._buckets.get(key, (self.most, 0.0))
        return min(self.most, left + (self._now_s() - at_s) * self.per_second)
