"""A recovery on a machine that is slower than `longtail up` expects: what runs is left alone until it is ready."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import httpx
import pytest

from fleet_api.deployment import deployment as deployments
from fleet_api.deployment.deployment import Deployment
from storage.settings import Settings
from tests.support.paths import server_folder
from tests.support.waiting import wait_for
from tests.support.whole_system import FREE_PORTS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]
PATIENCE_S = 400.0


def test_processes_that_are_not_ready_in_time_after_the_database_came_back_are_not_stopped_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    stop = threading.Event()
    monkeypatch.setattr(deployments, "READY_TIMEOUT_S", PATIENCE_S)
    with server_folder() as folder:
        values: dict[str, Any] = FREE_PORTS | {"data_dir": folder / "data", "database_url": "", "log_lease_s": 2.0}
        with Deployment(Settings(**values), report=said.append) as running:
            monkeypatch.setattr(deployments, "READY_TIMEOUT_S", 0.0)
            watching = threading.Thread(target=running.run_until, args=(stop,))
            watching.start()
            try:
                pidfile = folder / "data" / "postgres" / "cluster" / "postmaster.pid"
                os.kill(int(pidfile.read_text().split()[0]), signal.SIGKILL)
                wait_for(
                    lambda: any("is not ready after" in line for line in said), within_s=PATIENCE_S, what="the notice"
                )
                pids = {name: running.pid(name) for name in ("api", "gateway", "ingest")}
                for url in (running.api_url, running.gateway_url):
                    wait_for(lambda url=url: is_ready(url), within_s=PATIENCE_S, what=f"{url}, which is left alone")  # type: ignore[misc]
                assert pids == {name: running.pid(name) for name in pids}
                assert not [line for line in said if "trying again" in line]
            finally:
                stop.set()
                watching.join(120)


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=30, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
