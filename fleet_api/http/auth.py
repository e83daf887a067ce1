"""Authentication of users and vehicles by bearer token; the use cases check what a user may do."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from fleet_api.http.services import Use
from fleet_api.http.threads import in_vehicle_threads
from ingest.http.raising import raises
from ingest.http.trace import REQUEST_ID
from storage.tokens import authenticate
from storage.vehicles.authentication import authenticate_vehicle
from triggers.contracts.users import User
from triggers.errors import Forbidden, Unauthenticated

_user_scheme = HTTPBearer(auto_error=False, scheme_name="user_token", description="Token of a user or a service.")
_vehicle_scheme = HTTPBearer(
    auto_error=False, scheme_name="vehicle_token", description="Token of a vehicle, from its enrolment."
)

_UserBearer = Annotated[HTTPAuthorizationCredentials | None, Security(_user_scheme)]
_VehicleBearer = Annotated[HTTPAuthorizationCredentials | None, Security(_vehicle_scheme)]


@raises(Unauthenticated, Forbidden)
def calling_user(request: Request, services: Use, bearer: _UserBearer) -> User:
    """The user whose token was sent; Unauthenticated without a valid one.

    Forbidden is declared here on behalf of the use cases, which require a role of this user.
    """
    token = _token(bearer)
    with services.database.begin() as connection:
        user = authenticate(connection, token)
    if user.origin.token_id is not None:
        services.used_tokens.note(user.origin.token_id)
    request.state.caller = f"user {user.name}"
    address = None if request.client is None else request.client.host
    origin = replace(user.origin, address=address, request_id=request.scope.get(REQUEST_ID))
    return replace(user, origin=origin)


@raises(Unauthenticated)
async def calling_vehicle(request: Request, services: Use, bearer: _VehicleBearer) -> str:
    """The id of the vehicle whose token was sent; Unauthenticated without a valid one."""
    token = _token(bearer)

    def authenticated() -> str:
        with services.vehicle_database.begin() as connection:
            return authenticate_vehicle(connection, token)

    vehicle_id = await in_vehicle_threads(request, authenticated)
    request.state.is_vehicle = True
    request.state.caller = f"vehicle {vehicle_id}"
    return vehicle_id


Caller = Annotated[User, Depends(calling_user)]
"""The user who calls."""
CallingVehicle = Annotated[str, Depends(calling_vehicle)]
"""The id of the vehicle that calls."""


def caller_of(request: Request) -> str:
    """Who sends this request, for bounds per caller; its route has authenticated it before it reads a body."""
    return str(request.state.caller)


def _token(bearer: HTTPAuthorizationCredentials | None) -> str:
    if bearer is None:
        raise Unauthenticated("no bearer token was sent", remedy="send `Authorization: Bearer lt_...`")
    return bearer.credentials
