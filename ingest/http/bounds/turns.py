"""Turns at costly work: each caller has few at a time, and all together what the process can spare."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from triggers.errors import Overloaded, TooMany


class Turns:
    """`what` is the work in refusals, `in_all` the most turns at once, `retry_after_s` about how long one takes.

    `per_caller` is how many one caller may have at once.
    Thread-safe. Nobody waits here: whoever waits would hold a thread.
    """

    def __init__(self, what: str, *, in_all: int, retry_after_s: int, per_caller: int = 1) -> None:
        self._what = what
        self._in_all = in_all
        self._retry_after_s = retry_after_s
        self._per_caller = per_caller
        self._callers: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, caller: str) -> Iterator[None]:
        """One turn of this caller: TooMany when the caller has as many already, Overloaded when all are taken."""
        with self._lock:
            if self._callers[caller] >= self._per_caller:
                raise TooMany(
                    f"each caller may do {self._per_caller} of this at a time, and yours is not over yet: {self._what}",
                    retry_after_s=self._retry_after_s,
                    remedy="wait for its answer",
                )
            if self._callers.total() >= self._in_all:
                raise Overloaded(
                    f"this process does at most {self._in_all} of this at a time, one for each user: {self._what}",
                    retry_after_s=self._retry_after_s,
                    remedy="try again; operators add a process if this persists",
                )
            self._callers[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._callers[caller] -= 1
                if not self._callers[caller]:
                    del self._callers[caller]
