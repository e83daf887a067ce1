"""Which parts of a process work: one that failed is ready again once a unit of its work, or a probe, has passed it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from triggers.errors import LongtailError, Unreachable

SILENT_S = 60.0
"""A part that has to report, and has not for this long, hangs."""

Probe = Callable[[], object]


class Part:
    """One part of a process. Thread-safe."""

    def __init__(self, name: str, *, silent_s: float | None, probe: Probe | None, now_s: Callable[[], float]) -> None:
        self.name = name
        self._silent_s = silent_s
        self._probe = probe
        self._now_s = now_s
        self._problem: str | None = None if silent_s is None else "it has not begun"
        self._reported_s = now_s()
        self.has_worked = False
        """Whether any unit of work has ever passed through."""

    def passed(self) -> None:
        """A unit of work passed through."""
        self.has_worked = True
        self._reported_s = self._now_s()
        self._problem = None

    def failed(self, why: object) -> None:
        """Work could not pass."""
        self._reported_s = self._now_s()
        self._problem = str(why)

    def problem(self) -> str | None:
        """Why the part does not work; None when it does. Sends a probe through a part that failed."""
        silence_s = self._now_s() - self._reported_s
        if self._silent_s is not None and silence_s > self._silent_s:
            return f"it has been silent for {silence_s:.0f} s"
        if self._problem is not None and self._probe is not None:
            self._send_probe(self._probe)
        return self._problem

    def works(self) -> bool:
        """Whether it works as far as is known, without a probe."""
        is_silent = self._silent_s is not None and self._now_s() - self._reported_s > self._silent_s
        return self._problem is None and not is_silent

    def _send_probe(self, probe: Probe) -> None:
        try:
            probe()
        except LongtailError as error:
            self.failed(error)
        else:
            self.passed()


class Readiness:
    """The parts of one process. Thread-safe."""

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = monotonic_s
        self._lock = threading.Lock()
        self._parts: dict[str, Part] = {}
        self.deployment: str | None = None
        """The id of the deployment that the process belongs to, once it has begun."""

    def part(self, name: str, *, silent_s: float | None = SILENT_S, probe: Probe | None = None) -> Part:
        """The part of this name, which is not ready until something has passed through.

        `silent_s` is how long it may go without a report (None: it works only now and then, and is ready until it
        fails). `probe` is called when the part has failed and somebody asks: it returns when the part's work would
        pass, and raises otherwise.
        """
        with self._lock:
            if name not in self._parts:
                self._parts[name] = Part(name, silent_s=silent_s, probe=probe, now_s=self._now_s)
            return self._parts[name]

    def check(self) -> None:
        """Unreachable, with each part that does not work and why, unless all do."""
        with self._lock:
            parts = list(self._parts.values())
        problems = {part.name: part.problem() for part in parts}
        found = [f"{name}: {problem}" for name, problem in problems.items() if problem is not None]
        if found or not parts:
            raise Unreachable("; ".join(found) or "the process is starting")

    def working(self) -> dict[str, bool]:
        """By part, whether it works as far as is known."""
        with self._lock:
            return {name: part.works() for name, part in self._parts.items()}
