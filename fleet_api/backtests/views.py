"""The API's views of backtests: how far they are, what programs gave, what it costs, and what two do differently."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fleet_api.backtest_processes.tasks import Capture, FireRow, Ran
from fleet_api.backtests.rules import Moment, Pairing, changed_fires, matched
from fleet_api.costs.expected import expected_cost
from storage.backtests.jobs import Backtest
from triggers.backtest.page.of_campaign import forecast_of
from triggers.backtest.versions.matching import Nearness
from triggers.contracts.api.authoring.checks import DiagnosticView
from triggers.contracts.api.backtests.answers import (
    BacktestFireView,
    BacktestState,
    BacktestView,
    CampaignCostView,
    ProgramComparisonView,
    ProgramNameView,
    ProgramResultView,
)
from triggers.contracts.api.backtests.requests import FleetRequest, Over
from triggers.contracts.api.backtests.stated import RanCampaign
from triggers.contracts.api.labels import JobState

_STATES = {
    JobState.READY: BacktestState.WAITING,
    JobState.LEASED: BacktestState.RUNNING,
    JobState.DONE: BacktestState.DONE,
    JobState.FAILED: BacktestState.FAILED,
}
PriceBookText = tuple[int, str]
"""The version of a price book, and its text."""


def backtest_view(backtest: Backtest) -> BacktestView:
    """A backtest, without its results."""
    state = _STATES[JobState(backtest.state)]
    has_failed, runs = state is BacktestState.FAILED, state is BacktestState.RUNNING
    return BacktestView(
        id=backtest.id,
        state=state,
        programs=[ProgramNameView(**name) for name in backtest.names],
        over=Over.model_validate(backtest.over, strict=False),
        fleet=FleetRequest.model_validate(backtest.fleet),
        step=backtest.step if runs else None,
        done=backtest.done,
        total=backtest.total,
        reason=backtest.reason if has_failed else None,
        remedy=backtest.remedy if has_failed else None,
        program=backtest.program,
        diagnostics=[DiagnosticView(**each) for each in backtest.diagnostics],
        created_at=backtest.created_at,
        finished_at=backtest.finished_at,
        expires_at=backtest.expires_at,
    )


def result_view(ran: Ran, fires: int, *, book: PriceBookText | None, today: date) -> ProgramResultView:
    """What a program gave; `fires` of its fires are kept."""
    costs = []
    if book is not None and ran.report.forecast is not None:
        costs = [_cost(ran, campaign, book, today) for campaign in ran.campaigns]
    return ProgramResultView(
        report=ran.report,
        warnings=ran.warnings,
        costs=costs,
        fires=fires,
        fires_left_out=ran.fires_left_out,
        sweep=ran.sweep,
    )


def _cost(ran: Ran, campaign: RanCampaign, book: PriceBookText, today: date) -> CampaignCostView:
    stated = forecast_of(ran.report, campaign.settings, campaign.digest)
    version, text = book
    expected_of_day = expected_cost(stated, campaign.settings, version=version, text=text, today=today)
    return CampaignCostView(campaign=campaign.settings.name, expected=expected_of_day)


def moments(fires: Sequence[FireRow]) -> list[Moment]:
    """Fires as they are compared."""
    return [Moment(fire.trigger, fire.drive, fire.t_ns) for fire in fires]


def pairings(given: Sequence[Ran]) -> dict[str, Pairing]:
    """How the triggers that two programs both have are compared: as `longtail backtest --against` compares them."""
    first, second = given
    drives = {each.drive for each in second.report.by_drive}
    found = {}
    for name, capture in first.captures.items():
        if name in second.captures:
            left_out = {*first.left_out_on.get(name, ()), *second.left_out_on.get(name, ())}
            ran = [each.drive for each in first.report.by_drive if each.drive in drives and each.drive not in left_out]
            found[name] = Pairing(Nearness.touching(capture, second.captures[name]), ran)
    return found


def comparison_view(given: Sequence[Ran], fires: Sequence[Sequence[FireRow]]) -> ProgramComparisonView:
    """What the second program does otherwise than the first, on the drives that both ran over."""
    first, second = (set(ran.captures) for ran in given)
    complete = not any(ran.fires_left_out for ran in given)
    return ProgramComparisonView(
        only_first=sorted(first - second),
        only_second=sorted(second - first),
        fires=changed_fires(pairings(given), *(moments(rows) for rows in fires), complete=complete),
        complete=complete,
    )


def fire_views(given: Sequence[Ran], fires: Sequence[Sequence[FireRow]]) -> list[list[BacktestFireView]]:
    """The fires of each program with their windows, and whether the other program has them, too."""
    elsewhere = matched(pairings(given), *(moments(rows) for rows in fires)) if len(given) > 1 else None
    shown = []
    for program, (ran, rows) in enumerate(zip(given, fires, strict=True)):
        first_ns = {each.drive: each.first_ns for each in ran.report.by_drive}
        views = []
        for number, row in enumerate(rows):
            is_elsewhere = None if elsewhere is None else elsewhere[program][number]
            views.append(_fire_view(number, row, ran.captures[row.trigger], first_ns[row.drive], is_elsewhere))
        shown.append(views)
    return shown


def _fire_view(number: int, fire: FireRow, capture: Capture, first_ns: int, elsewhere: bool | None) -> BacktestFireView:
    return BacktestFireView(
        number=number,
        trigger=fire.trigger,
        drive=fire.drive,
        t_ns=fire.t_ns,
        first_ns=first_ns,
        start_ns=max(0, fire.t_ns - capture.before_ns),
        end_ns=fire.t_ns + capture.after_ns,
        clip_bytes=fire.clip_bytes,
        recording=fire.recording,
        outcome=fire.outcome,
        reason=fire.reason,
        elsewhere=elsewhere,
    )
