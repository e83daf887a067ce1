"""The dependency that gives a route the services its use case works with."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from fleet_api.services import Services
from ingest.http.raising import raises
from triggers.errors import Misconfigured, Overloaded, TooMany, Unreachable


@raises(Misconfigured, Overloaded, TooMany, Unreachable)
async def services_of(request: Request) -> Services:
    """The services of the application that handles this request; declares the errors that any use of them may raise."""
    services: Services = request.app.state.services
    return services


Use = Annotated[Services, Depends(services_of)]
"""The type of a route's parameter that gets the services."""
