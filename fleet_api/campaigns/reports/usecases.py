"""Use cases for reports of campaign versions: attach one, show it, and make its page.

Each use case checks the user's role and is one transaction.
"""

from __future__ import annotations

import hashlib

from pydantic_core import from_json

from fleet_api.backtest_processes.tasks import Ran
from fleet_api.campaigns.reports import rules, views
from fleet_api.services import Services
from storage import audit
from storage.backtests import jobs, results
from storage.campaigns import life, queries, reports
from storage.database import Connection
from triggers.backtest.page.of_campaign import forecast_of, require_program
from triggers.backtest.page.stated import bounded
from triggers.contracts.api.backtests.attached import AttachedReportView, AttachReportRequest
from triggers.contracts.api.backtests.stated import MAX_STATED_FIRES, StatedFire, StatedReport, WhatRan
from triggers.contracts.api.campaigns import ReportSummaryView
from triggers.contracts.api.labels import JobState
from triggers.contracts.base import text_digest
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, NotFound
from triggers.times import NS_PER_S


def attach(
    services: Services, user: User, campaign: str, version: int, request: AttachReportRequest
) -> ReportSummaryView:
    """Attach a report to a version that is not approved yet, in place of an earlier one; its forecast comes with it.

    Conflict when the report is of another program, or the version is approved; InvalidInput for one without a forecast;
    NotFound for a version that is not there, or a backtest that is not this user's; TooMany while another question of
    this user about results of backtests is not answered.
    """
    user.require(Role.AUTHOR)
    stated = request.report
    if stated is None:
        with services.backtest_pages.turn(user.name), services.database.snapshot() as connection:
            stated = _of_backtest(connection, user, request.backtest or "", request.program)
    with services.database.begin() as connection:
        life.lock_campaigns(connection)
        shown = queries.get_version(connection, campaign, version)
        rules.check_can_attach(campaign, version, shown.state)
        require_program(stated.report.programs, f"{campaign} version {version}", shown.program_digest)
        content = queries.get_content(connection, campaign, version)
        forecast = forecast_of(stated.report, queries.settings_of(content.settings), shown.program_digest)
        document = stated.model_dump_json().encode()
        reports.attach(
            connection, campaign, version, document=document, summary=views.summary(stated, content), user=user
        )
        life.set_forecast(connection, campaign, version, forecast.model_dump(mode="json"))
        after = {"report": hashlib.sha256(document).hexdigest(), "program_digest": shown.program_digest}
        object_name = f"{campaign}/{version}"
        audit.record(connection, user, "campaign.report", "campaign", object_name, before=None, after=after)
        attached = reports.summary_of(connection, campaign, version)
    assert attached is not None  # noqa: S101 - it was written above
    return views.summary_view(attached)


def show(services: Services, user: User, campaign: str, version: int) -> AttachedReportView:
    """A version's report, as far as the user may see it; NotFound without one."""
    attached, stated, whole = _shown(services, user, campaign, version)
    withheld = [] if whole else list(rules.WITHHELD)
    return AttachedReportView(campaign=campaign, version=version, attached=attached, withheld=withheld, document=stated)


def show_page(services: Services, user: User, campaign: str, version: int) -> str:
    """The same as a page of HTML, made here from the stored numbers: no HTML of others is ever kept or served."""
    attached, stated, whole = _shown(services, user, campaign, version)
    return views.report_page(campaign, version, attached, stated, whole=whole)


def _shown(services: Services, user: User, campaign: str, version: int) -> tuple[ReportSummaryView, StatedReport, bool]:
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        queries.get_version(connection, campaign, version)
        found = reports.report_of(connection, campaign, version)
        whole = services.sight_of(user, connection).precise
    if found is None:
        raise rules.no_report(campaign, version)
    attached, document = found
    stated = StatedReport.from_stored_json(document, what="the report")
    return views.summary_view(attached), stated if whole else rules.coarse(stated), whole


def _of_backtest(connection: Connection, user: User, backtest_id: str, program: int) -> StatedReport:
    """The report of a program of a user's own backtest; Conflict while it is not done."""
    backtest = jobs.get(connection, backtest_id, user_id=None if user.is_admin else user.known_id())
    if backtest.state != JobState.DONE:
        raise Conflict(f"the backtest has no results: it is {backtest.state}", remedy="wait until it is done")
    if program >= len(backtest.names):
        raise NotFound(f"the backtest has no program {program}", remedy=f"it has {len(backtest.names)}, from 0")
    result = results.results_of(connection, backtest_id)[program]
    ran = Ran.model_validate_json(result.document)
    text = jobs.texts(connection, backtest_id)[program]
    fires: list[StatedFire] = []
    for part in results.fires_of(connection, backtest_id, program, 0):
        if len(fires) >= MAX_STATED_FIRES:
            break
        fires += [
            StatedFire(trigger=each["trigger"], drive=each["drive"], t=each["t_ns"] / NS_PER_S)
            for each in from_json(part)
        ]
    return bounded(
        ran.report,
        WhatRan(
            at=backtest.finished_at,
            file=text.filename,
            source=text.source,
            catalog="",
            catalog_digest=text_digest(text.signals),
            campaigns=tuple(ran.campaigns),
        ),
        fires,
        in_all=result.fires + ran.fires_left_out,
    )
