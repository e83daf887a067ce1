"""A limit on the bytes that all requests hold in memory: an asyncio semaphore on bytes, first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque

from triggers.errors import Overloaded

RETRY_AFTER_S = 2


class ByteBudget:
    """At most `total_bytes` held at once, within one event loop."""

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self._free = total_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held_bytes(self) -> int:
        """Bytes that are held now."""
        return self.total_bytes - self._free

    async def acquire(self, amount: int, *, wait_s: float) -> None:
        """Hold `amount` bytes (at most the total), waiting up to `wait_s` for them; else Overloaded."""
        if not self._waiting and self._free >= amount:
            self._free -= amount
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        try:
            await asyncio.wait({turn}, timeout=wait_s)
        except asyncio.CancelledError:
            self._leave(amount, turn)
            raise
        if not turn.done():
            self._leave(amount, turn)
            raise Overloaded(
                f"the gateway has {self.total_bytes} bytes in flight, its limit",
                retry_after_s=RETRY_AFTER_S,
                remedy="try again; if this persists, raise LONGTAIL_GATEWAY_IN_FLIGHT_BYTES or add a gateway",
            )

    def release(self, amount: int) -> None:
        """Release bytes, and grant them to waiting requests in order."""
        self._free += amount
        while self._waiting and self._free >= self._waiting[0][0]:
            granted, turn = self._waiting.popleft()
            self._free -= granted
            turn.set_result(None)

    def _leave(self, amount: int, turn: asyncio.Future[None]) -> None:
        if turn.done():
            self.release(amount)
            return
        self._waiting.remove((amount, turn))
        self.release(0)
