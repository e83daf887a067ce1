"""Turns at costly work: each caller has one at a time, and all together no more than the process can spare."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from triggers.errors import Overloaded, TooMany


class Turns:
    """`what` is the work in refusals, `in_all` the most turns at once, `retry_after_s` about how long one takes.

    Thread-safe. Nobody waits here: whoever waits would hold a thread.
    """

    def __init__(self, what: str, *, in_all: int, retry_after_s: int) -> None:
        self._what = what
        self._in_all = in_all
        self._retry_after_s = retry_after_s
        self._callers: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, caller: str) -> Iterator[None]:
        """One turn of this caller: TooMany when the caller has one already, Overloaded when all are taken."""
        with self._lock:
            if caller in self._callers:
                raise TooMany(
                    f"each user may have 1 {self._what} at a time, and yours is not over yet",
                    retry_after_s=self._retry_after_s,
                    remedy="wait for its answer",
                )
            if len(self._callers) >= self._in_all:
                raise Overloaded(
                    f"this process does at most {self._in_all} of this at a time: {self._what}",
                    retry_after_s=self._retry_after_s,
                    remedy="try again; operators add a process if this persists",
                )
            self._callers.add(caller)
        try:
            yield
        finally:
            with self._lock:
                self._callers.discard(caller)
