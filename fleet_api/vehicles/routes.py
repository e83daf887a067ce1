"""Vehicles: enrolment by operators; check-in, bundles and telemetry by the vehicles themselves."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fleet_api.api.auth import CallingVehicle, Operator, ThisVehicle, Viewer
from fleet_api.api.bodies import KIB, MIB, json_body
from fleet_api.api.openapi.signed import signed_response
from fleet_api.api.routing import Route
from fleet_api.api.services import Use
from fleet_api.vehicles.assignment import assignment_list, assignments_of, sealed
from storage.campaigns import queries as campaign_queries
from storage.vehicles import vehicles
from triggers.contracts.api.vehicles import EnrolledView, EnrolRequest, VehicleList, VehicleView
from triggers.contracts.bundle import Bundle
from triggers.contracts.checkin import AssignmentList, CheckIn, Telemetry

SEALED = "application/octet-stream"
MAX_CHECK_IN_BYTES = 512 * KIB
MAX_TELEMETRY_BYTES = 8 * MIB
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]

router = APIRouter(prefix="/v1", tags=["vehicles"], route_class=Route)


@router.post("/vehicles", status_code=201, summary="Enrol a vehicle")
def enrol(services: Use, _user: Operator, body: Annotated[EnrolRequest, json_body(EnrolRequest)]) -> EnrolledView:
    """Make a vehicle known and issue its token, which is shown here only. Enrolling again replaces the token."""
    with services.database.begin() as connection:
        token = vehicles.enroll(connection, body.id, body.attributes)
    return EnrolledView(
        id=body.id,
        token=token,
        public_keys=[base64.b64encode(services.key.public_key().public_bytes_raw()).decode()],
        api_url=services.settings.effective_api_url(),
        gateway_url=services.settings.effective_gateway_url(),
    )


@router.get("/vehicles", summary="List vehicles")
def list_vehicles(
    services: Use,
    _user: Viewer,
    after: Annotated[str, Query(max_length=64, description="Continue behind this id.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> VehicleList:
    """Vehicles by id, with what they said at their latest check-in."""
    with services.database.begin() as connection:
        found = vehicles.list_vehicles(connection, after=after, limit=limit)
    return VehicleList(
        vehicles=[VehicleView.model_validate(vehicle) for vehicle in found],
        next=found[-1].id if len(found) == limit else None,
    )


@router.get("/vehicles/{vehicle_id}", summary="Show a vehicle")
def show_vehicle(services: Use, _user: Viewer, vehicle_id: str) -> VehicleView:
    """One vehicle."""
    with services.database.begin() as connection:
        return VehicleView.model_validate(vehicles.get_vehicle(connection, vehicle_id))


@router.delete("/vehicles/{vehicle_id}", status_code=204, summary="Revoke a vehicle's token")
def revoke_vehicle(services: Use, _user: Operator, vehicle_id: str) -> None:
    """Shut a vehicle out until it is enrolled again. What it uploaded stays."""
    with services.database.begin() as connection:
        vehicles.revoke_vehicle(connection, vehicle_id)


@router.post(
    "/vehicles/{vehicle_id}/check-in",
    summary="Check in",
    response_class=Response,
    responses={
        200: signed_response(AssignmentList, "The signed list of the vehicle's campaigns"),
        304: {"description": "The list whose digest is `have` still holds"},
    },
)
def check_in(
    services: Use, vehicle_id: ThisVehicle, body: Annotated[CheckIn, json_body(CheckIn, limit_bytes=MAX_CHECK_IN_BYTES)]
) -> Response:
    """Say who one is and what one has; get the signed list of campaigns, or 304.

    A 304 does not renew the list: ask without `have` once half of its life is over.
    """
    with services.database.begin() as connection:
        known = vehicles.check_in(connection, vehicle_id, body)
    revision, campaigns = services.running.at(services.database, known.revision)
    assignments = assignments_of(campaigns, vehicle_id, known.attributes, now_ns=known.now_ns)
    content = assignment_list(
        assignments,
        vehicle_id,
        revision=revision,
        now_ns=known.now_ns,
        ttl_s=services.settings.assignment_ttl_s,
    )
    if body.have == content.content_digest:
        return Response(status_code=304)
    return Response(sealed(content, services.key), media_type=SEALED)


@router.get(
    "/bundles/{digest}",
    summary="Fetch a bundle",
    response_class=Response,
    responses={200: signed_response(Bundle, "A signed campaign bundle")},
)
def fetch_bundle(services: Use, _vehicle: CallingVehicle, digest: Digest) -> Response:
    """The signed bundle of a campaign version, by the digest that the list of campaigns names."""
    with services.database.begin() as connection:
        bundle = campaign_queries.get_bundle(connection, digest)
    return Response(bundle, media_type=SEALED, headers={"Cache-Control": "private, max-age=31536000, immutable"})


@router.post(
    "/vehicles/{vehicle_id}/telemetry",
    status_code=204,
    summary="Report counts",
)
def report_counts(
    services: Use,
    vehicle_id: ThisVehicle,
    body: Annotated[Telemetry, json_body(Telemetry, limit_bytes=MAX_TELEMETRY_BYTES)],
) -> None:
    """Say what became of the fires. The same or an older report changes nothing."""
    with services.database.begin() as connection:
        vehicles.record_counts(connection, vehicle_id, body)
