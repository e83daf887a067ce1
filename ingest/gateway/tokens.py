"""Cache of vehicle tokens, which are trusted for some seconds after the database confirmed them."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict


class TokenCache:
    """Vehicle ids by the SHA-256 of their token. Unknown tokens are not kept, so they cannot push out known ones."""

    def __init__(self, *, ttl_s: float, size: int) -> None:
        self._ttl_s = ttl_s
        self._size = size
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def get(self, token: str) -> str | None:
        """The vehicle for which this token was confirmed at most `ttl_s` ago."""
        vehicle_id, until = self._known.get(_key(token), ("", 0.0))
        return vehicle_id if time.monotonic() < until else None

    def put(self, token: str, vehicle_id: str) -> None:
        """Trust this token for `ttl_s`; the oldest token is dropped when there are too many."""
        key = _key(token)
        self._known[key] = (vehicle_id, time.monotonic() + self._ttl_s)
        self._known.move_to_end(key)
        if len(self._known) > self._size:
            self._known.popitem(last=False)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
