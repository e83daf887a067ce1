"""A vehicle's state folder in odd states: used twice, damaged, read-only, wiped, another vehicle's, a newer agent's."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.small_disk import small_disk
from tests.triggers.vehicle.cloud import Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import SPEEDING, ManualClock, compiled, frames, offer, rows
from triggers.errors import Misconfigured
from triggers.vehicle.agent import JOURNAL, VehicleAgent
from triggers.vehicle.journal.journal import Journal

NewAgent = Callable[..., VehicleAgent]


@pytest.fixture
def new_agent(cloud: Cloud, key: Ed25519PrivateKey, make_config: MakeConfig, clock: ManualClock) -> NewAgent:
    offer(cloud, key, compiled(SPEEDING), revision=1)

    def make(**changes: Any) -> VehicleAgent:
        return VehicleAgent(make_config(**changes), clock=clock)

    return make


@pytest.fixture
def state(tmp_path: Path, new_agent: NewAgent) -> Iterator[Path]:
    """A state folder with one queued clip."""
    with new_agent() as agent:
        agent.check_in()
        agent.feed(rows(0, 30, fast_at=(10,)), frames(0, 30))
        agent.finish_drive()
        assert len(agent.status().queued) == 1
    yield tmp_path / "state"


def test_two_agents_on_one_folder_are_told_apart(state: Path, new_agent: NewAgent) -> None:
    with new_agent() as agent:
        with pytest.raises(Misconfigured, match="locked by another agent"):
            new_agent()
        assert agent.upload_pending(10).handed_over == 1


def test_a_copy_of_another_vehicles_folder_is_refused_with_both_names(state: Path, new_agent: NewAgent) -> None:
    with pytest.raises(Misconfigured, match="belongs to vehicle car-1, not to car-2"):
        new_agent(vehicle_id="car-2")
    with new_agent() as agent:
        assert len(agent.status().queued) == 1


def test_a_wiped_folder_begins_anew(state: Path, new_agent: NewAgent) -> None:
    shutil.rmtree(state)
    with new_agent() as agent:
        assert agent.status().suspended
        agent.check_in()
        assert agent.status().campaigns == (("speeding", 1),)


def test_a_folder_whose_clips_were_wiped_counts_them_as_lost(state: Path, new_agent: NewAgent) -> None:
    shutil.rmtree(state / "clips")
    with new_agent() as agent:
        (counts,) = agent.status().counts
        assert (counts.watermark, counts.failed) == (1, {"file_lost": 1})


def test_what_others_put_into_the_folder_of_clips_is_removed_or_left_alone(state: Path, new_agent: NewAgent) -> None:
    (state / "clips" / "lost+found").mkdir()
    (state / "clips" / "old.mcap.partial").write_bytes(b"x")
    with new_agent() as agent:
        assert agent.upload_pending(10).handed_over == 1
    assert [path.name for path in (state / "clips").iterdir()] == ["lost+found"]


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_journal_is_named_or_harmless(state: Path, new_agent: NewAgent, seed: int) -> None:
    """Overwritten at a random place it is either refused with its name and a remedy, or nobody notices."""
    path, drawn = state / JOURNAL, random.Random(seed)
    data = bytearray(path.read_bytes())
    at = drawn.randrange(0, len(data) - 600)
    data[at : at + 600] = drawn.randbytes(600)
    path.write_bytes(data)
    try:
        with new_agent() as agent:
            agent.status()
    except Misconfigured as error:
        assert JOURNAL in error.message
        assert "move the file away" in error.remedy


@pytest.mark.parametrize("size", [100, 4096, 5000])
def test_a_journal_that_was_cut_off_is_named(state: Path, new_agent: NewAgent, size: int) -> None:
    path = state / JOURNAL
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(Misconfigured, match="damaged"):
        new_agent()


def test_a_newer_agents_journal_is_refused_with_what_to_do(state: Path, new_agent: NewAgent) -> None:
    journal = Journal(state / JOURNAL)
    journal.write(lambda db: db.execute("PRAGMA user_version=99"))
    journal.close()
    with pytest.raises(Misconfigured, match="schema 99") as refused:
        new_agent()
    assert "newer agent" in str(refused.value)


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path, new_agent: NewAgent) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(Misconfigured, match="state"):
        new_agent()
    (tmp_path / "state").unlink()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "clips").write_text("no folder")
    with pytest.raises(Misconfigured, match="folder of waiting clips"):
        new_agent()


def test_a_read_only_disk_is_named_and_then_the_agent_starts_again(tmp_path: Path, new_agent: NewAgent) -> None:
    with small_disk(tmp_path / "state", mib=4) as disk:
        with new_agent() as agent:
            agent.check_in()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(Misconfigured, match="cannot open the vehicle's journal"):
            new_agent()
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        with new_agent() as agent:
            assert agent.status().campaigns == (("speeding", 1),)
