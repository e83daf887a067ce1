"""The threads of an API process that run scans: they take scans that wait, or whose process died, and run them."""

from __future__ import annotations

import logging

from fleet_api.job_threads import JobThreads
from fleet_api.scans.reader import Reader
from fleet_api.scans.run import LEASE_S, ScanRun
from fleet_api.scans.tasks import Limits
from storage.clips.positions.signals import PositionSignals
from storage.database import Database
from storage.scans import jobs
from storage.scans.jobs import Scan
from storage.settings import Settings
from triggers.errors import LongtailError
from triggers.processes.jail import parts
from triggers.processes.jail.isolation import Isolation
from triggers.processes.jail.parts import Part

_log = logging.getLogger(__name__)


class ScanRunner(JobThreads[Scan]):
    """Runs scans until it is closed."""

    what = "scan"

    def __init__(self, database: Database, settings: Settings, positions: PositionSignals) -> None:
        """`database` is closed with it."""
        super().__init__(settings.scan_workers)
        self._database = database
        self._settings = settings
        self._positions = positions

    def start(self) -> None:
        """Begin, and say what the jail of scans lacks here, where that is accepted."""
        if self._settings.scan_workers and self._settings.extraction_isolation is Isolation.BEST_EFFORT:
            for lack in parts.lacking():
                if lack.part is not Part.USER:  # which the jail of a scan has not: the API is nobody's root
                    _log.warning("scans are evaluated without isolation: %s; %s", lack, lack.remedy)
        super().start()

    def close(self) -> None:
        """End: a scan that runs is given back, for the next process to go on with."""
        super().close()
        self._database.close()

    def claim(self, worker: str) -> Scan | None:
        """The scan that has waited longest."""
        with self._database.begin() as connection:
            return jobs.claim(connection, worker=worker, lease_s=LEASE_S)

    def run(self, job: Scan) -> None:
        """Run a scan from where it is to its end."""
        limits = Limits(self._settings.scan_s, self._settings.extraction_isolation)
        with Reader(self._settings, processes=self._settings.scan_processes, limits=limits) as reader:
            run = ScanRun(self._database, self._settings, self._positions, job, reader=reader, keep_on=self.keep_on)
            run.to_the_end()

    def give_back(self, job: Scan, reason: str, *, delay_s: float) -> None:
        """Let another process, or this one later, go on with a scan."""
        with self._database.begin() as connection:
            jobs.give_back(connection, job, reason=reason, delay_s=delay_s, counts=False)

    def abandon(self, job: Scan, error: LongtailError) -> None:
        """End a scan that cannot go on."""
        with self._database.begin() as connection:
            jobs.abandon(connection, job, reason=error.message)
