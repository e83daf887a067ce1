"""Background threads for slow effects, so that the assembler keeps polling (and its lease) while they run.

An effect that finds store or database unreachable, or refusing (a key was rotated, a bucket renamed), is retried with
growing pauses until it succeeds or is abandoned; any other error becomes the task's result.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ingest.readiness import Part, Readiness
from triggers.errors import Misconfigured, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
THREADS = 2
MOST_TOGETHER = 64
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
            except (Unreachable, Overloaded, Misconfigured) as error:
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


Together = Callable[[Sequence[Any]], Sequence[Any]]
"""Does many effects at once: outcomes in the order of the items; after an error each of them is attempted alone."""


class Background:
    """Runs tasks in a few threads of its own, each as soon as one is free."""

    def __init__(self, name: str, *, part: Part | None = None, first_pause_s: float = FIRST_PAUSE_S) -> None:
        """`first_pause_s` is how long a task waits after its first outage; each further pause is twice as long."""
        self._part = part or Readiness().part(name)
        self._first_pause_s = first_pause_s
        self._executor = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix=name)
        self._waiting: deque[tuple[Task[Any], Any]] = deque()

    def submit(self, effect: Callable[[], T], *, what: str, after_s: float = 0.0) -> Task[T]:
        """Queue an effect, which waits `after_s` once its turn has come; `what` names it in the log."""
        task = Task(effect, what, after_s, self._first_pause_s, self._part)
        task.future = self._executor.submit(task.run)
        return task

    def submit_together(self, effect: Callable[[], T], item: object, together: Together, *, what: str) -> Task[T]:
        """Queue an effect that `together` does at once for all items that wait by then, up to MOST_TOGETHER."""
        task = Task(effect, what, 0.0, self._first_pause_s, self._part)
        self._waiting.append((task, item))
        self._executor.submit(self._run_together, together)
        return task

    def repeat(self, task: Task[T], *, after_s: float) -> Task[T]:
        """Queue the effect of a task once more."""
        return self.submit(task.effect, what=task.what, after_s=after_s)

    def close(self) -> None:
        """Wait for the attempts in progress; queued effects are dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run_together(self, together: Together) -> None:
        taken = [chosen for _ in range(MOST_TOGETHER) if (chosen := self._next_waiting()) is not None]
        if len(taken) > 1:
            try:
                outcomes = together([item for _, item in taken])
            except Exception as error:  # noqa: BLE001 - each is attempted alone, and reports its own
                LOGGER.info("%d effects are attempted one by one: %s", len(taken), error)
            else:
                self._part.passed()
                for (task, _), outcome in zip(taken, outcomes, strict=True):
                    task.future.set_result(outcome)
                return
        for task, _ in taken:
            _run_alone(task)

    def _next_waiting(self) -> tuple[Task[Any], Any] | None:
        """The next task that waits and was not abandoned, with its item."""
        with suppress(IndexError):
            while True:
                task, item = self._waiting.popleft()
                if task.future.set_running_or_notify_cancel():
                    return task, item
        return None


def _run_alone(task: Task[Any]) -> None:
    try:
        task.future.set_result(task.run())
    except Exception as error:  # noqa: BLE001 - the result of the task, as in an executor
        task.future.set_exception(error)
