"""Which campaigns a vehicle runs: a pure function of campaign and vehicle, answered from memory.

Every replica of the API keeps the running campaigns by assignment revision. A check-in reads the newest revision
(with the row it writes anyway), so a replica reloads exactly when something changed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.campaigns.queries import RunningCampaign, running
from storage.database import Database
from triggers.assignment.sampling import admitted
from triggers.assignment.targets import matches
from triggers.contracts import signing
from triggers.contracts.base import NS_PER_S, AttributeValue
from triggers.contracts.campaign import RolloutStage
from triggers.contracts.checkin import Assignment, AssignmentList

MAX_ASSIGNMENTS = 1000
_log = logging.getLogger(__name__)


def share_at(stages: Sequence[RolloutStage], elapsed_ns: int) -> float:
    """The share of the fleet that a rollout admits `elapsed_ns` after it began; the last stage has no end."""
    for stage in stages:
        if stage.duration_ns is None or elapsed_ns < stage.duration_ns:
            return stage.share
        elapsed_ns -= stage.duration_ns
    return stages[-1].share


def is_assigned(
    campaign: RunningCampaign, vehicle_id: str, attributes: Mapping[str, AttributeValue], *, now_ns: int
) -> bool:
    """Whether the vehicle is to run this active campaign at `now_ns`.

    The campaign's days are whole days in UTC, the first and the last included.
    """
    settings = campaign.settings
    today = datetime.fromtimestamp(now_ns / NS_PER_S, UTC).date()
    if settings.active_from is not None and today < settings.active_from:
        return False
    if settings.active_to is not None and today > settings.active_to:
        return False
    if settings.target is not None and not matches(settings.target, attributes):
        return False
    began_ns = int(campaign.rollout_from.timestamp()) * NS_PER_S
    return admitted(vehicle_id, campaign.campaign, share_at(settings.rollout, max(0, now_ns - began_ns)))


def assignments_of(
    campaigns: Sequence[RunningCampaign], vehicle_id: str, attributes: Mapping[str, AttributeValue], *, now_ns: int
) -> tuple[Assignment, ...]:
    """The vehicle's campaigns, most important first; of more than MAX_ASSIGNMENTS the least important are left out."""
    mine = [each for each in campaigns if is_assigned(each, vehicle_id, attributes, now_ns=now_ns)]
    mine.sort(key=lambda each: (-each.settings.priority, each.campaign))
    if len(mine) > MAX_ASSIGNMENTS:
        _log.warning("vehicle %s matches %d campaigns; %d are assigned", vehicle_id, len(mine), MAX_ASSIGNMENTS)
    return tuple(
        Assignment(campaign=each.campaign, version=each.version, bundle_digest=each.bundle_digest)
        for each in mine[:MAX_ASSIGNMENTS]
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
