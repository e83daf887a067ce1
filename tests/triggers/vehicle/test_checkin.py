"""A vehicle runs only what a trusted key signed for it, works by the latest list, and stops when that expires."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.cloud import EPOCH_NS, Cloud, Reply
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import (
    BRAKING,
    SPEEDING,
    ManualClock,
    compiled,
    frames,
    offer,
    offer_sealed,
    rows,
)
from triggers.contracts.bundle import seal_bundle
from triggers.contracts.campaign import CaptureWindow
from triggers.errors import Forbidden, Overloaded, Unauthenticated, Unreachable, Untrusted
from triggers.vehicle.agent import VehicleAgent


@pytest.fixture
def agent(make_config: MakeConfig, clock: ManualClock) -> Iterator[VehicleAgent]:
    with VehicleAgent(make_config(attributes={"model": "m3"}), clock=clock) as running:
        yield running


def running(agent: VehicleAgent) -> set[tuple[str, int]]:
    return set(agent.status().campaigns)


def problems_told(agent: VehicleAgent, cloud: Cloud) -> str:
    """What the vehicle tells at its next check-in."""
    agent.check_in()
    return "\n".join(cloud.check_ins[-1].problems)


def test_it_tells_who_it_is_and_gets_its_campaigns(cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey) -> None:
    offer(cloud, key, compiled(BRAKING), compiled(SPEEDING), revision=1)
    assert agent.check_in() is True
    assert running(agent) == {("braking", 1), ("speeding", 1)}
    assert cloud.check_ins[0].attributes == {"model": "m3"}
    assert cloud.check_ins[0].have is None
    assert agent.signals == {"ego.speed", "ego.brake"}
    assert agent.cameras == {"front"}


def test_nothing_new_is_304_and_bundles_are_fetched_once(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    agent.check_in()
    cloud.reply_to_check_in = Reply(304)
    assert agent.check_in() is False
    assert cloud.check_ins[1].have is not None
    assert running(agent) == {("braking", 1)}
    assert cloud.methods["GET"] == 1


def test_past_half_its_lifetime_the_list_is_requested_in_full_since_a_304_would_not_renew_it(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, clock: ManualClock
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1, lasts_s=100)
    agent.check_in()
    clock.advance(49)
    agent.check_in()
    clock.advance(2)
    agent.check_in()
    assert [c.have is None for c in cloud.check_ins] == [True, False, True]


def test_one_flipped_byte_anywhere_in_a_bundle_is_refused_and_the_others_run(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey
) -> None:
    bundle, other = compiled(BRAKING), compiled(SPEEDING)
    sealed = seal_bundle(bundle, key)
    for revision, place in enumerate(range(0, len(sealed), max(1, len(sealed) // 25)), start=1):
        flipped = bytearray(sealed)
        flipped[place] ^= 1 << (place % 8)
        offer_sealed(cloud, key, [(bundle, bytes(flipped)), (other, seal_bundle(other, key))], revision=revision)
        agent.check_in()
        assert running(agent) == {("speeding", 1)}, f"byte {place}"
    assert "braking version 1 does not run" in problems_told(agent, cloud)


def test_bytes_that_are_not_those_of_the_digest_are_refused(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey
) -> None:
    (sealed,) = offer(cloud, key, compiled(BRAKING), revision=1)
    stale = seal_bundle(compiled(BRAKING.replace("60 s", "61 s")), key)
    cloud.bundles[hashlib.sha256(sealed).hexdigest()] = stale
    agent.check_in()
    assert running(agent) == set()
    assert "digest" in problems_told(agent, cloud)
    cloud.bundles[hashlib.sha256(sealed).hexdigest()] = sealed
    cloud.reply_to_check_in = Reply(304)
    assert agent.check_in() is True
    assert running(agent) == {("braking", 1)}


def test_a_bundle_of_another_campaign_or_key_is_refused(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey
) -> None:
    stranger = Ed25519PrivateKey.generate()
    braking, speeding = compiled(BRAKING), compiled(SPEEDING)
    swapped, strange = seal_bundle(speeding, key), seal_bundle(speeding, stranger)
    offer_sealed(cloud, key, [(braking, swapped), (speeding, strange)], revision=1)
    agent.check_in()
    assert running(agent) == set()
    told = problems_told(agent, cloud)
    assert "for speeding version 1" in told
    assert "does not trust" in told


def test_a_program_or_capture_that_cannot_run_is_reported_and_the_others_run(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey
) -> None:
    bundle = compiled(BRAKING)
    unknown = bundle.model_copy(update={"program_base64": "e30=", "program_digest": hashlib.sha256(b"{}").hexdigest()})
    (trigger,) = compiled(SPEEDING).settings.triggers
    wide = CaptureWindow(before_ns=0, after_ns=0, signals=tuple(f"s{n}" for n in range(5001)))
    greedy = compiled(SPEEDING, triggers=(trigger.model_copy(update={"capture": wide}),))
    fine = compiled(BRAKING.replace("braking", "fine"))
    offer(cloud, key, unknown, greedy, fine, revision=1)
    agent.check_in()
    assert running(agent) == {("fine", 1)}
    told = problems_told(agent, cloud)
    assert "braking version 1 does not run: program" in told
    assert "5001 signals" in told
    agent.check_in()
    assert cloud.check_ins[-1].problems == ()


def test_a_replayed_old_list_is_refused_and_cannot_withhold_a_stop(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    with VehicleAgent(make_config(), clock=clock) as agent:
        offer(cloud, key, compiled(BRAKING), revision=7)
        agent.check_in()
        old_list, old_bundles = cloud.assignments, cloud.bundles
        offer(cloud, key, revision=8, now_ns=EPOCH_NS + 1)
        agent.check_in()
        assert running(agent) == set()
        cloud.assignments, cloud.bundles = old_list, old_bundles
        with pytest.raises(Untrusted, match="revision 7"):
            agent.check_in()
        assert running(agent) == set()
    with VehicleAgent(make_config(), clock=clock) as agent:
        with pytest.raises(Untrusted, match="revision 8"):
            agent.check_in()
        assert running(agent) == set()


def test_within_a_revision_a_list_with_other_campaigns_must_be_newer(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=3, now_ns=EPOCH_NS)
    agent.check_in()
    offer(cloud, key, compiled(SPEEDING), revision=3, now_ns=EPOCH_NS - 1)
    with pytest.raises(Untrusted, match="older"):
        agent.check_in()
    offer(cloud, key, compiled(SPEEDING), revision=3, now_ns=EPOCH_NS + 1)
    agent.check_in()
    assert running(agent) == {("speeding", 1)}


@pytest.mark.parametrize("wrong", ["vehicle", "key", "purpose", "expired", "flipped"])
def test_a_list_that_is_not_for_this_vehicle_now_is_refused_and_the_old_one_holds(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, wrong: str
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    agent.check_in()
    bundle = compiled(SPEEDING)
    if wrong == "vehicle":
        offer(cloud, key, bundle, revision=2, vehicle_id="car-2")
    elif wrong == "key":
        offer(cloud, Ed25519PrivateKey.generate(), bundle, revision=2)
    elif wrong == "purpose":
        cloud.assignments = seal_bundle(bundle, key)
    elif wrong == "expired":
        offer(cloud, key, bundle, revision=2, now_ns=EPOCH_NS - 10**12, lasts_s=1)
    else:
        offer(cloud, key, bundle, revision=2)
        assert cloud.assignments is not None
        cloud.assignments = cloud.assignments[:-5] + bytes([cloud.assignments[-5] ^ 1]) + cloud.assignments[-4:]
    with pytest.raises(Untrusted):
        agent.check_in()
    assert running(agent) == {("braking", 1)}
    cloud.reply_to_check_in = Reply(304)
    agent.check_in()
    assert cloud.check_ins[-1].problems != ()


def test_an_expired_list_suspends_the_vehicle_until_a_fresh_one_comes(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, clock: ManualClock
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1, lasts_s=1000)
    agent.check_in()
    agent.feed(rows(0, 10, fast_at=(5,)), frames(0, 10))
    clock.advance(1001)
    assert agent.status().suspended
    agent.feed(rows(10, 20, fast_at=(15,)), frames(10, 20))
    (counts,) = agent.status().counts
    assert counts.watermark == 1
    armed_ns = counts.armed_ns
    offer(cloud, key, compiled(SPEEDING), revision=1, now_ns=clock.now_ns(), lasts_s=1000)
    agent.check_in()
    assert not agent.status().suspended
    agent.feed(rows(20, 30, fast_at=(25,)), frames(20, 30))
    (counts,) = agent.status().counts
    assert counts.watermark == 2
    assert armed_ns < counts.armed_ns < 21 * 10**9


def test_before_its_first_check_in_a_vehicle_runs_nothing(agent: VehicleAgent) -> None:
    assert agent.status().suspended
    agent.feed(rows(0, 10, fast_at=(5,)))
    assert agent.status().counts == ()


def test_without_network_it_goes_on_with_the_kept_campaigns_after_a_restart(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
    with VehicleAgent(make_config(api_url="http://127.0.0.1:9"), clock=clock) as agent:
        assert running(agent) == {("braking", 1)}
        with pytest.raises(Unreachable, match=r"http://127.0.0.1:9.*api_url"):
            agent.check_in()
        assert running(agent) == {("braking", 1)}
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with VehicleAgent(make_config(trusted_keys=(stranger,)), clock=clock) as agent:
        assert running(agent) == set()


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Unauthenticated), (403, Forbidden), (429, Overloaded), (503, Overloaded), (500, Unreachable)],
)
def test_a_refused_check_in_says_why_and_changes_nothing(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, status: int, error: type[Exception]
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    agent.check_in()
    cloud.reply_to_check_in = Reply(status, {"status": status, "code": "x", "detail": "because of the test"})
    with pytest.raises(error, match="because of the test"):
        agent.check_in()
    assert running(agent) == {("braking", 1)}


def test_counts_are_reported_as_they_are(cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey) -> None:
    offer(cloud, key, compiled(SPEEDING), compiled(BRAKING), revision=1)
    agent.check_in()
    agent.feed(rows(0, 20, fast_at=(5, 9), brake_at=(6, 8)), frames(0, 20))
    agent.report()
    (report,) = cloud.reports
    assert report.counts == agent.status().counts
    by_campaign = {counts.campaign: counts for counts in report.counts}
    assert (by_campaign["speeding"].watermark, by_campaign["speeding"].suppressed) == (2, 0)
    assert (by_campaign["braking"].watermark, by_campaign["braking"].suppressed) == (1, 1)
    assert by_campaign["braking"].per_trigger == {"hard": 1}


@pytest.mark.parametrize(("ahead_s", "measured_s"), [(0, 0), (1, 0), (1.9, 0), (-0.5, -0.5), (60, 60), (-3600, -3600)])
def test_the_clocks_offset_is_measured_only_where_the_clocks_cannot_agree(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, clock: ManualClock, ahead_s: float, measured_s: float
) -> None:
    """The cloud's `Date` has whole seconds, up to two of them old; the hashes of clips depend on the offset."""
    offer(cloud, key, revision=1)
    clock.advance(ahead_s)
    agent.check_in()
    assert agent.status().clock_offset_ns == int(measured_s * 1e9)
