"""One check at a time, in a thread of its own and within a time limit, whatever the number of those who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from triggers.errors import Unreachable

T = TypeVar("T")

CHECK_S = 5.0
"""How long a check may take before what it asks counts as unreachable."""


class SingleCheck(Generic[T]):
    """A check that may block, for one event loop; what it finds counts for everyone who asks while it runs."""

    def __init__(self, check: Callable[[], T], *, within_s: float = CHECK_S) -> None:
        self._check = check
        self._within_s = within_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="check")
        self._running: asyncio.Future[T] | None = None

    async def run(self) -> T:
        """What the check finds, or raises; Unreachable when it takes too long."""
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._check)
            self._running.add_done_callback(_retrieve)
        awaited = self._running  # the next one may begin before everybody who waits for this one goes on
        done, _ = await asyncio.wait([awaited], timeout=self._within_s)
        if not done:
            raise Unreachable(f"what this process depends on did not answer within {self._within_s:g} s")
        return awaited.result()

    def close(self) -> None:
        """Wait for a check in progress."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def _retrieve(check: asyncio.Future[T]) -> None:
    """Mark the outcome as seen: nobody may have waited for it so long."""
    if not check.cancelled():
        check.exception()
