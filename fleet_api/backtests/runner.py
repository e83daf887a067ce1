"""The threads of an API process that run backtests: they take those that wait, or whose process died, and run them."""

from __future__ import annotations

from fleet_api.backtests.folders import empty_folders
from fleet_api.backtests.run import LEASE_S, BacktestRun, ProgramError
from fleet_api.job_threads import JobThreads
from fleet_api.services import Services
from storage.backtests import jobs
from storage.backtests.jobs import Backtest
from storage.database import Database
from triggers.errors import DiagnosticsError, LongtailError


class BacktestRunner(JobThreads[Backtest]):
    """Runs backtests until it is closed."""

    what = "backtest"

    def __init__(self, database: Database, services: Services) -> None:
        """`database` is its own, and is closed with it."""
        super().__init__(services.settings.backtest_workers)
        self._database = database
        self._services = services

    def start(self) -> None:
        """Begin, without what a killed process has left of its backtests."""
        empty_folders(self._services.settings)
        super().start()

    def close(self) -> None:
        """End: a backtest that runs is given back, for the next process to begin again."""
        super().close()
        self._database.close()

    def claim(self, worker: str) -> Backtest | None:
        """The backtest that has waited longest."""
        with self._database.begin() as connection:
            return jobs.claim(connection, worker=worker, lease_s=LEASE_S)

    def run(self, job: Backtest) -> None:
        """Run a backtest to its end."""
        BacktestRun(self._database, self._services, job, keep_on=self.keep_on).to_the_end()

    def give_back(self, job: Backtest, reason: str, *, delay_s: float) -> None:
        """Let another process, or this one later, begin a backtest again."""
        with self._database.begin() as connection:
            jobs.give_back(connection, job, reason=reason, delay_s=delay_s)

    def abandon(self, job: Backtest, error: LongtailError) -> None:
        """End a backtest that cannot go on, with whatever of a text is to blame."""
        cause = error.cause if isinstance(error, ProgramError) else error
        with self._database.begin() as connection:
            jobs.abandon(
                connection,
                job,
                reason=cause.message,
                remedy=cause.remedy,
                program=error.program if isinstance(error, ProgramError) else None,
                diagnostics=cause.diagnostics if isinstance(cause, DiagnosticsError) else (),
            )
