"""The services that use cases work with: settings, database, object store, signing key. One set per process."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.running import RunningCampaigns
from storage.database import Database
from storage.objects import ObjectStore
from storage.settings import Settings


@dataclass(frozen=True)
class Services:
    """The services of one API process."""

    settings: Settings
    database: Database
    store: ObjectStore
    key: Ed25519PrivateKey
    running: RunningCampaigns = field(default_factory=RunningCampaigns)
