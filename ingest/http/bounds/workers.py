"""A thread pool for blocking calls, limited in threads and in waiting calls.

The event loop's default pool is shared by everything: sixty uploads that waited for the log once delayed every other
route by seconds. Calls that wait for the log therefore have their own pool, apart from the short transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from triggers.errors import Overloaded

T = TypeVar("T")


class Workers:
    """`threads` threads for one event loop; beyond `waiting` queued calls, further ones are refused."""

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._name = name
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limit = threads + waiting
        self._calls = 0

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in a thread and return its result; Overloaded when too many calls wait already."""
        if self._calls >= self._limit:
            raise Overloaded(f"{self._calls} calls wait for the pool {self._name}", retry_after_s=1, remedy="try again")
        self._calls += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, function)
        finally:
            self._calls -= 1

    def close(self) -> None:
        """Let running calls finish, and drop waiting ones."""
        self._executor.shutdown(wait=True, cancel_futures=True)
