"""Which partitions' last append failed, and a limit of one attempt at a time while any has.

A log that does not answer holds each append until its time is over. When an append has failed, further ones for its
partition are refused at once, except for one that tries whether the log takes records again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from triggers.errors import Misconfigured, NotFound, Unreachable

_FAILURES = (Misconfigured, NotFound, Unreachable)


class Trials:
    """Failures by partition; each stays until an append to its partition succeeds. Thread-safe."""

    def __init__(self) -> None:
        self._problems: dict[int, Exception] = {}
        self._trial = threading.Lock()

    def failed(self) -> list[int]:
        """The partitions whose last append failed."""
        return sorted(self._problems)

    def forget(self, partition: int) -> None:
        """Forget the failures of a partition that the topic does not have any more."""
        self._problems.pop(partition, None)

    @contextmanager
    def attempt(self, partition: int) -> Iterator[None]:
        """One append. Unreachable at once when appends to the partition fail, and another thread is trying one."""
        problem = self._problems.get(partition)
        if problem is None:
            with self._noted(partition):
                yield
            return
        if not self._trial.acquire(blocking=False):
            raise Unreachable(f"the log takes no records at the moment: {problem}", remedy="try again")
        try:
            with self._noted(partition):
                yield
        finally:
            self._trial.release()

    @contextmanager
    def _noted(self, partition: int) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            self._problems[partition] = error.with_traceback(None)
            raise
        self._problems.pop(partition, None)
