"""A full disk on a vehicle is never for ever: the least valuable clips go, counted, and everything else goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.paths import REPOSITORY
from tests.support.small_disk import fill, small_disk
from tests.triggers.vehicle.cloud import TOKEN, VEHICLE, Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import BRAKING, SPEEDING, ManualClock, compiled, frames_of, offer, rows
from triggers.contracts.checkin import FireCounts
from triggers.vehicle.agent import JOURNAL, VehicleAgent

RESERVE = f"{JOURNAL}.reserve"
NewAgent = Callable[..., VehicleAgent]


@pytest.fixture(params=[1, 2], ids=lambda mib: f"{mib}MiB")
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    with small_disk(tmp_path / "state", mib=request.param) as folder:
        yield folder


@pytest.fixture
def new_agent(make_config: MakeConfig, clock: ManualClock, disk: Path) -> NewAgent:
    def make(**changes: Any) -> VehicleAgent:
        return VehicleAgent(make_config(state_directory=disk, backoff_first_s=0.1, **changes), clock=clock)

    return make


def drive(agent: VehicleAgent, number: int) -> None:
    """Twenty seconds with two fires, whose two clips have about 85 kB each."""
    start_s = number * 100
    agent.feed(rows(start_s, start_s + 20, fast_at=(start_s + 5, start_s + 15)), frames_of(start_s, start_s + 20))
    agent.finish_drive()


def counts_of(agent: VehicleAgent) -> FireCounts:
    return next(counts for counts in agent.status().counts if counts.campaign == "speeding")


def upload_all(agent: VehicleAgent) -> None:
    agent.upload_pending(60)
    assert agent.status().queued == ()


def assert_accounted(cloud: Cloud, counts: FireCounts) -> None:
    """Every fire is either in the cloud or counted as dropped for want of space (or by a restart)."""
    whole = [held for held in cloud.uploads.values() if len(held.data) == held.manifest.size_bytes]
    assert counts.handed_over == sum(len(held.manifest.recording.fires) for held in whole)
    assert counts.in_flight == 0
    assert set(counts.dropped) <= {"disk_full", "restart"}
    assert counts.watermark == counts.handed_over + sum(counts.dropped.values())


def test_offline_on_a_full_disk_the_newest_clips_stay_and_go_out_later(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey, disk: Path
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    with new_agent() as agent:
        agent.check_in()
        number = 0
        while not counts_of(agent).dropped:
            number += 1
            drive(agent, number)
        held = counts_of(agent).in_flight
        assert held > 0
        upload_all(agent)
        agent.report()
        assert counts_of(agent).handed_over == held
        drive(agent, number + 1)
        upload_all(agent)
        assert_accounted(cloud, counts_of(agent))
    newest_ns = max(held.manifest.recording.end_ns for held in cloud.uploads.values())
    assert newest_ns >= rows((number + 1) * 100, (number + 1) * 100 + 1)[0].t_ns


def test_clips_of_low_priority_make_room_for_those_of_high_priority(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(SPEEDING), compiled(BRAKING), revision=1)
    with new_agent() as agent:
        agent.check_in()
        agent.feed(rows(0, 20, brake_at=(10,)))
        agent.finish_drive()
        number = 1
        while not counts_of(agent).dropped:
            drive(agent, number)
            number += 1
        braking = next(counts for counts in agent.status().counts if counts.campaign == "braking")
        assert (braking.watermark, braking.in_flight) == (1, 1)


@pytest.mark.parametrize("restart", [False, True])
def test_when_another_program_took_every_byte_clips_still_leave_and_are_counted(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey, disk: Path, restart: bool
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    agent = new_agent()
    agent.check_in()
    drive(agent, 0)
    fired = counts_of(agent).watermark
    (disk / RESERVE).unlink()
    fill(disk)
    if restart:
        agent.close()
        agent = new_agent()
    upload_all(agent)
    agent.report()
    counts = counts_of(agent)
    assert (counts.watermark, counts.handed_over + counts.dropped.get("disk_full", 0)) == (fired, fired)
    assert counts.handed_over >= 1
    assert cloud.reports[-1].counts[0] == counts
    agent.close()


def test_when_another_programs_file_is_gone_again_driving_goes_on_by_itself(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey, disk: Path
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    with new_agent() as agent:
        agent.check_in()
        drive(agent, 0)
        upload_all(agent)
        (disk / RESERVE).unlink()
        other = fill(disk)
        drive(agent, 1)
        drive(agent, 2)
        agent.report()
        offer(cloud, key, revision=2)
        agent.check_in()
        assert agent.status().campaigns == ()
        other.unlink()
        offer(cloud, key, compiled(SPEEDING), revision=3)
        agent.check_in()
        drive(agent, 3)
        upload_all(agent)
        counts = counts_of(agent)
        assert counts.watermark == 8
        assert counts.in_flight == 0
        assert counts.handed_over >= 4


@pytest.mark.parametrize("drives", [1, 25])
def test_killed_on_a_full_disk_at_any_drive_a_new_agent_opens_and_uploads(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey, disk: Path, drives: int
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    with new_agent() as agent:
        agent.check_in()
    watermark = 0
    for start in (0, 1000):
        watermark = run_and_kill(disk, key, start, drives)
    with new_agent() as agent:
        assert counts_of(agent).watermark >= watermark
        upload_all(agent)
        agent.report()
        counts = counts_of(agent)
        lost = counts.failed.pop("file_lost", 0)
        assert lost <= 2
        assert counts.watermark == counts.handed_over + sum(counts.dropped.values()) + lost


def run_and_kill(disk: Path, key: Ed25519PrivateKey, first_drive: int, drives: int) -> int:
    """Drive in a process of its own and kill it; returns the watermark that it said last."""
    public = key.public_key().public_bytes_raw().hex()
    command = [sys.executable, "-m", "tests.triggers.vehicle.full_disk_driver", str(disk), VEHICLE, TOKEN, public]
    watermark = 0
    with subprocess.Popen([*command, str(first_drive)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            drive_number, watermark = (int(word) for word in line.split())
            if drive_number - first_drive >= drives:
                process.kill()
                break
        else:
            raise AssertionError("the agent ended by itself")
    return watermark
