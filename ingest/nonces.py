"""Nonces of signed requests: each is accepted once, and remembered for as long as its request would be.

One vehicle may have a share of those that are remembered, so that no vehicle can use up the room of all others.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import Counter
from collections.abc import Callable

from triggers.errors import Overloaded, TooMany, Unauthenticated
from triggers.request_signature import WINDOW_S

MAX_NONCES = 1_000_000
"""Of a generation: about 100 MB, and 1,600 signed requests per second for as long as it lasts."""
SHARES = 8
"""A vehicle's share of the whole is one part in so many."""


class Nonces:
    """The nonces of the accepted requests of one process, for as long as their time would be accepted.

    Bounded: two generations, of which the older is forgotten once its requests are too old. When there are too many,
    requests are refused, and never a nonce forgotten early.
    """

    def __init__(self, *, limit: int = MAX_NONCES, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._newer: set[bytes] = set()
        self._by_vehicle: Counter[str] = Counter()
        """How many of the newer ones each vehicle has."""
        self._older: set[bytes] = set()
        self._turn_s = clock() + 2 * WINDOW_S

    def use(self, vehicle_id: str, nonce: str) -> None:
        """Unauthenticated when the vehicle has used this nonce before; TooMany when it has used too many in this time,
        Overloaded when all together have."""
        # A digest takes a third of the memory of the two texts. Neither of them can contain the byte between them.
        used = hashlib.blake2b(f"{vehicle_id}\x1f{nonce}".encode(), digest_size=16).digest()
        with self._lock:
            if self._clock() >= self._turn_s:
                # The newest of the older ones was accepted 2 windows ago: its time may have been a window ahead.
                self._older, self._newer = self._newer, set()
                self._by_vehicle.clear()
                self._turn_s = self._clock() + 2 * WINDOW_S
            if used in self._newer or used in self._older:
                raise Unauthenticated("this request was received before", remedy="sign each request with a new nonce")
            self._require_room(vehicle_id)
            self._newer.add(used)
            self._by_vehicle[vehicle_id] += 1

    def _require_room(self, vehicle_id: str) -> None:
        again_s = max(1, math.ceil(self._turn_s - self._clock()))
        share = max(1, self._limit // SHARES)
        if self._by_vehicle[vehicle_id] >= share:
            raise TooMany(
                f"one vehicle may sign {share} requests in {2 * WINDOW_S} s, and this one has signed as many",
                retry_after_s=again_s,
                remedy="send fewer",
            )
        if len(self._newer) >= self._limit:
            raise Overloaded(
                f"{self._limit} signed requests are accepted in {2 * WINDOW_S} s, {share} of one vehicle; all are used",
                retry_after_s=again_s,
                remedy="try again later; operators add a process",
            )
