"""Runs loops in threads and keeps them running until they are told to stop.

A loop that fails with an unexpected error is logged and restarted after a growing pause. So is one that a setting
prevents from working, if it has worked before: a key was rotated or a bucket renamed, and may be put right at its
server. One that never worked ends the process, in one line.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from ingest.readiness import Part, Readiness
from triggers.errors import Misconfigured, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
OUTAGE_PAUSE_S = 2.0
FIRST_RESTART_PAUSE_S = 0.5
LONGEST_RESTART_PAUSE_S = 30.0
STEADY_S = 60.0
"""A loop that ran at least this long before it failed is restarted after the shortest pause."""
SHUTDOWN_S = 30.0

Loop = Callable[[threading.Event], None]


def repeat(work: Callable[[], bool], pause_s: float, stop: threading.Event, part: Part) -> None:
    """Repeat `work`: at once while there is more to do, else after a pause, which is longer during an outage."""
    while not stop.is_set():
        try:
            more = work()
            part.passed()
        except (Unreachable, Overloaded) as error:
            part.failed(error)
            LOGGER.warning("%s waits %.0f s: %s", threading.current_thread().name, OUTAGE_PAUSE_S, error)
            stop.wait(OUTAGE_PAUSE_S)
        else:
            if not more:
                stop.wait(pause_s)


class _Keeper(threading.Thread):
    """Keeps one loop running until `stop`; a fatal error is kept in `fatal` and ends all loops."""

    def __init__(self, name: str, loop: Loop, stop: threading.Event, first_pause_s: float, part: Part) -> None:
        super().__init__(name=name, daemon=True)
        self._part = part
        self._loop = loop
        self._first_pause_s = first_pause_s
        self._stop_event = stop
        self.fatal: Misconfigured | None = None

    def run(self) -> None:
        """The thread's body."""
        pause_s = self._first_pause_s
        while not self._stop_event.is_set():
            began_s = time.monotonic()
            try:
                self._loop(self._stop_event)
            except Misconfigured as error:
                if not self._part.has_worked:
                    self.fatal = error
                    self._stop_event.set()
                    return
                self._part.failed(error)
                LOGGER.warning("the loop %s cannot go on and is restarted in %.1f s: %s", self.name, pause_s, error)
            except Exception as error:
                self._part.failed(f"{type(error).__name__}: {error}")
                LOGGER.exception("the loop %s failed and is restarted in %.1f s", self.name, pause_s)
            steady = time.monotonic() - began_s > STEADY_S
            self._stop_event.wait(pause_s)
            pause_s = self._first_pause_s if steady else min(2 * pause_s, LONGEST_RESTART_PAUSE_S)


def keep_running(
    loops: Mapping[str, Loop],
    stop: threading.Event,
    *,
    readiness: Readiness | None = None,
    first_restart_pause_s: float = FIRST_RESTART_PAUSE_S,
) -> None:
    """Run the loops, by name, until `stop`; then give them SHUTDOWN_S to end. Each is a part of the process.

    When a loop raises Misconfigured that never worked, all loops are ended and the error is raised.
    """
    ended = threading.Event()
    parts = readiness or Readiness()
    keepers = [_Keeper(name, loop, ended, first_restart_pause_s, parts.part(name)) for name, loop in loops.items()]
    for keeper in keepers:
        keeper.start()
    while not (stop.is_set() or ended.is_set()):
        stop.wait(0.2)
    ended.set()
    deadline_s = time.monotonic() + SHUTDOWN_S
    for keeper in keepers:
        keeper.join(max(0.0, deadline_s - time.monotonic()))
        if keeper.is_alive():
            LOGGER.warning(
                "the loop %s did not end within %.0f s; its unfinished work will be replayed", keeper.name, SHUTDOWN_S
            )
    for keeper in keepers:
        if keeper.fatal is not None:
            raise keeper.fatal
