"""The threads of an API process that run scans: they take scans that wait, or whose process died, and run them.

They only wait: for the database, and for the process that does the work. So neither the event loop nor the threads of
requests have to do with a scan.
"""

from __future__ import annotations

import logging
import os
import platform
import threading

from fleet_api.scans.reader import Reader
from fleet_api.scans.run import LEASE_S, ScanRun
from fleet_api.scans.tasks import Limits
from storage.clips.positions.signals import PositionSignals
from storage.database import Database
from storage.scans import jobs
from storage.scans.jobs import Scan
from storage.settings import Settings
from triggers.errors import InvalidInput, LeaseLost, LongtailError, Misconfigured, NotFound, Overloaded, Unreachable
from triggers.processes.jail import parts
from triggers.processes.jail.isolation import Isolation
from triggers.processes.jail.parts import Part

POLL_S = 0.5
PAUSE_S = 5.0
"""After something that a scan needs did not answer."""
_log = logging.getLogger(__name__)


class _Stopped(Exception):
    """Ends a run when the process ends."""


class ScanRunner:
    """Runs scans until it is closed."""

    def __init__(self, database: Database, settings: Settings, positions: PositionSignals) -> None:
        """`database` is closed with it."""
        self._database = database
        self._settings = settings
        self._positions = positions
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"scans-{number}", daemon=True)
            for number in range(settings.scan_workers)
        ]

    def start(self) -> None:
        """Begin, and say what the jail of scans lacks here, where that is accepted."""
        if self._threads and self._settings.extraction_isolation is Isolation.BEST_EFFORT:
            for lack in parts.lacking():
                if lack.part is not Part.USER:  # which the jail of a scan has not: the API is nobody's root
                    _log.warning("scans are evaluated without isolation: %s; %s", lack, lack.remedy)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End: a scan that runs is given back, for the next process to go on with."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._database.close()

    def _work(self, number: int) -> None:
        worker = f"{platform.node()}:{os.getpid()}:{number}"
        while not self._stop.is_set():
            try:
                with self._database.begin() as connection:
                    scan = jobs.claim(connection, worker=worker, lease_s=LEASE_S)
                if scan is not None:
                    self._run(scan)
                    continue
                self._stop.wait(POLL_S)
            except LongtailError as error:
                _log.warning("scans wait: %s", error)
                self._stop.wait(PAUSE_S)
            except Exception:  # noqa: BLE001 - a defect must not end the thread: later scans would wait for ever
                _log.exception("a scan ended unexpectedly")
                self._stop.wait(PAUSE_S)

    def _run(self, scan: Scan) -> None:
        limits = Limits(self._settings.scan_s, self._settings.extraction_isolation)
        try:
            with Reader(self._settings, processes=self._settings.scan_processes, limits=limits) as reader:
                run = ScanRun(
                    self._database, self._settings, self._positions, scan, reader=reader, keep_on=self._keep_on
                )
                run.to_the_end()
        except (LeaseLost, NotFound):
            _log.info("scan %s is no longer this process's", scan.id)
        except _Stopped:
            self._conclude(scan, "its process ended", outage=True)
        except (Unreachable, Overloaded, Misconfigured) as error:
            self._conclude(scan, error.message, outage=True, delay_s=PAUSE_S)
        except InvalidInput as error:
            self._conclude(scan, error.message, outage=False)
        except LongtailError as error:
            _log.warning("scan %s cannot go on: %s", scan.id, error)
            self._conclude(scan, error.message, outage=False)

    def _conclude(self, scan: Scan, reason: str, *, outage: bool, delay_s: float = 0.0) -> None:
        try:
            with self._database.begin() as connection:
                if outage:
                    jobs.give_back(connection, scan, reason=reason, delay_s=delay_s, counts=False)
                else:
                    jobs.abandon(connection, scan, reason=reason)
        except (LeaseLost, NotFound):
            _log.info("scan %s was removed", scan.id)

    def _keep_on(self) -> None:
        if self._stop.is_set():
            raise _Stopped
