"""Routes for campaigns: apply a text, take a version through its life, and see what became of its fires."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from fleet_api.campaigns import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import MIB, json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.campaigns import (
    AppliedView,
    ApplyRequest,
    ApproveRequest,
    CampaignDetails,
    CampaignList,
    CampaignView,
    StepRequest,
    VersionList,
)
from triggers.contracts.api.trust import SignedView, SignRequest
from triggers.errors import Conflict, DiagnosticsError, NotFound, Untrusted

MAX_BODY_BYTES = 16 * MIB

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], route_class=ApiRoute)


@router.post(
    "",
    status_code=201,
    summary="Apply a trigger text",
    responses={200: {"model": AppliedView, "description": "The same text was applied before; this is that version"}},
)
@raises(Conflict, DiagnosticsError, NotFound)
def apply_campaign(
    services: Use,
    user: Caller,
    response: Response,
    body: Annotated[ApplyRequest, json_body(ApplyRequest, limit_bytes=MAX_BODY_BYTES)],
) -> AppliedView:
    """Compile the text and create a new version of the campaign: a draft, or submitted for approval at once.

    If a version that has not ended has the same text, signal catalog, program and settings, that version is returned.
    `based_on` names the newest version that the author has seen: where another has come in between, the answer is 409
    with who wrote it and when. A text with mistakes is answered with 422 and all `diagnostics`. Where operators have
    published signal catalogs, name one as `catalog`.
    """
    applied, is_new = usecases.apply(services, user, body)
    if not is_new:
        response.status_code = 200
    return applied


@router.get("", summary="List campaigns")
def list_campaigns(
    services: Use,
    user: Caller,
    after: Annotated[str, Query(max_length=64, description="`next` of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> CampaignList:
    """One version of each campaign, by name: the running one, else the newest, with what became of its fires."""
    return usecases.list_campaigns(services, user, after=after, limit=limit)


@router.get("/{campaign}", summary="List a campaign's versions")
def list_versions(services: Use, user: Caller, campaign: str) -> VersionList:
    """All versions of a campaign, newest first."""
    return usecases.list_versions(services, user, campaign)


@router.get("/{campaign}/{version}", summary="Show a campaign version")
def show_version(services: Use, user: Caller, campaign: str, version: int) -> CampaignDetails:
    """A version with its text, settings, outcomes, compared heads, and how much of the campaign's budget is used."""
    return usecases.show_version(services, user, campaign, version)


@router.post("/{campaign}/{version}/submit", summary="Submit a draft")
@raises(Conflict)
def submit(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[StepRequest, json_body(StepRequest, is_optional=True)],
) -> CampaignView:
    """Submit a draft for approval."""
    return usecases.submit(services, user, campaign, version, reason=body.reason)


@router.post("/{campaign}/{version}/approve", summary="Approve a version")
@raises(Conflict)
def approve(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[ApproveRequest, json_body(ApproveRequest)],
) -> CampaignView:
    """Approve a submitted version by its approval digest: it is signed, and vehicles get it from then on.

    If its review has a `backtest_digest`, the approval names that, too, so that no report is approved unseen.

    The version that ran before is stopped as superseded. A version with a later start date stays approved until then.
    """
    return usecases.approve(
        services,
        user,
        campaign,
        version,
        seen_digest=body.digest,
        seen_backtest=body.backtest_digest,
        reason=body.reason,
    )


@router.post("/{campaign}/{version}/reject", summary="Reject a version")
@raises(Conflict)
def reject(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[ReasonRequest, json_body(ReasonRequest)],
) -> CampaignView:
    """Return a submitted version to its author, as a draft, with a reason. It may be submitted again as it is, or
    another version applied in its place.
    """
    return usecases.reject(services, user, campaign, version, body)


@router.post("/{campaign}/{version}/signatures", summary="Sign a version")
@raises(Untrusted)
def sign(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[SignRequest, json_body(SignRequest)],
) -> SignedView:
    """Add the signature of a person's own key over the version's bundle; vehicles ask for as many as their trust
    document says. A version that runs is sent again with it.
    """
    return usecases.sign(services, user, campaign, version, body)


@router.get("/{campaign}/{version}/signatures", summary="Count a version's signatures")
def count_signatures(services: Use, user: Caller, campaign: str, version: int) -> SignedView:
    """How many bundle keys that vehicles trust have signed a version, the deployment's included, and how many must."""
    return usecases.count_signatures(services, user, campaign, version)


@router.post("/{campaign}/{version}/pause", summary="Pause a version")
@raises(Conflict)
def pause(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[StepRequest, json_body(StepRequest, is_optional=True)],
) -> CampaignView:
    """Take an active version off the vehicles; its place in the rollout is kept."""
    return usecases.pause(services, user, campaign, version, reason=body.reason)


@router.post("/{campaign}/{version}/hold", summary="Hold a rollout")
@raises(Conflict)
def hold(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[ReasonRequest, json_body(ReasonRequest)],
) -> CampaignView:
    """Keep an active version on the vehicles of the stage that its rollout has reached, until it is resumed."""
    return usecases.hold(services, user, campaign, version, body)


@router.post("/{campaign}/{version}/resume", summary="Resume a version")
@raises(Conflict)
def resume(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[StepRequest, json_body(StepRequest, is_optional=True)],
) -> CampaignView:
    """Give a paused version back to the vehicles, or let a rollout that is held go on.

    A version that is both is held still when it runs again.
    """
    return usecases.resume(services, user, campaign, version, reason=body.reason)


@router.post("/{campaign}/{version}/stop", summary="Stop a version")
@raises(Conflict)
def stop(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    body: Annotated[StepRequest, json_body(StepRequest, is_optional=True)],
) -> CampaignView:
    """End a version for good."""
    return usecases.stop(services, user, campaign, version, reason=body.reason)
