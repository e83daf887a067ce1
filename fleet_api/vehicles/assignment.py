"""The list of campaigns that a vehicle runs, answered from memory; `triggers.assignment.rules` decides which.

Every replica of the API keeps the running campaigns by assignment revision. A check-in reads the newest revision
(with the row it writes anyway), so a replica reloads exactly when something changed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.campaigns.queries import RunningCampaign, running
from storage.database import Database
from triggers.assignment.rules import is_assigned
from triggers.contracts import signing
from triggers.contracts.base import NS_PER_S, AttributeValue
from triggers.contracts.checkin import Assignment, AssignmentList

MAX_ASSIGNMENTS = 1000
_log = logging.getLogger(__name__)


def assignments_of(
    campaigns: Sequence[RunningCampaign], vehicle_id: str, attributes: Mapping[str, AttributeValue], *, now_ns: int
) -> tuple[Assignment, ...]:
    """The vehicle's campaigns, most important first; of more than MAX_ASSIGNMENTS the least important are left out."""
    mine = [
        running
        for running in campaigns
        if is_assigned(
            running.settings,
            vehicle_id,
            attributes,
            rollout_from_ns=int(running.rollout_from.timestamp()) * NS_PER_S,
            now_ns=now_ns,
        )
    ]
    mine.sort(key=lambda running: (-running.settings.priority, running.campaign))
    if len(mine) > MAX_ASSIGNMENTS:
        _log.warning("vehicle %s matches %d campaigns; %d are assigned", vehicle_id, len(mine), MAX_ASSIGNMENTS)
    return tuple(
        Assignment(campaign=running.campaign, version=running.version, bundle_digest=running.bundle_digest)
        for running in mine[:MAX_ASSIGNMENTS]
    )


def assignment_list(
    assignments: tuple[Assignment, ...], vehicle_id: str, *, revision: int, now_ns: int, ttl_s: int
) -> AssignmentList:
    """The vehicle's list, in force for `ttl_s` seconds from `now_ns`."""
    return AssignmentList(
        vehicle_id=vehicle_id,
        revision=revision,
        issued_at_ns=now_ns,
        expires_at_ns=now_ns + ttl_s * NS_PER_S,
        assignments=assignments,
    )


def sealed(assignments: AssignmentList, key: Ed25519PrivateKey) -> bytes:
    """The list's signed bytes."""
    return signing.seal(assignments.canonical_json(), purpose=signing.ASSIGNMENTS, key=key)


class RunningCampaigns:
    """The running campaigns of the newest revision that this process has seen. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = -1
        self._campaigns: tuple[RunningCampaign, ...] = ()

    def at(self, database: Database, revision: int) -> tuple[int, tuple[RunningCampaign, ...]]:
        """The revision, at least `revision`, and what runs by it; reads the database only when it is new."""
        with self._lock:
            if self._revision >= revision:
                return self._revision, self._campaigns
        with database.begin() as connection:
            newest, campaigns = running(connection)
        with self._lock:
            if newest > self._revision:
                self._revision, self._campaigns = newest, campaigns
            return self._revision, self._campaigns
