"""Routes for reports of campaign versions: attach one, show it, and the page that an approver opens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from fleet_api.campaigns.reports import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import KIB, json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.backtest.page.page import POLICY
from triggers.contracts.api.backtests.attached import AttachedReportView, AttachReportRequest
from triggers.contracts.api.backtests.stated import MAX_REPORT_BYTES
from triggers.contracts.api.campaigns import ReportSummaryView
from triggers.errors import Conflict, TooMany

REPORT = "/v1/campaigns/{campaign}/{version}/report"
MAX_BODY_BYTES = MAX_REPORT_BYTES + 64 * KIB
_HTML = {"text/html": {"schema": {"type": "string"}}}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

router = APIRouter(tags=["campaigns"], route_class=ApiRoute)


@router.post(REPORT, summary="Attach a report")
@raises(Conflict, TooMany)
def attach_report(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[AttachReportRequest, json_body(AttachReportRequest, limit_bytes=MAX_BODY_BYTES)],
) -> ReportSummaryView:
    """Attach the report of a backtest of this very program to a version that is not approved yet.

    It takes the place of an earlier one, and its forecast is the version's. The report is one of `longtail backtest`,
    or that of a backtest of your own on this deployment.
    """
    return usecases.attach(services, user, campaign, version, body)


@router.get(REPORT, summary="Show a version's report")
def show_report(services: Use, user: Caller, campaign: str, version: int) -> AttachedReportView:
    """The report that its author attached, with who did and when."""
    return usecases.show(services, user, campaign, version)


@router.get(
    f"{REPORT}/page",
    summary="Show a version's report as a page",
    response_class=Response,
    responses={200: {"description": "A page that loads and runs nothing", "content": _HTML}},
)
def show_report_page(services: Use, user: Caller, campaign: str, version: int) -> Response:
    """The report as one page of HTML for people."""
    page = usecases.show_page(services, user, campaign, version)
    return Response(page, media_type="text/html; charset=utf-8", headers=_HEADERS)
