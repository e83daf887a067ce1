"""Nothing is lost and nothing comes twice: cuts after every record, and processes killed at random points."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from fleet_api.client import Client
from fleet_api.deployment.deployment import Deployment
from tests.support import whole_system
from tests.support.waiting import Deadline, let_pass, wait_for
from triggers.clips.cells import hash_cells
from triggers.contracts.campaign import Network
from triggers.contracts.clip import CELL_BYTES, ClipManifest, CreationRequest, clip_digest
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig

pytestmark = pytest.mark.integration

KILLS = 20
UPLOAD_S = 300
"""A bound, not a measurement: 20 restarts of two processes take a busy machine minutes."""


@pytest.fixture
def running() -> Iterator[Deployment]:
    with whole_system.deployment(park_after_s=1.0) as running:
        yield running


def recorded(agent: VehicleAgent) -> dict[str, bytes]:
    """The agent's queued clips: digest of the cells to the file's bytes."""
    paths = [clip.path for clip in agent.status().queued]
    return {clip_digest(hash_cells(path).cells): path.read_bytes() for path in paths}


def catalogued(api: Client) -> dict[str, bytes]:
    """What the catalog holds: digest to the recording's bytes; a clip that is there twice fails."""
    clips = list(api.clips.search())
    found = {clip.digest: whole_system.recording(api, clip.id) for clip in clips}
    assert len(found) == len(clips), "the catalog holds a clip twice"
    return found


def test_an_upload_cut_after_every_record_in_turn_arrives_byte_for_byte(running: Deployment, tmp_path: Path) -> None:
    with whole_system.admin(running) as api:
        whole_system.run_campaign(api)
        config = whole_system.enrol(api, "car-1", tmp_path / "car-1")
        with VehicleAgent(config) as agent:
            agent.check_in()
            whole_system.record_events(agent, 1)
            (clip,) = agent.status().queued
            manifest = agent.manifest(clip)
            data = clip.path.read_bytes()
            assert len(manifest.cells) >= 2
            location = create_upload(config.gateway_url, config.token, manifest)
            for cut in range(len(manifest.cells)):
                send_and_cut(location, config.token, data, cut)
            offset = upload_offset(location, config.token)
            assert (len(manifest.cells) - 1) * CELL_BYTES < offset < len(data), "what arrived of a cell counts"
            report = agent.upload_pending(deadline_s=60)
            assert (report.handed_over, report.failed) == (1, 0)
        wait_for(lambda: sum(1 for _ in api.clips.search()) == 1, within_s=30, what="the clip in the catalog")
        assert catalogued(api) == {manifest.digest: data}


def create_upload(gateway_url: str, token: str, manifest: ClipManifest) -> str:
    reply = httpx.post(
        f"{gateway_url}/v1/uploads",
        content=CreationRequest(manifest=manifest, network=Network.WIFI).canonical_json(),
        headers={
            "Authorization": f"Bearer {token}",
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(manifest.size_bytes),
            "Content-Type": "application/json",
        },
        trust_env=False,
        timeout=60,
    )
    assert reply.status_code == httpx.codes.CREATED, reply.text
    return str(httpx.URL(f"{gateway_url}/v1/uploads").join(reply.headers["Location"]))


def upload_offset(location: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    return int(httpx.head(location, headers=headers, trust_env=False, timeout=60).headers["Upload-Offset"])


def send_and_cut(location: str, token: str, data: bytes, cells: int) -> None:
    """Promise the rest of the clip, send up to the end of cell number `cells` and half a cell more, and hang up."""
    offset = upload_offset(location, token)
    parts = urlsplit(location)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.putrequest("PATCH", parts.path)
    for name, value in {
        "Authorization": f"Bearer {token}",
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(len(data) - offset),
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    whole = cells * CELL_BYTES
    end = min(len(data) - 1, whole + CELL_BYTES // 2)
    connection.send(data[offset:end])
    connection.close()
    wait_for(lambda: upload_offset(location, token) == end, within_s=30, what=f"the acknowledgement of {end} bytes")


def test_processes_killed_at_random_points_lose_and_double_nothing(running: Deployment, tmp_path: Path) -> None:
    rng = random.Random(20)
    with whole_system.admin(running) as api:
        whole_system.run_campaign(api)
        config = whole_system.enrol(api, "car-1", tmp_path / "car-1", chunk_bytes=CELL_BYTES)
        with VehicleAgent(config) as agent:
            agent.check_in()
            whole_system.record_events(agent, KILLS)
            files = recorded(agent)
            assert len(files) == KILLS
        uploading = threading.Thread(target=upload_all, args=[config])
        uploading.start()
        for _ in range(KILLS):
            kill_one(running, rng)
        uploading.join()
        wait_for(lambda: sum(1 for _ in api.clips.search()) >= KILLS, within_s=90, what="every clip in the catalog")
        assert catalogued(api) == files
        (outcome,) = api.outcomes.count().outcomes
        assert (outcome.fired, outcome.catalogued, outcome.in_flight) == (KILLS, KILLS, 0)
        assert [sentence for page in api.budget.audit() for sentence in page.differences] == []


def upload_all(config: VehicleConfig) -> None:
    """In a thread of its own: the vehicle uploads until its queue is empty, then reports its counts."""
    deadline = Deadline(UPLOAD_S)
    with VehicleAgent(config) as agent:
        while agent.status().queued and not deadline.passed():
            agent.upload_pending(deadline_s=5)
        agent.report()


def kill_one(running: Deployment, rng: random.Random) -> None:
    """Kill the gateway or the ingest worker after a random moment, and wait until it has been replaced."""
    let_pass(rng.uniform(0.0, 0.4), why="a random point of the work is what is tested")
    name = rng.choice(["gateway", "ingest"])
    pid = running.pid(name)
    running.kill(name)
    wait_for(lambda: running.pid(name) not in (None, pid), within_s=30, what=f"a new {name}")
