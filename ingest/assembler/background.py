"""A background thread for slow effects, so that the assembler keeps polling (and its lease) while they run.

An effect that finds the store or database unreachable is retried with growing pauses until it succeeds or is
abandoned; any other error becomes the task's result.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from ingest.readiness import Part, Readiness
from triggers.errors import Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
T = TypeVar("T")


class Abandoned(Exception):
    """The task was abandoned between two attempts: its partition belongs to another worker now."""


class Task(Generic[T]):
    """An effect in progress."""

    def __init__(
        self,
        effect: Callable[[], T],
        what: str,
        after_s: float = 0.0,
        first_pause_s: float = FIRST_PAUSE_S,
        part: Part | None = None,
    ) -> None:
        self.effect = effect
        self.what = what
        self._after_s = after_s
        self._first_pause_s = first_pause_s
        self._part = part or Readiness().part(what)
        self._given_up = threading.Event()
        self.future: Future[T] = Future()

    def run(self) -> T:
        """Attempt the effect until it succeeds; Abandoned when told to stop."""
        self._given_up.wait(self._after_s)
        pause_s = self._first_pause_s
        while not self._given_up.is_set():
            try:
                outcome = self.effect()
            except (Unreachable, Overloaded) as error:
                self._part.failed(error)
                LOGGER.warning("%s waits %.1f s: %s", self.what, pause_s, error)
            else:
                self._part.passed()
                return outcome
            self._given_up.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        raise Abandoned(self.what)

    @property
    def done(self) -> bool:
        """Whether `future` has a result or an error."""
        return self.future.done()

    def abandon(self) -> None:
        """Do not start it, or do not try it again; an attempt in progress continues, and is idempotent."""
        self._given_up.set()
        self.future.cancel()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is done; False after `timeout_s`."""
        return bool(wait([self.future], timeout=max(0.0, timeout_s)).done)


class Background:
    """Runs tasks one after the other in its own thread."""

    def __init__(self, name: str, *, part: Part | None = None, first_pause_s: float = FIRST_PAUSE_S) -> None:
        """`first_pause_s` is how long a task waits after its first outage; each further pause is twice as long."""
        self._part = part or Readiness().part(name)
        self._first_pause_s = first_pause_s
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def submit(self, effect: Callable[[], T], *, what: str, after_s: float = 0.0) -> Task[T]:
        """Queue an effect, which waits `after_s` once its turn has come; `what` names it in the log."""
        task = Task(effect, what, after_s, self._first_pause_s, self._part)
        task.future = self._executor.submit(task.run)
        return task

    def repeat(self, task: Task[T], *, after_s: float) -> Task[T]:
        """Queue the effect of a task once more."""
        return self.submit(task.effect, what=task.what, after_s=after_s)

    def close(self) -> None:
        """Wait for the attempt in progress; queued effects are dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)
