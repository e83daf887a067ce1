"""What the routes work with: settings, database, objects, signing key. One per process, made by `create_app`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, Request

from fleet_api.vehicles.assignment import RunningCampaigns
from ingest.http.raising import raises
from storage.database import Database
from storage.objects import ObjectStore
from storage.settings import Settings
from triggers.errors import Misconfigured, Overloaded, Unreachable


@dataclass(frozen=True)
class Services:
    """The parts of one API process."""

    settings: Settings
    database: Database
    store: ObjectStore
    key: Ed25519PrivateKey
    running: RunningCampaigns = field(default_factory=RunningCampaigns)


@raises(Misconfigured, Overloaded, Unreachable)
def services_of(request: Request) -> Services:
    """The services of the application that handles this request. What they raise at any use is declared here."""
    found: Services = request.app.state.services
    return found


Use = Annotated[Services, Depends(services_of)]
"""The type of a route's parameter that gets the services."""
