"""Rules of vehicles without a database: whom one speaks for, which counts make sense, the order of its campaigns."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_api.vehicles.rules import (
    MAX_ASSIGNMENTS,
    NEVER_NS,
    assigned_campaigns,
    assignment_list,
    check_counts,
    check_speaks_for,
    judge_counts,
    unchanged_until_ns,
)
from tests.support.fleet import campaign_settings
from triggers.assignment.given import AssignedVersion, CountedParts, Refusal
from triggers.contracts.base import canonical_json
from triggers.contracts.campaign import BudgetLimits, RolloutStage, RunningCampaign
from triggers.contracts.checkin import FireCounts
from triggers.contracts.compared import Compared, EventCounts, Sides
from triggers.errors import Forbidden, InvalidInput

BEGAN = datetime(2026, 1, 5, 12, tzinfo=UTC)
BEGAN_NS = int(BEGAN.timestamp()) * 10**9
DAY_NS = 86400 * 10**9
STAGES = (
    RolloutStage(share=0.1, duration_ns=DAY_NS),
    RolloutStage(share=0.5, duration_ns=DAY_NS),
    RolloutStage(share=1.0),
)
PARTS = {
    ("braking", 1): CountedParts(frozenset({"h"}), frozenset({"hard_brake"})),
    ("braking", 2): CountedParts(frozenset(), frozenset({"hard_brake"})),
}


def campaign(name: str = "braking", **changes: Any) -> RunningCampaign:
    """A running campaign."""
    settings = campaign_settings(name, BudgetLimits()).model_copy(update=changes)
    return RunningCampaign(name, 1, settings, "0" * 64, BEGAN)


def matched(counts: EventCounts, head: str = "h", sides: Sides = Sides.ACTIVE_SHADOW) -> FireCounts:
    events = {head: {sides: counts}}
    return FireCounts(campaign="braking", version=1, watermark=0, suppressed=0, events=events)


def counts(campaign: str = "braking", version: int = 1, **heads: Compared) -> FireCounts:
    """Counts of no fires."""
    return FireCounts(campaign=campaign, version=version, watermark=0, suppressed=0, compared=heads)


def test_important_campaigns_come_first() -> None:
    running = [campaign("a", priority=10), campaign("c", priority=90), campaign("b", priority=90)]
    assigned = assigned_campaigns(running, "car-1", {}, now_ns=BEGAN_NS)
    assert [campaign.campaign for campaign in assigned] == ["b", "c", "a"]


@given(st.permutations(["a", "b", "c", "d"]), st.sampled_from(["x", "y", "z"]))
def test_the_order_in_which_campaigns_are_known_does_not_matter(names: list[str], vehicle_id: str) -> None:
    def of(order: list[str]) -> list[RunningCampaign]:
        return assigned_campaigns([campaign(name, rollout=STAGES) for name in order], vehicle_id, {}, now_ns=BEGAN_NS)

    assert of(names) == of(sorted(names))


def test_a_rollout_that_is_held_is_assigned_as_it_was_then_and_its_stages_do_not_end() -> None:
    held = replace(campaign("braking", rollout=STAGES), held_at=BEGAN)
    later_ns = BEGAN_NS + 99 * 86_400 * 10**9
    fleet = [f"car-{number}" for number in range(100)]
    then, later = (
        [bool(assigned_campaigns([held], vehicle, {}, now_ns=at_ns)) for vehicle in fleet]
        for at_ns in (BEGAN_NS, later_ns)
    )
    assert then == later and 0 < sum(then) < 50
    assert unchanged_until_ns([held], now_ns=BEGAN_NS) == NEVER_NS
    assert unchanged_until_ns([replace(held, held_at=None)], now_ns=BEGAN_NS) < NEVER_NS


def test_of_more_campaigns_than_a_list_holds_the_least_important_are_left_out() -> None:
    settings = campaign_settings("braking", BudgetLimits())
    assigned = [RunningCampaign(f"c{number}", 1, settings, "0" * 64, BEGAN) for number in range(MAX_ASSIGNMENTS + 1)]
    content = assignment_list(assigned, "car-1", revision=3, now_ns=BEGAN_NS, ttl_s=60)
    assert len(content.assignments) == MAX_ASSIGNMENTS
    assert content.assignments[-1].campaign == f"c{MAX_ASSIGNMENTS - 1}"
    assert content.expires_at_ns - content.issued_at_ns == 60 * 10**9


def test_a_vehicle_speaks_for_itself_only() -> None:
    check_speaks_for("car-1", "car-1")
    with pytest.raises(Forbidden, match="does not belong to vehicle 'car-2'"):
        check_speaks_for("car-1", "car-2")


def test_counts_of_versions_and_heads_that_exist_make_sense() -> None:
    check_counts([], PARTS)
    check_counts([counts(version=2), counts(h=Compared(both=1))], PARTS)


@pytest.mark.parametrize(
    ("report", "mistake"),
    [
        ([counts(), counts()], "counts a campaign version twice"),
        ([counts(), counts(version=3)], "counts fires of braking version 3, which does not exist"),
        ([counts("lanes")], "counts fires of lanes version 1, which does not exist"),
        ([counts(z=Compared(both=1), h=Compared())], "counts z, which braking version 1 does not compare"),
        ([counts(version=2, h=Compared())], "counts h, which braking version 2 does not compare"),
        ([matched(EventCounts(), "k")], r"counts events of k \(active_shadow\), which braking version 1 does not"),
        ([matched(EventCounts(), "h", Sides.ACTIVE_DRIVER)], r"counts events of h \(active_driver\), which"),
    ],
)
def test_counts_that_belong_to_nothing_are_refused_by_name(report: list[FireCounts], mistake: str) -> None:
    with pytest.raises(InvalidInput, match=mistake):
        check_counts(report, PARTS)


def test_fires_of_a_trigger_that_a_version_does_not_have_are_refused() -> None:
    made_up = FireCounts(campaign="braking", version=1, watermark=1, suppressed=0, in_flight=1, per_trigger={"x": 1})
    with pytest.raises(InvalidInput, match="fires of x, which is no trigger of braking version 1"):
        check_counts([made_up], PARTS)


def fires(number: int, **changes: Any) -> FireCounts:
    """Counts of fires of `braking`, which may take 10 s each."""
    values = {"watermark": number, "in_flight": number, "per_trigger": {"hard_brake": number}} | changes
    return FireCounts(campaign="braking", version=1, suppressed=values.pop("suppressed", 0), **values)


def given_since(*, in_time: bool = True, replays: bool = False) -> dict[tuple[str, int], AssignedVersion]:
    """That the vehicle was given `braking` a day before BEGAN."""
    version = AssignedVersion(BEGAN_NS - DAY_NS, in_time, {"hard_brake": 10 * 10**9}, replays)
    return {("braking", 1): version}


@pytest.mark.parametrize(
    ("count", "given", "reason", "why"),
    [
        (fires(9000, armed_ns=DAY_NS), given_since(), None, ""),
        (fires(1), {}, Refusal.NOT_ASSIGNED, "never given braking version 1"),
        (fires(1), given_since(in_time=False), Refusal.ASSIGNMENT_OVER, "too long ago"),
        (fires(2**62, armed_ns=2**62), given_since(), Refusal.IMPLAUSIBLE, "ns of armed time, but"),
        (fires(2**62), given_since(), Refusal.IMPLAUSIBLE, "fires of hard_brake, which can have fired 1000 times"),
        (fires(9002, armed_ns=DAY_NS), given_since(), Refusal.IMPLAUSIBLE, "can have fired 9001 times"),
        (fires(0, suppressed=2**62), given_since(), Refusal.IMPLAUSIBLE, "suppressed rises"),
        (fires(0, distance_m=2**62), given_since(), Refusal.IMPLAUSIBLE, "m in 0 ns of armed time"),
        (counts(h=Compared(both=2**60)), given_since(), Refusal.IMPLAUSIBLE, "pairs of h"),
        (matched(EventCounts(2**60, 1)), given_since(), Refusal.IMPLAUSIBLE, "1152921504606846977 rises of h"),
        (matched(EventCounts(0, 0, 900, 0, 200)), given_since(), Refusal.IMPLAUSIBLE, "1100 rises of h in 0 ns"),
        (fires(9002, armed_ns=30 * DAY_NS), given_since(replays=True), None, ""),
    ],
)
def test_counts_that_the_vehicle_cannot_have_are_left_out(
    count: FireCounts, given: dict[tuple[str, int], AssignedVersion], reason: Refusal | None, why: str
) -> None:
    accepted, refused = judge_counts([count], given, now_ns=BEGAN_NS)
    assert list(accepted) == ([count] if reason is None else [])
    assert [refusal.reason for refusal in refused] == ([] if reason is None else [reason])
    assert all(why in refusal.why for refusal in refused)


def test_the_digest_of_a_list_is_that_of_the_canonical_json_of_its_assignments() -> None:
    content = assignment_list([campaign("b"), campaign("a")], "car-1", revision=3, now_ns=BEGAN_NS, ttl_s=60)
    plain = canonical_json([assignment.model_dump(mode="json") for assignment in content.assignments])
    assert content.content_digest == hashlib.sha256(plain).hexdigest()
