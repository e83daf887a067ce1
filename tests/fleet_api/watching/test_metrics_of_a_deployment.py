"""Metrics of a whole deployment while clips go through it: what the processes count is what happened."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet_api.client import Client
from fleet_api.deployment.deployment import Deployment
from ingest.metrics.exposition import Exposition
from ingest.metrics.serving import serving_metrics
from storage.settings import Settings
from tests.fleet_api.watching.scraping import OPEN_METRICS, TOKEN, parsed, scrape
from tests.storage.clips.catalog_support import OPENLABEL
from tests.support.servers.java_server import free_ports
from tests.support.waiting import wait_for
from tests.support.whole_system import admin, deployment, enrol, record_events, run_campaign
from triggers.errors import Misconfigured
from triggers.vehicle.agent import VehicleAgent

CLIPS = 3


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return dict(zip(("api", "gateway", "ingest"), free_ports(3), strict=True))


@pytest.fixture(scope="module")
def running(ports: dict[str, int]) -> Iterator[Deployment]:
    own = {f"{name}_metrics_port": port for name, port in ports.items()}
    with deployment(metrics_token=TOKEN, log_format="json", **own) as running:
        yield running


@pytest.fixture(scope="module")
def client(running: Deployment, ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An administrator of the deployment, through which CLIPS clips have gone."""
    with admin(running) as client:
        run_campaign(client)
        with VehicleAgent(enrol(client, "car-1", tmp_path_factory.mktemp("car"))) as agent:
            agent.check_in()
            record_events(agent, CLIPS)
            agent.upload_pending(deadline_s=60)
            assert agent.status().queued == ()
        wait_for(lambda: stage_count(ports, "ready") == CLIPS, within_s=90, what="clips that are ready and counted")
        yield client


def stage_count(ports: dict[str, int], stage: str) -> float | None:
    found = scrape(f"http://127.0.0.1:{ports['ingest']}")
    return found.get("longtail_clip_stage_seconds_count", stage=stage)


def test_bytes_by_campaign_and_network_are_those_that_the_clips_were_charged(
    running: Deployment, client: Client, ports: dict[str, int]
) -> None:
    found = scrape(f"http://127.0.0.1:{ports['ingest']}")
    charged = sum(clip.size_bytes for clip in client.clips.search())
    assert found.by("longtail_upload_bytes_total", "campaign") == {"loss_free": charged}


def test_every_clip_is_seen_in_every_stage(client: Client, ports: dict[str, int]) -> None:
    assert len(list(client.clips.search())) == CLIPS
    found = scrape(f"http://127.0.0.1:{ports['ingest']}")
    for stage in ("announced", "stored", "ready"):
        assert found.value("longtail_clip_stage_seconds_count", stage=stage) == CLIPS
        assert found.value("longtail_clip_stage_seconds_sum", stage=stage) >= 0


def test_the_gateway_counts_the_bytes_that_it_acknowledged(client: Client, ports: dict[str, int]) -> None:
    found = scrape(f"http://127.0.0.1:{ports['gateway']}")
    sent = sum(clip.size_bytes for clip in client.clips.search())
    assert found.value("longtail_received_bytes_total") == sent
    assert found.value("longtail_http_requests_total", method="POST", code="201") == CLIPS


def test_parts_lag_and_disk_of_ingest(client: Client, ports: dict[str, int]) -> None:
    def caught_up() -> bool:
        lag = scrape(f"http://127.0.0.1:{ports['ingest']}").by("longtail_ingest_lag_records", "partition")
        return len(lag) == 4 and set(lag.values()) == {0}

    wait_for(caught_up, within_s=30, what="offsets at the log's end")
    found = scrape(f"http://127.0.0.1:{ports['ingest']}")
    parts = found.by("longtail_part_ready", "part")
    assert {"assembler", "outbox", "steward", "object store"} <= set(parts)
    assert set(parts.values()) == {1}
    assert (
        0
        < found.value("longtail_disk_free_bytes", disk="spool")
        <= found.value("longtail_disk_size_bytes", disk="spool")
    )


def test_each_process_also_answers_at_its_own_address_with_the_token(running: Deployment, client: Client) -> None:
    assert len(list(client.clips.search())) == CLIPS
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": OPEN_METRICS}
    for url in (running.api_url, running.gateway_url):
        assert httpx.get(f"{url}/metrics", timeout=60).status_code == 401
        own = parsed(httpx.get(f"{url}/metrics", headers=headers, timeout=60).text)
        assert own.get("process_resident_memory_bytes") is not None


def test_check_ins_of_the_vehicle_are_counted(client: Client, ports: dict[str, int]) -> None:
    assert len(list(client.clips.search())) == CLIPS
    found = scrape(f"http://127.0.0.1:{ports['api']}")
    assert found.value("longtail_check_ins_total", code="200") >= 1


def lines(running: Deployment, process: str) -> list[dict[str, Any]]:
    """What a process has written to its log, each line JSON; the last one may be half there."""
    log = running.data_dir / "logs" / f"{process}.log"
    return [json.loads(line) for line in log.read_text("ascii").splitlines(keepends=True) if line.endswith("\n")]


def test_a_clip_is_followed_through_the_logs_by_its_id(running: Deployment, client: Client) -> None:
    job = client.labels.claim("auto", "net-1")[0]
    client.labels.complete(job.id, job.token, OPENLABEL)
    clip_id = job.clip.id

    def told(process: str) -> list[dict[str, Any]]:
        return [line for line in lines(running, process) if line.get("clip") == clip_id]

    created, *others = told("gateway")
    assert created["vehicle"] == "car-1" and created["upload"] and created["request"]
    assert created["message"].endswith("created") and created["process"] == "gateway"
    assert {line["upload"] for line in others} == {created["upload"]}
    assert any("bytes received" in line["message"] for line in others)
    wait_for(lambda: len(told("ingest")) >= 2 and told("api"), within_s=10, what="the lines of ingest and API")
    assert [line["message"] for line in told("ingest")] == [f"clip.stored: {clip_id}", f"clip.ready: {clip_id}"]
    [labelled] = told("api")
    assert labelled["message"] == f"label job {job.id} of clip {clip_id} is done"

    def answered() -> list[str]:  # the line of the answer is written once the client has it
        return [
            line["message"]
            for line in lines(running, "api")
            if line.get("request") == labelled["request"] and line != labelled
        ]

    wait_for(answered, within_s=10, what="the line of the answer")
    [message] = answered()
    assert "answered 200" in message


def test_check_ins_have_the_vehicle_on_their_line(running: Deployment, client: Client) -> None:
    assert client.health.ready().deployment
    asked = [line for line in lines(running, "api") if "/check-in answered 200" in line["message"]]
    assert asked and {line["vehicle"] for line in asked} == {"car-1"}
    assert all(line["message"].endswith(line["request"]) for line in asked)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(data_dir=tmp_path, gateway_metrics_port=taken.getsockname()[1])
        with (
            pytest.raises(Misconfigured, match="LONGTAIL_GATEWAY_METRICS_PORT"),
            serving_metrics(settings, "gateway", Exposition("gateway", settings), None),
        ):
            pass
