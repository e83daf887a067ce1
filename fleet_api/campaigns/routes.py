"""Campaigns: apply a text, step through a version's life, look at what became of its fires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from fleet_api.api.auth import Approver, Author, AuthorOrApprover, Viewer
from fleet_api.api.bodies import MIB, json_body
from fleet_api.api.routing import Route
from fleet_api.api.services import Use
from fleet_api.budget.views import account_view
from fleet_api.campaigns.compilation import compile_campaign
from fleet_api.services import Services
from ingest.http.raising import raises
from storage import ledger
from storage.campaigns import life as campaigns
from storage.campaigns import queries as campaign_queries
from storage.campaigns.queries import CampaignVersion
from storage.counts import compared as compare_counts
from storage.counts.outcomes import Outcomes, outcomes
from triggers.contracts.api.campaigns import (
    AppliedView,
    ApplyRequest,
    ApproveRequest,
    CampaignDetails,
    CampaignList,
    CampaignSummary,
    CampaignView,
    ComparedView,
    VersionList,
)
from triggers.contracts.api.outcomes import OutcomesView
from triggers.contracts.compared import Compared
from triggers.errors import Conflict, DiagnosticsError

MAX_BODY_BYTES = 16 * MIB
MAX_SHOWN_ACCOUNTS = 100

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], route_class=Route)


@router.post(
    "",
    status_code=201,
    summary="Apply a trigger text",
    responses={200: {"model": AppliedView, "description": "The same text was applied before; this is that version"}},
)
@raises(Conflict, DiagnosticsError)
def apply_campaign(
    services: Use,
    user: Author,
    response: Response,
    body: Annotated[ApplyRequest, json_body(ApplyRequest, limit_bytes=MAX_BODY_BYTES)],
) -> AppliedView:
    """Compile the text and make a new version of the campaign: a draft, or submitted for approval at once.

    The same text, catalog and program as a version that has not ended give that version again. A text with mistakes
    is answered by 422 with all `diagnostics`.
    """
    compiled = compile_campaign(body.source, filename=body.filename, signals=body.signals, campaign=body.campaign)
    with services.database.begin() as connection:
        version, created = campaigns.apply(
            connection,
            settings=compiled.campaign.settings,
            program=compiled.campaign.program,
            source=body.source,
            signal_catalog=body.signals,
            author=user.name,
            draft=body.draft,
        )
    if not created:
        response.status_code = 200
    return AppliedView(**asdict(version), warnings=compiled.warnings)


@router.get("", summary="List campaigns")
def list_campaigns(
    services: Use,
    _user: Viewer,
    after: Annotated[str, Query(max_length=64, description="Continue behind this name.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> CampaignList:
    """Of each campaign the version that runs, else its newest, with what became of its fires; by name."""
    with services.database.begin() as connection:
        found = campaign_queries.list_campaigns(connection, after=after, limit=limit)
        counted = outcomes(connection)
    return CampaignList(campaigns=[_summary(version, counted) for version in found])


@router.get("/{campaign}", summary="List a campaign's versions")
def list_versions(services: Use, _user: Viewer, campaign: str) -> VersionList:
    """All versions of a campaign, newest first."""
    with services.database.begin() as connection:
        found = campaign_queries.get_versions(connection, campaign)
        counted = outcomes(connection, campaign)
    return VersionList(campaign=campaign, versions=[_summary(version, counted) for version in found])


@router.get("/{campaign}/{version}", summary="Show a campaign version")
def show_version(services: Use, _user: Viewer, campaign: str, version: int) -> CampaignDetails:
    """A version with its text, settings, outcomes, compared heads, and how much of the campaign's budget is used."""
    today = datetime.now(UTC).date()
    with services.database.begin() as connection:
        found = campaign_queries.get_version(connection, campaign, version)
        source, signals = campaign_queries.get_texts(connection, campaign, version)
        counted = outcomes(connection, campaign)
        pairs = compare_counts.compared(connection, campaign, version)
        accounts = ledger.usage(connection, campaign, day=today, limit=MAX_SHOWN_ACCOUNTS)
    return CampaignDetails(
        **asdict(found),
        outcomes=_outcomes(found, counted),
        source=source,
        signals=signals,
        compared={head: ComparedView.model_validate(pairs.get(head, Compared())) for head in found.settings["compare"]},
        budget=[account_view(account) for account in accounts],
    )


@router.post("/{campaign}/{version}/submit", summary="Submit a draft")
@raises(Conflict)
def submit(services: Use, user: Author, campaign: str, version: int) -> CampaignView:
    """Hand a draft to those who approve."""
    return _step(services, lambda connection: campaigns.submit(connection, campaign, version, user=user.name))


@router.post("/{campaign}/{version}/approve", summary="Approve")
@raises(Conflict)
def approve(
    services: Use,
    user: Approver,
    campaign: str,
    version: int,
    body: Annotated[ApproveRequest, json_body(ApproveRequest)],
) -> CampaignView:
    """Approve a submitted version by its program's digest: it is signed, and vehicles get it from then on.

    The version that ran before is stopped as superseded. A version whose first day is yet to come waits, approved.
    """
    return _step(
        services,
        lambda connection: campaigns.approve(
            connection,
            campaign,
            version,
            digest=body.digest,
            user=user.name,
            key=services.key,
            allow_self_approval=services.settings.allow_self_approval,
        ),
    )


@router.post("/{campaign}/{version}/pause", summary="Pause")
@raises(Conflict)
def pause(services: Use, _user: AuthorOrApprover, campaign: str, version: int) -> CampaignView:
    """Take an active version off the vehicles; its place in the rollout is kept."""
    return _step(services, lambda connection: campaigns.pause(connection, campaign, version))


@router.post("/{campaign}/{version}/resume", summary="Resume")
@raises(Conflict)
def resume(services: Use, _user: Approver, campaign: str, version: int) -> CampaignView:
    """Give a paused version back to the vehicles."""
    return _step(services, lambda connection: campaigns.resume(connection, campaign, version))


@router.post("/{campaign}/{version}/stop", summary="Stop")
@raises(Conflict)
def stop(services: Use, user: AuthorOrApprover, campaign: str, version: int) -> CampaignView:
    """End a version for good."""
    return _step(services, lambda connection: campaigns.stop(connection, campaign, version, user=user.name))


def _step(services: Services, step: Callable[[Any], CampaignVersion]) -> CampaignView:
    with services.database.begin() as connection:
        return CampaignView.model_validate(step(connection))


def _summary(version: CampaignVersion, counted: dict[tuple[str, int], Outcomes]) -> CampaignSummary:
    return CampaignSummary(**asdict(version), outcomes=_outcomes(version, counted))


def _outcomes(version: CampaignVersion, counted: dict[tuple[str, int], Outcomes]) -> OutcomesView:
    return OutcomesView.model_validate(counted.get((version.campaign, version.version), Outcomes()))
