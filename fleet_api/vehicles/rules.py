"""Rules for vehicles, as pure functions: who may report for a vehicle, valid counts, and its list of campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from triggers.assignment import plausible
from triggers.assignment.given import AssignedVersion, CountedParts, Refusal, Version
from triggers.assignment.rules import next_change_ns, obstacle
from triggers.contracts.base import AttributeValue
from triggers.contracts.campaign import RunningCampaign
from triggers.contracts.checkin import Assignment, AssignmentList, FireCounts
from triggers.contracts.trust import RoleKeys, encoded_key
from triggers.errors import Forbidden, InvalidInput, Misconfigured
from triggers.times import NS_PER_S

MAX_ASSIGNMENTS = 1000
NEVER_NS = 2**63 - 1


def check_speaks_for(caller: str, vehicle_id: str) -> None:
    """Forbidden unless the calling vehicle is the one that the request is about."""
    if caller != vehicle_id:
        raise Forbidden(f"this token does not belong to vehicle {vehicle_id[:64]!r}")


@dataclass(frozen=True, slots=True)
class RefusedCounts:
    """Counts that are left out, and why: the reason by which refusals are counted, and a sentence."""

    counts: FireCounts
    reason: Refusal
    why: str


def check_counts(counts: Sequence[FireCounts], parts: Mapping[Version, CountedParts]) -> None:
    """InvalidInput unless each version is counted once, exists, and has the heads, events and triggers that it counts.

    `parts` has what the versions that exist count.
    """
    by_version = {(count.campaign, count.version): count for count in counts}
    if len(by_version) != len(counts):
        raise InvalidInput("the report counts a campaign version twice")
    for (campaign, version), count in sorted(by_version.items()):
        if (campaign, version) not in parts:
            raise InvalidInput(f"the report counts fires of {campaign} version {version}, which does not exist")
        uncompared = sorted(set(count.compared) - parts[campaign, version].heads)
        if uncompared:
            raise InvalidInput(
                f"the report counts {uncompared[0]}, which {campaign} version {version} does not compare"
            )
        told = {(head, sides) for head, of_head in count.events.items() for sides in of_head}
        if unmatched := sorted(told - parts[campaign, version].events):
            head, sides = unmatched[0]
            raise InvalidInput(
                f"the report counts events of {head} ({sides}), which {campaign} version {version} does not compare"
            )
        unknown = sorted(set(count.per_trigger) - parts[campaign, version].triggers)
        if unknown:
            raise InvalidInput(
                f"the report counts fires of {unknown[0]}, which is no trigger of {campaign} version {version}"
            )


def judge_counts(
    counts: Sequence[FireCounts], assigned: Mapping[Version, AssignedVersion], *, now_ns: int
) -> tuple[tuple[FireCounts, ...], list[RefusedCounts]]:
    """Which counts are accepted: those of versions that the vehicle was given, as far as a vehicle can have them.

    `check_counts` has passed them.
    """
    refused = [refusal for count in counts if (refusal := _refused(count, assigned, now_ns)) is not None]
    left_out = {(refusal.counts.campaign, refusal.counts.version) for refusal in refused}
    return tuple(count for count in counts if (count.campaign, count.version) not in left_out), refused


def _refused(count: FireCounts, assigned: Mapping[Version, AssignedVersion], now_ns: int) -> RefusedCounts | None:
    given = assigned.get((count.campaign, count.version))
    name = f"{count.campaign} version {count.version}"
    if given is None:
        return RefusedCounts(count, Refusal.NOT_ASSIGNED, f"it was never given {name}")
    if not given.in_time:
        return RefusedCounts(count, Refusal.ASSIGNMENT_OVER, f"{name} ended for it too long ago")
    span = plausible.span_ns(since_ns=given.since_ns, now_ns=now_ns, replays=given.replays)
    why = plausible.implausible(count, given.cooldowns, span)
    return None if why is None else RefusedCounts(count, Refusal.IMPLAUSIBLE, f"{name}: {why}")


def assigned_campaigns(
    running: Sequence[RunningCampaign],
    vehicle_id: str,
    attributes: Mapping[str, AttributeValue],
    *,
    now_ns: int,
    reported: Mapping[str, AttributeValue] | None = None,
) -> list[RunningCampaign]:
    """The campaigns that are assigned to the vehicle at `now_ns`, most important first and then by name.

    `attributes` are the fleet's own record, `reported` what the vehicle says itself.
    """
    assigned = [
        campaign
        for campaign in running
        if obstacle(
            campaign.settings,
            vehicle_id,
            attributes,
            rollout_from_ns=_ns(campaign.rollout_from),
            now_ns=now_ns,
            held_ns=None if campaign.held_at is None else _ns(campaign.held_at),
            reported=reported,
        )
        is None
    ]
    return sorted(assigned, key=lambda campaign: (-campaign.settings.priority, campaign.campaign))


def unchanged_until_ns(running: Sequence[RunningCampaign], *, now_ns: int) -> int:
    """Until when no assignment changes by time alone: a campaign's first or last day, or a stage of its rollout.

    So most days change nothing, and at midnight the whole fleet does not ask at once for what it has.
    """
    changes = (
        next_change_ns(
            campaign.settings,
            rollout_from_ns=_ns(campaign.rollout_from),
            now_ns=now_ns,
            is_held=campaign.held_at is not None,
        )
        for campaign in running
    )
    return min((change for change in changes if change is not None), default=NEVER_NS)


def assignment_list(
    assigned: Sequence[RunningCampaign], vehicle_id: str, *, revision: int, now_ns: int, ttl_s: int
) -> AssignmentList:
    """The vehicle's list, in force for `ttl_s` seconds from `now_ns`: the first MAX_ASSIGNMENTS of its campaigns."""
    return AssignmentList(
        vehicle_id=vehicle_id,
        revision=revision,
        issued_at_ns=now_ns,
        expires_at_ns=now_ns + ttl_s * NS_PER_S,
        assignments=tuple(
            _assignment(campaign.campaign, campaign.version, campaign.bundle_digest)
            for campaign in assigned[:MAX_ASSIGNMENTS]
        ),
    )


def untold_roots(key: Ed25519PrivateKey | None) -> RoleKeys:
    """What a vehicle trusts before there is a trust document: the deployment's key. Misconfigured without one."""
    if key is None:
        raise Misconfigured(
            "there is neither a trust document nor a signing key, so the vehicle could run nothing",
            remedy="publish one (`longtail trust init`, docs/keys.md), or set LONGTAIL_SIGNING_KEY",
        )
    return RoleKeys(keys=(encoded_key(key.public_key().public_bytes_raw()),))


def _ns(moment: datetime) -> int:
    """Unix time, in whole seconds."""
    return int(moment.timestamp()) * NS_PER_S


@lru_cache(maxsize=4096)
def _assignment(campaign: str, version: int, bundle_digest: str) -> Assignment:
    """The entry of a campaign, which is the same in the lists of all vehicles."""
    return Assignment(campaign=campaign, version=version, bundle_digest=bundle_digest)
