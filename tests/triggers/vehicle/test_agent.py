"""The agent end to end on synthetic drives: what fires is recorded and uploaded, in counts that add up."""

from __future__ import annotations

import errno
import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.paths import REPOSITORY
from tests.triggers.vehicle.cloud import Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import (
    BRAKING,
    SPEEDING,
    ManualClock,
    at,
    compiled,
    frames,
    offer,
    rows,
)
from triggers.assignment.sampling import keep_fire
from triggers.clips.reader import read_clip
from triggers.contracts.bundle import Bundle
from triggers.contracts.checkin import FireCounts
from triggers.errors import InvalidInput
from triggers.language.rows import Row
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.vehicle import agent as agent_module
from triggers.vehicle.agent import JOURNAL, VehicleAgent
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.programs.host import Host

NewAgent = Callable[..., VehicleAgent]


@pytest.fixture
def new_agent(make_config: MakeConfig, clock: ManualClock) -> Iterator[NewAgent]:
    opened: list[Journal | httpx.HTTPTransport] = []

    def make(**changes: Any) -> VehicleAgent:
        config = make_config(**changes)
        journal, transport = Journal(config.state_directory / JOURNAL), httpx.HTTPTransport()
        opened.extend([journal, transport])
        return VehicleAgent(config, clock=clock, journal=journal, transport=transport)

    yield make
    for resource in opened:
        resource.close()


def counts_of(agent: VehicleAgent, campaign: str) -> FireCounts:
    return next(counts for counts in agent.status().counts if counts.campaign == campaign)


def test_the_loop_closes_with_counts_that_add_up(cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey) -> None:
    offer(cloud, key, compiled(BRAKING), compiled(SPEEDING), revision=1)
    agent = new_agent()
    agent.check_in()
    agent.feed(rows(0, 60, brake_at=(20,), fast_at=(22, 50)), frames(0, 60))
    agent.finish_drive()
    report = agent.upload_pending(deadline_s=10)
    agent.report()
    assert report.handed_over == 2
    first, second = sorted(cloud.uploads.values(), key=lambda upload: upload.manifest.recording.start_ns)
    recording = first.manifest.recording
    assert (recording.start_ns, recording.end_ns) == (at(15), at(24))
    assert [(f.campaign, f.t_ns) for f in recording.fires] == [("braking", at(20)), ("speeding", at(22))]
    assert (recording.signals, recording.cameras) == (("ego.brake", "ego.speed"), ("front",))
    assert (second.manifest.recording.start_ns, second.manifest.recording.end_ns) == (at(48), at(52))
    for upload in (first, second):
        cells = [
            hashlib.sha256(upload.data[k : k + 512 * 1024]).hexdigest() for k in range(0, len(upload.data), 512 * 1024)
        ]
        assert upload.manifest.cells == tuple(cells)
        assert upload.manifest.digest
    by_campaign = {counts.campaign: counts for counts in cloud.reports[-1].counts}
    assert (by_campaign["braking"].handed_over, by_campaign["speeding"].handed_over) == (1, 2)
    assert by_campaign["braking"].armed_ns == 59_900_000_000


def test_a_clip_holds_every_sample_and_frame_of_its_span(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    agent = new_agent()
    agent.check_in()
    driven = rows(0, 30, fast_at=(10.3,))
    agent.feed(driven, frames(0, 30))
    agent.finish_drive()
    (clip,) = agent.status().queued
    content = read_clip(clip.path)
    manifest, held = content.manifest, content.footage
    assert (manifest.start_ns, manifest.end_ns) == (at(8.3), at(12.3))
    wanted = [row for row in driven if at(8.3) <= row.t_ns <= at(12.3)]
    assert list(held.signals["ego.speed"].times_ns) == [row.t_ns for row in wanted]
    assert list(held.signals["ego.speed"].values) == [row.samples["ego.speed"] for row in wanted]
    assert held.cameras["front"] == tuple(f for _, f in frames(0, 30) if at(8) <= f.t_ns <= at(12.3))


def clips_of(agent: VehicleAgent) -> set[tuple[str, bytes]]:
    return {(clip.clip_id, clip.path.read_bytes()) for clip in agent.status().queued}


@pytest.mark.parametrize("piece", [1, 7, 64])
def test_handing_rows_in_piece_by_piece_gives_the_same_clips_byte_for_byte(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey, tmp_path: Path, piece: int
) -> None:
    offer(cloud, key, compiled(BRAKING), compiled(SPEEDING), revision=1)
    driven, filmed = rows(0, 40, brake_at=(11,), fast_at=(9, 25)), frames(0, 40)
    whole, parts = new_agent(), new_agent(state_directory=tmp_path / "parts")
    for agent in (whole, parts):
        agent.check_in()
    whole.feed(driven, filmed)
    for start in range(0, len(driven), piece):
        parts.feed(driven[start : start + piece], filmed[start : start + piece])
    for agent in (whole, parts):
        agent.finish_drive()
    assert clips_of(whole) == clips_of(parts)
    assert len(clips_of(whole)) == 2
    assert whole.status().counts == parts.status().counts


def test_rows_of_one_time_are_merged_and_the_last_sample_wins(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    agent = new_agent()
    agent.check_in()
    agent.feed(rows(0, 5))
    for value in (20.0, 40.0, float("nan")):
        agent.feed([Row(at(5), {"ego.speed": value})])
    agent.feed(rows(5.1, 10))
    assert counts_of(agent, "speeding").watermark == 1


def test_changing_one_campaign_leaves_cooldown_state_and_buffers_of_the_others(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), compiled(SPEEDING), revision=1)
    agent = new_agent()
    agent.check_in()
    agent.feed(rows(0, 20, brake_at=(10,)), frames(0, 20))
    offer(cloud, key, compiled(BRAKING), compiled(SPEEDING.replace("30 m/s", "35 m/s"), version=2), revision=2)
    assert agent.check_in() is True
    assert set(agent.status().campaigns) == {("braking", 1), ("speeding", 2)}
    agent.feed(rows(20, 80, brake_at=(22, 75), fast_at=(20.5,)), frames(20, 80))
    agent.finish_drive()
    braking = counts_of(agent, "braking")
    assert (braking.watermark, braking.suppressed) == (2, 1)
    recordings = [read_clip(clip.path).manifest for clip in agent.status().queued]
    (fast,) = [recording for recording in recordings if recording.fires[0].campaign == "speeding"]
    assert fast.fires[0].version == 2
    assert fast.start_ns == at(18.5), "the pre-roll from before the change is there"


def test_a_campaign_taken_away_during_its_post_roll_still_gets_its_clip(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), compiled(SPEEDING), revision=1)
    agent = new_agent()
    agent.check_in()
    agent.feed(rows(0, 11, brake_at=(10,)), frames(0, 11))
    offer(cloud, key, compiled(SPEEDING), revision=2)
    agent.check_in()
    agent.feed(rows(11, 30, brake_at=(20,)), frames(11, 30))
    (clip,) = agent.status().queued
    content = read_clip(clip.path)
    manifest, held = content.manifest, content.footage
    assert (manifest.start_ns, manifest.end_ns) == (at(5), at(13))
    assert len(held.signals["ego.brake"].values) == 81
    assert counts_of(agent, "braking").watermark == 1


def test_a_clean_restart_keeps_cooldowns_and_ordinals(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    first = new_agent()
    first.check_in()
    first.feed(rows(0, 20, brake_at=(10,)))
    first.close()
    second = new_agent()
    second.feed(rows(30, 100, brake_at=(40, 90)))
    second.finish_drive()
    counts = counts_of(second, "braking")
    assert (counts.watermark, counts.suppressed, counts.in_flight) == (2, 1, 2)
    assert [len(read_clip(clip.path).manifest.fires) for clip in second.status().queued] == [1, 1]


def test_at_the_drives_end_a_recording_holds_what_is_there(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    agent = new_agent()
    agent.check_in()
    agent.feed(rows(0, 12, brake_at=(2, 11)))
    agent.finish_drive()
    (clip,) = agent.status().queued
    manifest = read_clip(clip.path).manifest
    assert (manifest.start_ns, manifest.end_ns) == (at(0), at(5))
    assert (manifest.fires[0].window_start_ns, manifest.fires[0].window_end_ns) == (at(0), at(5))


def test_when_time_runs_backwards_the_recording_ends_and_none_mixes_both_times(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    agent = new_agent()
    agent.check_in()
    agent.feed(rows(100, 111, fast_at=(110,)))
    agent.feed(rows(50, 62, fast_at=(55,)))
    agent.finish_drive()
    spans = sorted((m.start_ns, m.end_ns) for m in (read_clip(clip.path).manifest for clip in agent.status().queued))
    assert spans == [(at(53), at(57)), (at(108), at(110.9))]


@pytest.mark.parametrize("t_ns", [-1, 2**63])
def test_a_row_with_an_invalid_time_is_refused_and_changes_nothing(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey, t_ns: int
) -> None:
    offer(cloud, key, compiled(SPEEDING), revision=1)
    agent = new_agent()
    agent.check_in()
    agent.feed(rows(0, 5))
    with pytest.raises(InvalidInput, match="timestamp"):
        agent.feed([Row(t_ns, {"ego.speed": 40.0})])
    agent.feed(rows(5, 10, fast_at=(6,)))
    assert counts_of(agent, "speeding").watermark == 1


def test_sampling_keeps_what_the_rule_says_and_counts_the_rest(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(SPEEDING, sample_one_in=3), revision=1)
    agent = new_agent()
    agent.check_in()
    moments = tuple(float(t) for t in range(10, 300, 10))
    agent.feed(rows(0, 310, fast_at=moments))
    agent.finish_drive()
    kept = [keep_fire("car-1", "speeding", 1, "fast", at(t), 3) for t in moments]
    counts = counts_of(agent, "speeding")
    assert 0 < sum(kept) < len(kept)
    assert (counts.watermark, counts.in_flight, counts.sampled_out) == (len(kept), sum(kept), len(kept) - sum(kept))
    fires = [fire for clip in agent.status().queued for fire in read_clip(clip.path).manifest.fires]
    assert {fire.t_ns for fire in fires} == {at(t) for t, keep in zip(moments, kept, strict=True) if keep}
    assert {fire.inclusion_probability for fire in fires} == {1 / 3}


@pytest.mark.parametrize(
    "fault", [(errno.ENOSPC, "dropped", "disk_full"), (errno.EIO, "failed", "write_error")], ids=["full", "broken"]
)
def test_a_clip_that_cannot_be_written_is_counted_with_its_reason(
    cloud: Cloud,
    new_agent: NewAgent,
    key: Ed25519PrivateKey,
    monkeypatch: pytest.MonkeyPatch,
    fault: tuple[int, str, str],
) -> None:
    number, outcome, reason = fault
    offer(cloud, key, compiled(BRAKING), revision=1)
    agent = new_agent()
    agent.check_in()

    def fail(*args: object) -> None:
        raise OSError(number, "the disk says no")

    monkeypatch.setattr(agent_module, "make_clip", fail)
    agent.feed(rows(0, 30, brake_at=(10,)))
    assert getattr(counts_of(agent, "braking"), outcome) == {reason: 1}
    agent.check_in()
    assert "the disk says no" in cloud.check_ins[-1].problems[0]


def test_what_leaves_the_ring_too_early_is_counted(cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey) -> None:
    offer(cloud, key, compiled(SPEEDING.replace("2 s after", "30 s after")), revision=1)
    agent = new_agent(ring_bytes=64 * 1024)
    agent.check_in()
    driven = [(name, frame._replace(data=frame.data * 4)) for name, frame in frames(0, 60)]
    agent.feed(rows(0, 60, fast_at=(10,)), driven)
    agent.finish_drive()
    assert counts_of(agent, "speeding").dropped == {"ring_overflow": 1}
    assert agent.status().ring_drops.bytes > 0


def test_armed_distance_is_the_integral_of_speed(cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    agent = new_agent(speed_signal="ego.speed")
    agent.check_in()
    agent.feed(rows(0, 100.1))
    agent.finish_drive()
    assert counts_of(agent, "braking").distance_m in (1999, 2000)


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.triggers.vehicle.support import ManualClock, rows
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig

config = VehicleConfig(
    vehicle_id="car-1", token="t", api_url="http://127.0.0.1:9", gateway_url="http://127.0.0.1:9",
    trusted_keys=(bytes.fromhex(sys.argv[3]),), state_directory=Path(sys.argv[2]),
)
agent = VehicleAgent(config, clock=ManualClock())
agent.feed(rows(0, 100, brake_at=(10, 98)))
os.kill(os.getpid(), 9)
"""


def test_killed_in_mid_recording_the_fire_is_dropped_and_the_finished_clip_stays(
    cloud: Cloud, new_agent: NewAgent, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    first = new_agent()
    first.check_in()
    first.close()
    public = key.public_key().public_bytes_raw().hex()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(REPOSITORY), str(tmp_path / "state"), public],
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    again = new_agent()
    counts = counts_of(again, "braking")
    assert (counts.watermark, counts.in_flight, counts.dropped) == (2, 1, {"restart": 1})
    assert again.upload_pending(deadline_s=10).handed_over == 1
    assert counts_of(again, "braking").handed_over == 1


presses = st.lists(st.floats(1, 115).map(lambda t: round(t, 1)), max_size=12).map(tuple)


@given(presses, presses, st.integers(1, 4))
@settings(max_examples=20)
def test_the_host_fires_exactly_where_the_program_alone_would(
    tmp_path_factory: pytest.TempPathFactory, braked: tuple[float, ...], fast: tuple[float, ...], one_in: int
) -> None:
    bundles: list[Bundle] = [compiled(BRAKING), compiled(SPEEDING, sample_one_in=one_in)]
    driven = rows(0, 120, brake_at=braked, fast_at=fast)
    journal = Journal(tmp_path_factory.mktemp("host") / "j.sqlite")
    host = Host("car-1", journal)
    assert host.assign(bundles) == []
    kept = [fire for start in range(0, len(driven), 13) for fire in host.run(driven[start : start + 13])]
    host.flush()
    counts = {entry.campaign: entry for entry in journal.counts()}
    journal.close()
    expected = []
    for bundle in bundles:
        evaluator = Evaluator(bundle.program)
        firings = evaluator.run(driven)
        name, n = bundle.settings.name, bundle.settings.sample_one_in
        assert counts[name].watermark == len(firings)
        assert counts[name].suppressed == sum(evaluator.suppressed.values())
        expected += [
            (firing.t_ns, name, ordinal)
            for ordinal, firing in enumerate(firings, start=1)
            if keep_fire("car-1", name, 1, firing.trigger, firing.t_ns, n)
        ]
    assert [(fire.t_ns, fire.campaign, fire.ordinal) for fire in kept] == sorted(expected)
