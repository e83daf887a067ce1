"""Full disks: nothing that was acknowledged is lost, the doctor names the disk, and work goes on once there is room."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from fleet_api.client import Client
from fleet_api.deployment.deployment import Deployment
from fleet_api.deployment.doctor import examine
from storage.settings import Settings
from tests.support.paths import server_folder
from tests.support.servers.postgres import libpq_url
from tests.support.small_disk import fill, small_disk
from tests.support.waiting import wait_for
from tests.support.whole_system import FREE_PORTS, admin, enrol, record_events, run_campaign
from triggers.errors import LongtailError
from triggers.vehicle.agent import VehicleAgent

pytestmark = pytest.mark.integration


@contextmanager
def watched(settings: Settings) -> Iterator[tuple[Deployment, list[str]]]:
    """A deployment that is looked after as `longtail up` does it, and what that says."""
    said: list[str] = []
    stop = threading.Event()
    with Deployment(settings, report=said.append) as running:
        thread = threading.Thread(target=running.run_until, args=(stop,), daemon=True)
        thread.start()
        try:
            yield running, said
        finally:
            stop.set()
            thread.join(120)


def settings_in(folder: Path, **changes: Any) -> Settings:
    own = FREE_PORTS | {"data_dir": folder / "data", "database_url": ""}
    return Settings(**own | {"allow_self_approval": True, "log_lease_s": 2.0} | changes)


def stored(client: Client) -> int:
    return len(list(client.clips.search()))


def failures(running: Deployment) -> dict[str, str]:
    return {finding.check: finding.message for finding in examine(running.settings) if finding.status == "fail"}


def test_a_database_without_room_comes_back_by_itself(tmp_path: Path) -> None:
    with server_folder() as folder:
        (folder / "data").mkdir(mode=0o755)
        with (
            small_disk(folder / "data" / "postgres", mib=400) as disk,
            watched(settings_in(folder)) as (running, said),
        ):
            client = admin(running)
            run_campaign(client)
            filler = fill(disk)
            assert "is full" in failures(running)["database disk"]
            with (
                suppress(psycopg.Error),
                psycopg.connect(libpq_url(running.settings.database_url), autocommit=True) as it,
            ):
                while True:  # a new segment of the write-ahead log needs room: PostgreSQL gives up
                    it.execute("SELECT pg_logical_emit_message(true, 'x', repeat('x', 1000000))")
            wait_for(lambda: any("ended unexpectedly" in line for line in said), within_s=120, what="the end")
            filler.unlink()
            wait_for(lambda: any("works again" in line for line in said), within_s=200, what="the recovery")
            assert httpx.get(f"{running.api_url}/readyz", timeout=60).status_code == 200
            with VehicleAgent(enrol(client, "car-1", tmp_path)) as agent:
                agent.check_in()
                record_events(agent, 1)
                agent.upload_pending()
            wait_for(lambda: stored(client) == 1, within_s=120, what="the clip")


def test_objects_without_room_delay_clips_and_lose_none(tmp_path: Path) -> None:
    with (
        server_folder() as folder,
        small_disk(folder / "objects", mib=16) as disk,
        watched(settings_in(folder, objects_url=(disk / "store").as_uri())) as (running, _),
    ):
        client = admin(running)
        run_campaign(client)
        filler = fill(disk)
        with VehicleAgent(enrol(client, "car-1", tmp_path)) as agent:
            agent.check_in()
            record_events(agent, 2)
            agent.upload_pending()
        found = failures(running)
        assert "full" in found.get("objects", "") + found.get("objects disk", "")
        with suppress(LongtailError):
            assert stored(client) == 0
        filler.unlink()
        wait_for(lambda: stored(client) == 2, within_s=200, what="the clips")
