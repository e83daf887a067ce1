"""Authentication of users and vehicles, by token or signature; the use cases check what a user may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from fleet_api.http.services import Use
from fleet_api.http.session import NAME as SESSION
from fleet_api.http.session import require_own_page, session_cookie
from fleet_api.http.threads import in_vehicle_threads
from fleet_api.services import Services
from ingest.http.bounds.fair_turns import work_for
from ingest.http.raising import raises
from ingest.http.signed_requests import is_signed, verify
from ingest.http.trace import REQUEST_ID
from storage.tokens import authenticate
from storage.vehicles.authentication import authenticate_vehicle, vehicle_key
from triggers.contracts.users import Origin, User
from triggers.errors import Forbidden, Unauthenticated
from triggers.request_signature import parse

_user_scheme = HTTPBearer(auto_error=False, scheme_name="user_token", description="Token of a user or a service.")
_vehicle_scheme = HTTPBearer(
    auto_error=False, scheme_name="vehicle_token", description="Token of a vehicle, or its signature."
)

_session_scheme = APIKeyCookie(
    auto_error=False,
    name=f"__Host-{SESSION}",
    scheme_name="user_session",
    description="The cookie of a browser that has logged in. A request that changes something must come from a page of "
    "this API. On plain HTTP, which is for one machine, the name lacks the prefix; below a path it is `__Secure-`.",
)

_UserBearer = Annotated[HTTPAuthorizationCredentials | None, Security(_user_scheme)]
_UserSession = Annotated[str | None, Security(_session_scheme)]
_VehicleBearer = Annotated[HTTPAuthorizationCredentials | None, Security(_vehicle_scheme)]


@raises(Unauthenticated, Forbidden)
def calling_user(request: Request, services: Use, bearer: _UserBearer, _session: _UserSession) -> User:
    """The user whose token was sent, in a header or as the cookie of a browser; Unauthenticated without a valid one.

    Forbidden is declared here on behalf of the use cases, which require a role of this user.
    """
    token = _session_token(request, services) if bearer is None else _token(bearer)
    with services.database.begin() as connection:
        user = authenticate(connection, token)
    if user.origin.token_id is not None:
        services.used_tokens.note(user.origin.token_id)
    request.state.caller = f"user {user.name}"
    return replace(user, origin=replace(request_origin(request), token_id=user.origin.token_id))


def request_origin(request: Request) -> Origin:
    """Where a request comes from, as the audit log has it; without a token, which only its user has."""
    address = None if request.client is None else request.client.host
    return Origin(address=address, request_id=request.scope.get(REQUEST_ID))


@raises(Unauthenticated)
async def calling_vehicle(request: Request, services: Use, bearer: _VehicleBearer) -> str:
    """The id of the vehicle whose token was sent, or whose key signed the request; Unauthenticated without either."""
    check = _by_signature(request, services) if is_signed(request.headers) else _by_token(services, _token(bearer))
    vehicle_id = await in_vehicle_threads(request, check)
    work_for(f"vehicle {vehicle_id}")
    request.state.is_vehicle = True
    request.state.caller = f"vehicle {vehicle_id}"
    return vehicle_id


def _by_signature(request: Request, services: Services) -> Callable[[], str]:
    signed = parse(request.method, request.headers)

    def check() -> str:
        with services.vehicle_database.begin() as connection:
            key = vehicle_key(connection, signed.vehicle_id)
        url = services.settings.effective_api_url()
        return verify(signed, key, services.nonces, path=request.scope["path"], public_url=url)

    return check


def _by_token(services: Services, token: str) -> Callable[[], str]:
    def check() -> str:
        with services.vehicle_database.begin() as connection:
            return authenticate_vehicle(connection, token)

    return check


def calling_address(request: Request) -> str:
    """The address of a caller that cannot authenticate yet, which is who the request's memory is charged to."""
    address = "unknown" if request.client is None else request.client.host
    request.state.address = f"address {address}"  # it is nobody's: bounds for callers who are known are not for it
    return address


CallingAddress = Annotated[str, Depends(calling_address)]
"""The address of a caller without a token."""
Caller = Annotated[User, Depends(calling_user)]
"""The user who calls."""
CallingVehicle = Annotated[str, Depends(calling_vehicle)]
"""The id of the vehicle that calls."""


def caller_of(request: Request) -> str:
    """Who sends this request, for bounds per caller; its route has authenticated it before it reads a body."""
    return str(getattr(request.state, "caller", None) or request.state.address)


def _session_token(request: Request, services: Services) -> str:
    """The token in the session cookie, in a request that may have been made by a page of another site."""
    url = services.settings.effective_api_url()
    token = session_cookie(url).read(request)
    if token is None:
        return _token(None)
    require_own_page(request.method, request.headers, url)
    return token


def _token(bearer: HTTPAuthorizationCredentials | None) -> str:
    if bearer is None:
        raise Unauthenticated("no bearer token was sent", remedy="send `Authorization: Bearer lt_...`")
    return bearer.credentials
