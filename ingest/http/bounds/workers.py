"""A thread pool for blocking calls, limited in threads and in waiting calls.

The event loop's default pool is shared by everything: sixty uploads that waited for the log once delayed every other
route by seconds. Calls that wait for the log therefore have their own pool, apart from the short transactions. Within a
pool one caller has a few of the threads, so that its hundred calls keep nobody else's one waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from ingest.http.bounds.fair_turns import AT_ONCE, CURRENT, FairTurns, Turn
from triggers.errors import Overloaded

T = TypeVar("T")
WAITING_SHARE = 4
"""One caller has at most one part in so many of the places to wait."""


class Workers:
    """`threads` threads for one event loop; beyond `waiting` queued calls, or a caller's share, others are refused."""

    def __init__(self, name: str, *, threads: int, waiting: int, of_one_caller: int = AT_ONCE) -> None:
        self._name = name
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limit = threads + waiting
        self._calls = 0
        self._turns = FairTurns(at_once=min(of_one_caller, threads), waiting=max(1, waiting // WAITING_SHARE))

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in a thread and return its result; Overloaded when too many calls wait, TooMany when too
        many of this caller do."""
        if self._calls >= self._limit:
            raise Overloaded(
                f"at most {self._limit} requests are at work here or wait, and that many are; yours was not begun",
                retry_after_s=1,
                remedy="try again",
            )
        self._calls += 1
        of_request = CURRENT.get()
        turn = Turn(self._turns, of_request.caller if of_request is not None else b"")
        if of_request is not None:
            of_request.give_back()
        try:
            await turn.take()
            return await asyncio.get_running_loop().run_in_executor(self._executor, copy_context().run, function)
        finally:
            turn.give_back()
            self._calls -= 1

    def close(self) -> None:
        """Let running calls finish, and drop waiting ones."""
        self._executor.shutdown(wait=True, cancel_futures=True)
