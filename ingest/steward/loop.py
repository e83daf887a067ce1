"""The steward's loop: runs duties when they are due, one after the other.

A duty that fails is logged and waits for its next turn; the others continue.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.readiness import Readiness
from triggers.errors import Misconfigured, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
FAILED_PAUSE_S = 2.0
LONGEST_FAILED_PAUSE_S = 30.0
"""A duty that failed waits at least and at most this long."""


@dataclass
class Duty:
    """Work to do every `period_s` seconds, or again at once when `work` returns True because there is more to do."""

    name: str
    period_s: float
    work: Callable[[], bool]
    due_s: float = float("-inf")


class Steward:
    """Runs duties when they are due. Not thread-safe."""

    def __init__(
        self,
        duties: Sequence[Duty],
        *,
        readiness: Readiness | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._duties = duties
        parts = readiness or Readiness()
        self._part = parts.part("steward")
        self._parts = {duty.name: parts.part(duty.name, silent_s=None) for duty in duties}
        self._now_s = monotonic_s

    def run(self, stop: threading.Event) -> None:
        """Run rounds until `stop` is set. Misconfigured when a setting keeps a duty from working that never worked."""
        while not stop.is_set():
            stop.wait(self.round())

    def round(self) -> float:
        """Run every duty that is due, once; returns the seconds until the next one is due."""
        for duty in self._duties:
            if duty.due_s <= self._now_s():
                duty.due_s = self._now_s() + self._do(duty)
                self._part.passed()
        return max(0.0, min(duty.due_s for duty in self._duties) - self._now_s())

    def _do(self, duty: Duty) -> float:
        """Run a duty; returns the seconds until its next turn. One that failed is tried again soon, however rare."""
        part = self._parts[duty.name]
        try:
            more = duty.work()
            part.passed()
            return 0.0 if more else duty.period_s
        except (Unreachable, Overloaded, Misconfigured) as error:
            if isinstance(error, Misconfigured) and not part.has_worked:
                raise
            LOGGER.warning("%s waits: %s", duty.name, error)
            part.failed(error)
        except Exception as error:
            LOGGER.exception("%s failed and waits for its next turn", duty.name)
            part.failed(f"{type(error).__name__}: {error}")
        return min(max(duty.period_s, FAILED_PAUSE_S), LONGEST_FAILED_PAUSE_S)
