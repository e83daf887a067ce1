"""Which lists a vehicle accepts: none from the future, and none that was over once, however its clock is set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.cloud import EPOCH_NS, Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import BRAKING, ManualClock, compiled, offer
from triggers.errors import Untrusted
from triggers.times import NS_PER_MS, NS_PER_S
from triggers.vehicle.agent import VehicleAgent

HOUR_S, DAY_S = 3600, 86_400
NOW_MS = EPOCH_NS // NS_PER_MS


@pytest.fixture
def agent(make_config: MakeConfig, clock: ManualClock) -> Iterator[VehicleAgent]:
    with VehicleAgent(make_config(), clock=clock) as running:
        yield running


def test_a_revision_that_cannot_have_been_given_yet_is_refused_and_honest_lists_go_on(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=NOW_MS)
    agent.check_in()
    for stolen in (2**62, NOW_MS + HOUR_S * 1000 + 1):
        offer(cloud, key, revision=stolen)
        with pytest.raises(Untrusted, match="cannot have been given yet"):
            agent.check_in()
    offer(cloud, key, revision=NOW_MS + 1)
    agent.check_in()
    assert agent.status().campaigns == ()
    assert cloud.check_ins[-1].revision == NOW_MS
    offer(cloud, key, revision=NOW_MS + HOUR_S * 1000)
    agent.check_in()


@pytest.mark.parametrize(
    ("issued_s", "lasts_s", "why"),
    [(HOUR_S + 1, DAY_S, "3601 s ahead of the clock"), (0, 30 * DAY_S + 1, "2592001 s, more than 2592000 s")],
)
def test_a_list_from_the_future_or_for_ever_is_refused(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, issued_s: int, lasts_s: int, why: str
) -> None:
    offer(cloud, key, revision=1)
    agent.check_in()
    offer(cloud, key, revision=2, now_ns=EPOCH_NS + issued_s * NS_PER_S, lasts_s=lasts_s)
    with pytest.raises(Untrusted, match=why):
        agent.check_in()
    offer(cloud, key, revision=1)
    agent.check_in()
    assert why in cloud.check_ins[-1].problems[0]


def test_an_expired_list_stays_over_when_the_clock_is_set_back(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1, lasts_s=7 * DAY_S)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
        clock.advance(8 * DAY_S)
        assert agent.status().suspended
        clock.advance(-8 * DAY_S)
        assert agent.status().suspended
    with VehicleAgent(make_config(), clock=clock) as agent:
        assert agent.status().suspended
        with pytest.raises(Untrusted, match="expired"):
            agent.check_in()
        assert cloud.check_ins[-1].have is None
        offer(cloud, key, compiled(BRAKING), revision=1, now_ns=EPOCH_NS + NS_PER_S)
        agent.check_in()
        assert not agent.status().suspended


def test_time_that_passed_counts_although_the_clock_was_set_back(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1, lasts_s=7 * DAY_S)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
        clock.advance(-100 * DAY_S)
        clock.pass_time(4 * DAY_S)
        assert not agent.status().suspended
    with VehicleAgent(make_config(), clock=clock) as agent:
        clock.pass_time(4 * DAY_S)
        assert agent.status().suspended, "four days before the restart and four after it"


@pytest.mark.parametrize("behind_s", [2 * DAY_S, 60 * 365 * DAY_S])
def test_a_slow_clock_gets_its_lists_and_still_none_from_the_future(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey, behind_s: int
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=NOW_MS)
    with VehicleAgent(make_config(), clock=clock) as agent:
        clock.advance(-behind_s)
        agent.check_in()
    with VehicleAgent(make_config(), clock=clock) as agent:
        offer(cloud, key, revision=NOW_MS + 1)
        agent.check_in()
        offer(cloud, key, revision=NOW_MS + 2 * HOUR_S * 1000)
        with pytest.raises(Untrusted, match="cannot have been given yet"):
            agent.check_in()
