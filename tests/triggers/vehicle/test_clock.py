"""The vehicle's clock may stand anywhere and be set at any time, and nothing is lost or waited for because of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.cloud import EPOCH_NS, Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import SPEEDING, ManualClock, a_fire, compiled, frames, offer, rows
from tests.triggers.vehicle.uploads.car import Car
from triggers.errors import Untrusted
from triggers.language.rows import MAX_T_NS
from triggers.times import NS_PER_S
from triggers.vehicle.agent import VehicleAgent

YEAR_S = 365 * 86_400
JUMPS_S = [-60 * YEAR_S, -10 * YEAR_S, -3600, 3600, 10 * YEAR_S, 235 * YEAR_S]


@pytest.fixture
def agent(make_config: MakeConfig, clock: ManualClock) -> Iterator[VehicleAgent]:
    with VehicleAgent(make_config(), clock=clock) as running:
        yield running


@pytest.mark.parametrize("years", [-300, -60, -57])
def test_a_clock_before_1970_checks_in_and_is_reported(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, clock: ManualClock, years: int
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    clock.advance(years * YEAR_S)
    agent.check_in()
    assert cloud.check_ins[0].vehicle_time_ns == 0
    assert "outside the years 1970 to 2262" in cloud.check_ins[0].problems[0]
    assert agent.status().clock_offset_ns == clock.t_ns - EPOCH_NS
    agent.feed(rows(0, 30, fast_at=(10,)), frames(0, 30))
    agent.finish_drive()
    assert agent.upload_pending(10).handed_over == 1
    agent.report()
    assert cloud.reports[-1].reported_at_ns == 0


def test_a_clock_beyond_2262_is_told_that_the_list_has_expired(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, clock: ManualClock
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    clock.advance(300 * YEAR_S)
    with pytest.raises(Untrusted, match="check the vehicle's clock"):
        agent.check_in()
    assert cloud.check_ins[0].vehicle_time_ns == MAX_T_NS
    assert agent.status().suspended
    clock.t_ns = EPOCH_NS
    agent.check_in()
    assert not agent.status().suspended


@pytest.mark.parametrize("jump_s", JUMPS_S)
def test_a_clock_that_is_set_neither_drops_a_waiting_clip_nor_holds_it_back(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, jump_s: int
) -> None:
    car = Car(make_config(), clock)
    try:
        car.add(a_fire(5))
        cloud.cuts = [0] * 4
        car.upload(deadline_s=1)
        (waiting,) = car.queue.all()
        wait_ns = waiting.next_attempt_ns - clock.now_ns()
        clock.advance(jump_s)
        cloud.cuts.clear()
        assert car.upload(deadline_s=wait_ns / NS_PER_S + 1).handed_over == 1
        assert sum(clock.slept_s) < 10
    finally:
        car.close()


@pytest.mark.parametrize("jump_s", JUMPS_S)
def test_a_clock_that_is_set_while_clips_are_sent_does_not_stretch_the_deadline(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, jump_s: int
) -> None:
    car = Car(make_config(), JumpyClock(clock.t_ns, jump_s))
    try:
        car.add(a_fire(5))
        cloud.cuts = [0] * 1000
        car.upload(deadline_s=30)
        assert sum(car.clock.slept_s) <= 31
        assert car.counts().in_flight == 1
    finally:
        car.close()


class JumpyClock(ManualClock):
    """A clock that is set during the second wait, and set right during the fourth."""

    def __init__(self, t_ns: int, jump_s: int) -> None:
        super().__init__(t_ns)
        self._jumps_s = {2: jump_s, 4: -jump_s}

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.advance(self._jumps_s.get(len(self.slept_s), 0))


def test_a_restart_with_a_clock_that_lost_its_battery_keeps_the_queue(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock
) -> None:
    car = Car(make_config(), clock)
    car.add(a_fire(5))
    cloud.cuts = [0] * 2
    car.upload(deadline_s=1)
    car.close()
    again = Car(make_config(), ManualClock(1_000 * NS_PER_S))
    try:
        assert again.upload(deadline_s=10).handed_over == 1
    finally:
        again.close()
