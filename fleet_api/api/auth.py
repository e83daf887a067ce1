"""Who is calling: users and vehicles, both by bearer token. What a user may do is checked by the use cases."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from fleet_api.api.services import Use
from ingest.http.raising import raises
from storage.tokens import authenticate
from storage.vehicles.vehicles import authenticate_vehicle
from triggers.contracts.users import Role, User
from triggers.errors import Forbidden, Unauthenticated

_user_scheme = HTTPBearer(auto_error=False, scheme_name="user_token", description="Token of a person or a service.")
_vehicle_scheme = HTTPBearer(auto_error=False, scheme_name="vehicle_token", description="Token from enrolment.")

_UserBearer = Annotated[HTTPAuthorizationCredentials | None, Security(_user_scheme)]
_VehicleBearer = Annotated[HTTPAuthorizationCredentials | None, Security(_vehicle_scheme)]


@raises(Unauthenticated, Forbidden)
def calling_user(services: Use, bearer: _UserBearer) -> User:
    """The user whose token was sent; Unauthenticated without a valid one.

    Forbidden is declared here for the use cases, which ask this user for a role.
    """
    token = _token(bearer)
    with services.database.begin() as connection:
        return authenticate(connection, token)


@raises(Unauthenticated)
def calling_vehicle(services: Use, bearer: _VehicleBearer) -> str:
    """The id of the vehicle whose token was sent; Unauthenticated without a valid one."""
    token = _token(bearer)
    with services.database.begin() as connection:
        return authenticate_vehicle(connection, token)


@raises(Forbidden)
def this_vehicle(vehicle_id: str, caller: Annotated[str, Depends(calling_vehicle)]) -> str:
    """The vehicle of the path, which must be the caller; Forbidden when it is another."""
    if vehicle_id != caller:
        raise Forbidden(f"this token belongs to another vehicle than {vehicle_id[:64]!r}")
    return caller


class _HasRole:
    """A dependency: the user, who must have one of `roles` (or be an administrator)."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    def __call__(self, user: Annotated[User, Depends(calling_user)]) -> User:
        """Forbidden without such a role."""
        user.require(*self.roles)
        return user


Caller = Annotated[User, Depends(calling_user)]
Viewer = Annotated[User, Depends(_HasRole(Role.VIEWER))]
Author = Annotated[User, Depends(_HasRole(Role.AUTHOR))]
Approver = Annotated[User, Depends(_HasRole(Role.APPROVER))]
AuthorOrApprover = Annotated[User, Depends(_HasRole(Role.AUTHOR, Role.APPROVER))]
Operator = Annotated[User, Depends(_HasRole(Role.OPERATOR))]
Labeler = Annotated[User, Depends(_HasRole(Role.LABELER))]
CallingVehicle = Annotated[str, Depends(calling_vehicle)]
ThisVehicle = Annotated[str, Depends(this_vehicle)]


def _token(bearer: HTTPAuthorizationCredentials | None) -> str:
    if bearer is None:
        raise Unauthenticated("no bearer token was sent", remedy="send `Authorization: Bearer lt_...`")
    return bearer.credentials
