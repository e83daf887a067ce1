"""The services that use cases work with: settings, database, object store, keys. One set per process."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.backtest_processes.offered import OfferedDrives
from fleet_api.known import KnownVehicles
from fleet_api.openid.fetching import Fetching
from fleet_api.openid.provider import Provider
from fleet_api.running import RunningCampaigns
from fleet_api.signing.chain import KnownChain
from fleet_api.signing.list_keys import ListKeys, ListSigner
from fleet_api.signing.remote import RemoteSigner
from fleet_api.used_tokens import UsedTokens
from ingest.http.bounds.buckets import Buckets
from ingest.http.bounds.turns import Turns
from ingest.nonces import Nonces
from storage.clips.positions import Sight, sight_of
from storage.clips.positions.signals import PositionSignals
from storage.database import Connection, Database
from storage.objects import ObjectStore
from storage.settings import Settings
from storage.vehicles.assignments import AssignmentTerms
from triggers.contracts.users import User, roles_of

SEARCHES = 3
"""Of all users at once: other requests of people need connections, too."""
COMPILATIONS = 2
"""Likewise: each takes a processor."""
CHECKS = 4
"""Likewise, of texts that are being written: short, and asked again and again."""
DRIVE_LOOKS = 3
"""Likewise, of signals of a drive around a moment."""
LOG_INS = 8
"""Likewise: each waits for the OpenID provider, and needs no token to begin."""
LOG_INS_PER_ADDRESS = 4
WHOLE_CHECK_INS_PER_S = 25.0
"""Of one vehicle, each with a transaction and a signature."""


@dataclass(frozen=True)
class Services:
    """The services of one API process."""

    settings: Settings
    database: Database
    vehicle_database: Database
    """Another pool, for the routes of vehicles alone: whatever people ask for, it has connections."""
    store: ObjectStore
    key: Ed25519PrivateKey | None
    """The deployment's own bundle key; None where only people sign bundles."""
    signer: ListSigner
    searches: Turns = field(default_factory=lambda: Turns("search", in_all=SEARCHES, retry_after_s=15))
    compilations: Turns = field(default_factory=lambda: Turns("compilation", in_all=COMPILATIONS, retry_after_s=10))
    checks: Turns = field(default_factory=lambda: Turns("check", in_all=CHECKS, retry_after_s=1))
    backtest_pages: Turns = field(default_factory=lambda: Turns("results", in_all=DRIVE_LOOKS, retry_after_s=1))
    drive_looks: Turns = field(default_factory=lambda: Turns("look at a drive", in_all=DRIVE_LOOKS, retry_after_s=1))
    log_ins: Turns = field(
        default_factory=lambda: Turns("log-in", in_all=LOG_INS, per_caller=LOG_INS_PER_ADDRESS, retry_after_s=2)
    )
    whole_check_ins: Buckets = field(default_factory=lambda: Buckets(WHOLE_CHECK_INS_PER_S))
    """By vehicle; of the event loop alone."""
    running: RunningCampaigns = field(default_factory=RunningCampaigns)
    trust: KnownChain = field(default_factory=KnownChain)
    known: KnownVehicles = field(default_factory=KnownVehicles)
    positions: PositionSignals = field(default_factory=PositionSignals)

    @property
    def assignment_terms(self) -> AssignmentTerms:
        """How long fires of a campaign are accepted from a vehicle."""
        return AssignmentTerms(self.settings.assignment_ttl_s, self.settings.assignment_grace_s)

    def sight_of(self, user: User, connection: Connection) -> Sight:
        """What a user sees of where cars were."""
        return sight_of(user, roles_of(self.settings.position_roles), self.positions, connection)

    @cached_property
    def offered_drives(self) -> OfferedDrives:
        """The recorded drives that backtests can run over."""
        return OfferedDrives(self.settings)

    @cached_property
    def nonces(self) -> Nonces:
        """The nonces of vehicles' signed requests."""
        return Nonces()

    @cached_property
    def openid(self) -> Provider:
        """The OpenID provider of these settings, and what is remembered of it."""
        return Provider(self.settings.oidc_issuer, Fetching(self.settings.oidc_ca_file))

    @cached_property
    def used_tokens(self) -> UsedTokens:
        """When users' tokens were last used."""
        return UsedTokens(self.database)


def open_signer(settings: Settings) -> ListSigner:
    """The signer of lists: the process at its socket, or, where none is set, the list keys in this process."""
    return RemoteSigner(settings.signer_socket) if settings.signer_socket else ListKeys(settings)
