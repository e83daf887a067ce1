"""Backtests: run over drives or clips of the deployment, followed while they run, and ended."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterator, Sequence

from fleet_api.client.transport import Parameters, Transport, path_of
from triggers.contracts.api.backtests.answers import (
    BacktestFires,
    BacktestFireView,
    BacktestList,
    BacktestPage,
    BacktestState,
    BacktestView,
    DriveList,
)
from triggers.contracts.api.backtests.requests import BacktestRequest
from triggers.contracts.api.backtests.signals import DEFAULT_POINTS, SignalsView
from triggers.errors import DiagnosticsError, LongtailError

PAGE = 10_000
FIRST_POLL_S = 0.1
LONGEST_POLL_S = 1.0


class Backtests:
    """What `client.backtests` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def drives(self) -> DriveList:
        """The recorded drives that the deployment offers."""
        return self._transport.get(DriveList, path_of("drives"))

    def begin(self, request: BacktestRequest) -> BacktestView:
        """Begin a backtest. TooMany while another one of yours is not over."""
        return self._transport.post(BacktestView, path_of("backtests"), request)

    def page(self, backtest_id: str) -> BacktestPage:
        """How far a backtest is, with its results once it is done."""
        return self._transport.get(BacktestPage, path_of("backtests", backtest_id))

    def wait(self, backtest_id: str, *, progress: Callable[[BacktestView], None] = lambda _: None) -> BacktestPage:
        """The results, once they are there; `progress` is told how far it is.

        DiagnosticsError for a text with mistakes, LongtailError with the reason if it cannot go on.
        """
        pause_s = FIRST_POLL_S
        while True:
            page = self.page(backtest_id)
            backtest = page.backtest
            progress(backtest)
            if backtest.state is BacktestState.DONE:
                return page
            if backtest.state is BacktestState.FAILED:
                reason, remedy = backtest.reason or "", backtest.remedy or ""
                if backtest.diagnostics:
                    raise DiagnosticsError(reason, diagnostics=[each.model_dump() for each in backtest.diagnostics])
                raise LongtailError(f"the backtest {backtest_id} could not go on: {reason}", remedy=remedy)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_POLL_S)

    def fires(self, backtest_id: str, *, program: int = 0, drive: str | None = None) -> Iterator[BacktestFireView]:
        """The fires of a program, by drive and time; of all drives, or of one."""
        position: int | None = 0
        while position is not None:
            query: Parameters = {"program": program, "position": position, "limit": PAGE, "drive": drive}
            page = self._transport.get(BacktestFires, path_of("backtests", backtest_id, "fires"), query)
            yield from page.fires
            position = page.next

    def signals(
        self,
        backtest_id: str,
        drive: str,
        *,
        from_ns: int,
        to_ns: int,
        program: int = 0,
        names: Sequence[str] = (),
        points: int = DEFAULT_POINTS,
    ) -> SignalsView:
        """Signals of a drive or clip that it ran over, by name, or those that the program reads."""
        query: Parameters = {
            "program": program,
            "drive": drive,
            "from_ns": from_ns,
            "to_ns": to_ns,
            "points": points,
            "names": ",".join(names) or None,
        }
        return self._transport.get(SignalsView, path_of("backtests", backtest_id, "signals"), query)

    def list(self) -> builtins.list[BacktestView]:
        """Your own backtests, the newest first."""
        return self._transport.get(BacktestList, path_of("backtests")).backtests

    def end(self, backtest_id: str) -> BacktestView:
        """End a backtest that is not over, and forget its results; the answer is what it was."""
        return self._transport.delete(BacktestView, path_of("backtests", backtest_id), {})
