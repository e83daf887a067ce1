"""Threads of an API process that run jobs from the database: they take one that waits, run it, and take the next.

They only wait: for the database, and for the processes that do the work. So neither the event loop nor the threads of
requests have to do with a job.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from triggers.errors import InvalidInput, LeaseLost, LongtailError, Misconfigured, NotFound, Overloaded, Unreachable

POLL_S = 0.5
PAUSE_S = 5.0
"""After something that a job needs did not answer."""
_log = logging.getLogger(__name__)
Job = TypeVar("Job")


class Stopped(Exception):
    """Ends a run when the process ends."""


class JobThreads(Generic[Job]):
    """Runs jobs until it is closed. A subject says in a subclass how they are claimed, run and concluded."""

    what = "job"
    """What a job is called in the log."""

    def __init__(self, workers: int) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"{self.what}s-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End: a job that runs is given back, for the next process to go on with."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def claim(self, worker: str) -> Job | None:
        """The job that has waited longest, for this worker; None if none waits."""
        raise NotImplementedError

    def run(self, job: Job) -> None:
        """Run a job to its end, with `keep_on` called all the while."""
        raise NotImplementedError

    def give_back(self, job: Job, reason: str, *, delay_s: float) -> None:
        """Let a job be run again: it was not to blame for what has ended it."""
        raise NotImplementedError

    def abandon(self, job: Job, error: LongtailError) -> None:
        """End a job that cannot go on."""
        raise NotImplementedError

    def keep_on(self) -> None:
        """Stopped when the process ends."""
        if self._stop.is_set():
            raise Stopped

    def _work(self, number: int) -> None:
        worker = f"{platform.node()}:{os.getpid()}:{number}"
        while not self._stop.is_set():
            try:
                job = self.claim(worker)
                if job is not None:
                    self._run(job)
                    continue
                self._stop.wait(POLL_S)
            except LongtailError as error:
                _log.warning("%ss wait: %s", self.what, error)
                self._stop.wait(PAUSE_S)
            except Exception:  # noqa: BLE001 - a defect must not end the thread: later jobs would wait for ever
                _log.exception("a %s ended unexpectedly", self.what)
                self._stop.wait(PAUSE_S)

    def _run(self, job: Job) -> None:
        try:
            self.run(job)
        except LeaseLost:
            _log.info("a %s is no longer this process's", self.what)
        except Stopped:
            self._conclude(lambda: self.give_back(job, "its process ended", delay_s=0))
        except (Unreachable, Overloaded, Misconfigured) as error:
            reason = error.message
            self._conclude(lambda: self.give_back(job, reason, delay_s=PAUSE_S))
        except LongtailError as error:
            if not isinstance(error, InvalidInput | NotFound):
                _log.warning("a %s cannot go on: %s", self.what, error)
            reason_of_end = error  # NotFound may be of what it needs, or of the job itself: then nothing is concluded
            self._conclude(lambda: self.abandon(job, reason_of_end))
        except Exception:  # noqa: BLE001 - a defect: whoever waits for the job learns of it now
            _log.exception("a %s ended unexpectedly", self.what)
            defect = LongtailError(f"an unexpected error ended the {self.what}", remedy="see the log of the API")
            self._conclude(lambda: self.abandon(job, defect))

    def _conclude(self, conclude: Callable[[], None]) -> None:
        try:
            conclude()
        except (LeaseLost, NotFound):
            _log.info("a %s was removed", self.what)
