"""The supervisor, which keeps child processes running: it starts them, restarts those that die, and ends them in order.

Restarts are limited in rate. One thread does all starting and stopping and lives as long as the children do, because
on Linux the death signal is sent when the *thread* that started a child ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from triggers.errors import NotFound, Unreachable
from triggers.processes.child import ChildProcess
from triggers.processes.ends import described_end

POLL_S = 0.1
BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 15.0
HEALTHY_AFTER_S = 30.0
"""A child that ran for as long is started again at once when it dies."""
STOP_PATIENCE_S = 15.0
START_ATTEMPTS = 3

Report = Callable[[str], None]


@dataclass
class _Watched:
    child: ChildProcess
    wave: int
    backoff_s: float = BACKOFF_FIRST_S
    restart_at_s: float | None = None
    deaths: int = 0


class Supervisor:
    """A set of children. They are ended in `waves`: the children of a wave together, one wave after the other.

    `report` is called from the supervising thread with each event. Each wave has `stop_patience_s` to end.
    """

    def __init__(
        self,
        waves: Sequence[Sequence[ChildProcess]],
        report: Report,
        *,
        stop_patience_s: float = STOP_PATIENCE_S,
    ) -> None:
        self._watched = [_Watched(child, wave) for wave, children in enumerate(waves) for child in children]
        self._report = report
        self._stop_patience_s = stop_patience_s
        self._stop = threading.Event()
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start every child; returns once all are started, which does not mean that they are ready.

        Raises Unreachable, and ends those that run, if one cannot be started.
        """
        self._thread.start()
        self._started.wait()
        self.raise_failure()

    def stop(self) -> None:
        """End every child in order, and kill those that do not end; idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def child(self, name: str) -> ChildProcess:
        """The child with that name. Raises NotFound if there is none."""
        for watched in self._watched:
            if watched.child.name == name:
                return watched.child
        names = ", ".join(watched.child.name for watched in self._watched)
        raise NotFound(f"there is no process {name!r}", remedy=f"there are {names}")

    def raise_if_failing(self) -> None:
        """Raise Unreachable, with the end of its log, if a child keeps dying; for use while waiting for it.

        How long it ran does not matter: on a busy machine a child may take minutes until it finds that it cannot work.
        """
        self.raise_failure()
        for watched in self._watched:
            if watched.deaths >= START_ATTEMPTS:
                child = watched.child
                raise Unreachable(
                    f"the process {child.name} does not stay up; the end of its log:\n{child.log_tail()}",
                    remedy=f"fix what these lines say; the whole log is {child.log}",
                )

    def raise_failure(self) -> None:
        """Raise the error of the supervising thread itself, if there was one."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            for watched in self._watched:
                _start(watched.child)
            self._started.set()
            while not self._stop.wait(POLL_S):
                for watched in self._watched:
                    self._look_after(watched)
        except BaseException as error:  # noqa: BLE001 - handed to the caller, which waits in another thread
            self._failure = error
        finally:
            self._started.set()
            self._end_all()

    def _look_after(self, watched: _Watched) -> None:
        now_s = time.monotonic()
        if watched.restart_at_s is not None:
            if now_s >= watched.restart_at_s:
                self._restart(watched)
            return
        status = watched.child.poll()
        if status is None:
            if watched.child.ran_s > HEALTHY_AFTER_S:
                watched.backoff_s = BACKOFF_FIRST_S
            return
        last_line = watched.child.last_line()
        self._note_death(watched, f"{described_end(status)}: {last_line}" if last_line else described_end(status))

    def _restart(self, watched: _Watched) -> None:
        """Start the child again. If the machine lacks resources now (processes, descriptors, disk), try again later."""
        watched.restart_at_s = None
        try:
            watched.child.start()
        except OSError as error:
            self._note_death(watched, f"could not be started ({error.strerror or error})")

    def _note_death(self, watched: _Watched, how: str) -> None:
        watched.deaths += 1
        watched.restart_at_s = time.monotonic() + watched.backoff_s
        self._report(
            f"{watched.child.name} {how} (starting it again in {watched.backoff_s:g} s; log: {watched.child.log})"
        )
        watched.backoff_s = min(BACKOFF_MAX_S, watched.backoff_s * 2)

    def _end_all(self) -> None:
        for wave in sorted({watched.wave for watched in self._watched}):
            children = [watched.child for watched in self._watched if watched.wave == wave]
            for child in children:
                child.request_end()
            deadline_s = time.monotonic() + self._stop_patience_s
            for child in children:
                if not child.finish(deadline_s):
                    self._report(f"{child.name} did not end within {self._stop_patience_s:g} s and was killed")


def _start(child: ChildProcess) -> None:
    try:
        child.start()
    except OSError as error:
        raise Unreachable(
            f"the process {child.name} could not be started: {error.strerror or error}",
            remedy="see whether this machine lacks memory, processes, open files or room on a disk",
        ) from error
