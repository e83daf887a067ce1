"""Who asks: users with roles and vehicles, both by bearer token."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from fleet_api.api.services import Use
from ingest.http.raising import raises
from storage.tokens import User, authenticate
from storage.vehicles.vehicles import authenticate_vehicle
from triggers.errors import Forbidden, Unauthenticated

_user_scheme = HTTPBearer(auto_error=False, scheme_name="user_token", description="Token of a person or a service.")
_vehicle_scheme = HTTPBearer(auto_error=False, scheme_name="vehicle_token", description="Token from enrolment.")

_UserBearer = Annotated[HTTPAuthorizationCredentials | None, Security(_user_scheme)]
_VehicleBearer = Annotated[HTTPAuthorizationCredentials | None, Security(_vehicle_scheme)]


class Role:
    """A dependency: the user, who must have one of `roles` (or be an administrator)."""

    raises = (Unauthenticated, Forbidden)

    def __init__(self, *roles: str) -> None:
        self.roles = roles

    def __call__(self, services: Use, bearer: _UserBearer) -> User:
        """Unauthenticated without a valid token, Forbidden without such a role."""
        token = _token(bearer)
        with services.database.begin() as connection:
            user = authenticate(connection, token)
        if not any(user.may(role) for role in self.roles):
            wanted = " or ".join(self.roles)
            raise Forbidden(
                f"this needs the role {wanted}; {user.name} has {', '.join(sorted(user.roles))}",
                remedy=f"ask an administrator for a token with the role {wanted}",
            )
        return user


@raises(Unauthenticated)
def calling_vehicle(services: Use, bearer: _VehicleBearer) -> str:
    """The id of the vehicle whose token was sent."""
    token = _token(bearer)
    with services.database.begin() as connection:
        return authenticate_vehicle(connection, token)


@raises(Forbidden)
def this_vehicle(vehicle_id: str, caller: Annotated[str, Depends(calling_vehicle)]) -> str:
    """The vehicle of the path, which must be the caller."""
    if vehicle_id != caller:
        raise Forbidden(f"this token belongs to another vehicle than {vehicle_id[:64]!r}")
    return caller


Viewer = Annotated[User, Depends(Role("viewer"))]
Author = Annotated[User, Depends(Role("author"))]
Approver = Annotated[User, Depends(Role("approver"))]
AuthorOrApprover = Annotated[User, Depends(Role("author", "approver"))]
Operator = Annotated[User, Depends(Role("operator"))]
Labeler = Annotated[User, Depends(Role("labeler"))]
CallingVehicle = Annotated[str, Depends(calling_vehicle)]
ThisVehicle = Annotated[str, Depends(this_vehicle)]


def _token(bearer: HTTPAuthorizationCredentials | None) -> str:
    if bearer is None:
        raise Unauthenticated("no bearer token was sent", remedy="send `Authorization: Bearer lt_...`")
    return bearer.credentials
