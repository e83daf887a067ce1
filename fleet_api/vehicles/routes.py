"""Routes for vehicles: enrolment and erasure by operators; check-in, bundles and telemetry by vehicles themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from fleet_api.http.auth import Caller, CallingAddress, CallingVehicle
from fleet_api.http.bodies import KIB, json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.http.signed import signed_response
from fleet_api.http.threads import in_vehicle_threads
from fleet_api.vehicles import usecases
from fleet_api.vehicles.unchanged import CheckInRoute
from ingest.http.raising import raises
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.vehicles import (
    CodeRequest,
    EnrolledKeyView,
    EnrolledView,
    EnrolmentCodeView,
    EnrolRequest,
    ErasureReportView,
    KeyRequest,
    VehicleErasureView,
    VehicleList,
    VehicleTokenView,
    VehicleView,
)
from triggers.contracts.bundle import Bundle
from triggers.contracts.checkin import AssignmentList, CheckIn, Telemetry
from triggers.contracts.limits import MAX_TELEMETRY_BYTES
from triggers.errors import Conflict, Erased, Forbidden, Quarantined, TooMany, Unauthenticated

SEALED = "application/octet-stream"
MAX_CHECK_IN_BYTES = 512 * KIB
Reason = Annotated[str, Query(min_length=1, max_length=500, description="Why; it is kept, so it names nobody.")]
WithReason = Annotated[ReasonRequest, json_body(ReasonRequest)]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]

router = APIRouter(prefix="/v1", tags=["vehicles"], route_class=ApiRoute)
checking_in = APIRouter(route_class=CheckInRoute)


@router.post("/vehicles", status_code=201, summary="Enrol a vehicle")
@raises(Conflict, Erased)
def enrol(services: Use, user: Caller, body: Annotated[EnrolRequest, json_body(EnrolRequest)]) -> EnrolledView:
    """Enrol a vehicle and issue its token, which is shown only once. Enrolling again needs `replace`."""
    return usecases.enrol(services, user, body)


@router.post("/enrolment-codes", status_code=201, summary="Issue an enrolment code")
@raises(Conflict, Erased)
def issue_code(services: Use, user: Caller, body: Annotated[CodeRequest, json_body(CodeRequest)]) -> EnrolmentCodeView:
    """Issue a one-time code, shown only once, with which the vehicle enrols itself under a key that it has made.

    It replaces an earlier code of the vehicle; nothing else changes until it is used. For a vehicle that is enrolled
    already it needs `replace`.
    """
    return usecases.issue_code(services, user, body)


@router.post("/vehicles/{vehicle_id}/key", status_code=201, summary="Enrol with a code")
@raises(Unauthenticated, Conflict, Erased)
def enrol_key(
    services: Use,
    _caller: CallingAddress,
    vehicle_id: str,
    body: Annotated[KeyRequest, json_body(KeyRequest, limit_bytes=4 * KIB)],
) -> EnrolledKeyView:
    """Enrol a vehicle, by its one-time code, under the key with which it signs its requests from then on.

    Its tokens and its former key end. The private key stays on the vehicle.
    """
    return usecases.enrol_key(services, vehicle_id, body)


@router.get("/vehicles", summary="List vehicles")
def list_vehicles(
    services: Use,
    user: Caller,
    *,
    prefix: Annotated[str, Query(max_length=64, description="Only vehicles whose id begins with this text.")] = "",
    after: Annotated[str, Query(max_length=64, description="`next` of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> VehicleList:
    """Vehicles by id, with what they reported at their latest check-in."""
    return usecases.list_vehicles(services, user, prefix=prefix, after=after, limit=limit)


@router.get("/vehicles/{vehicle_id}", summary="Show a vehicle")
@raises(Erased)
def show_vehicle(services: Use, user: Caller, vehicle_id: str) -> VehicleView:
    """One vehicle, with what it reported at its latest check-in."""
    return usecases.show_vehicle(services, user, vehicle_id)


@router.post("/vehicles/{vehicle_id}/revoke", status_code=204, summary="Revoke a vehicle's token")
def revoke_vehicle(services: Use, user: Caller, vehicle_id: str) -> None:
    """Revoke a vehicle's access until it is enrolled again. What it uploaded stays."""
    usecases.revoke_vehicle(services, user, vehicle_id)


@router.post("/vehicles/{vehicle_id}/quarantine", status_code=204, summary="Quarantine a vehicle")
@raises(Conflict)
def quarantine_vehicle(services: Use, user: Caller, vehicle_id: str, body: WithReason) -> None:
    """Refuse a vehicle's uploads and reports until it is released. It keeps them, and still checks in."""
    usecases.quarantine_vehicle(services, user, vehicle_id, body)


@router.post("/vehicles/{vehicle_id}/release", status_code=204, summary="Release a vehicle from quarantine")
@raises(Conflict)
def release_vehicle(services: Use, user: Caller, vehicle_id: str, body: WithReason) -> None:
    """Accept a vehicle's uploads and reports again."""
    usecases.release_vehicle(services, user, vehicle_id, body)


@router.post("/vehicles/{vehicle_id}/void-counts", status_code=204, summary="Void a vehicle's counts")
@raises(Conflict)
def void_counts(services: Use, user: Caller, vehicle_id: str, body: WithReason) -> None:
    """Leave a vehicle's counts out of all sums, those to come included. They are kept, and can be restored."""
    usecases.void_counts(services, user, vehicle_id, body)


@router.post("/vehicles/{vehicle_id}/restore-counts", status_code=204, summary="Restore a vehicle's counts")
@raises(Conflict)
def restore_counts(services: Use, user: Caller, vehicle_id: str, body: WithReason) -> None:
    """Have a vehicle's counts in all sums again."""
    usecases.restore_counts(services, user, vehicle_id, body)


@router.delete("/vehicles/{vehicle_id}", status_code=202, summary="Erase a vehicle")
@raises(Erased)
def erase_vehicle(services: Use, user: Caller, vehicle_id: str, *, reason: Reason) -> VehicleErasureView:
    """Erase a vehicle for good, with its clips, labels and uploads: now for every reader, soon from all disks.

    Counts and budgets keep their sums, without its id. The answer says what is still in the catalog; asking again says
    what is left. The id cannot be enrolled again.
    """
    return usecases.erase_vehicle(services, user, vehicle_id, reason=reason)


@router.get("/vehicles/{vehicle_id}/erasure", summary="Report an erasure")
@raises(Conflict)
def report_erasure(services: Use, user: Caller, vehicle_id: str) -> ErasureReportView:
    """The signed report on a vehicle that was erased with all of its objects: what, when, by whom and why."""
    return usecases.report_erasure(services, user, vehicle_id)


@checking_in.post(
    "/vehicles/{vehicle_id}/check-in",
    summary="Check in",
    response_class=Response,
    responses={
        200: signed_response(AssignmentList, "The signed list of the vehicle's campaigns"),
        304: {"description": "The list whose digest is `have` is still current"},
    },
)
@raises(Forbidden, TooMany)
async def check_in(
    request: Request,
    services: Use,
    caller: CallingVehicle,
    vehicle_id: str,
    body: Annotated[CheckIn, json_body(CheckIn, limit_bytes=MAX_CHECK_IN_BYTES)],
) -> Response:
    """Report the vehicle's attributes, software and problems; returns the signed list of its campaigns, or 304.

    A 304 does not renew the list: check in without `have` once half of its lifetime is over.
    """
    services.whole_check_ins.check("a vehicle with something new to tell, or without its list,", caller.encode())
    sealed_list = await in_vehicle_threads(request, lambda: usecases.check_in(services, caller, vehicle_id, body))
    return Response(status_code=304) if sealed_list is None else Response(sealed_list, media_type=SEALED)


@router.post("/vehicles/{vehicle_id}/token", status_code=201, summary="Rotate the vehicle's token")
@raises(Forbidden)
async def rotate_token(request: Request, services: Use, caller: CallingVehicle, vehicle_id: str) -> VehicleTokenView:
    """Issue the vehicle's next token, which is shown only once, before the one in use expires.

    The token in use stays valid until the next is used for the first time: store the next one, then use it. A vehicle
    that did not get the answer asks again with the token that it has.
    """
    return await in_vehicle_threads(request, lambda: usecases.rotate_token(services, caller, vehicle_id))


@router.get(
    "/bundles/{digest}",
    summary="Fetch a bundle",
    response_class=Response,
    responses={200: signed_response(Bundle, "A signed campaign bundle")},
)
async def fetch_bundle(request: Request, services: Use, caller: CallingVehicle, digest: Digest) -> Response:
    """The signed bundle of a campaign version, by the digest in the list of campaigns.

    404 for one of a version that the vehicle was never given, whether there is such a bundle or not.
    """
    bundle = await in_vehicle_threads(request, lambda: usecases.fetch_bundle(services, caller, digest))
    return Response(bundle, media_type=SEALED, headers={"Cache-Control": "private, max-age=31536000, immutable"})


@router.post("/vehicles/{vehicle_id}/telemetry", status_code=204, summary="Report counts")
@raises(Forbidden, Quarantined)
async def report_counts(
    request: Request,
    services: Use,
    caller: CallingVehicle,
    vehicle_id: str,
    body: Annotated[Telemetry, json_body(Telemetry, limit_bytes=MAX_TELEMETRY_BYTES)],
) -> None:
    """Report what became of the vehicle's fires. The same or an older report changes nothing."""
    await in_vehicle_threads(request, lambda: usecases.report_counts(services, caller, vehicle_id, body))


router.include_router(checking_in)
