"""Recoveries that do not go well: on a slow machine, with a part that cannot work, or of a database that dies again."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet_api.deployment import deployment as deployments
from fleet_api.deployment.deployment import Deployment
from storage.settings import Settings
from tests.support.paths import server_folder
from tests.support.servers.certificates import write_server_certificate
from tests.support.waiting import wait_for
from tests.support.whole_system import FREE_PORTS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]
PATIENCE_S = 400.0
Spoil = Callable[[Deployment, pytest.MonkeyPatch], None]


@contextmanager
def running_in(folder: Path, said: list[str]) -> Iterator[Deployment]:
    """A deployment over TLS, and what it says."""
    served, own = folder / "served.pem", folder / "own.pem"
    write_server_certificate(folder / "ca.pem", served)
    shutil.copy(served, own)
    files = {"tls_cert_file": served, "client_cert_file": own}
    values: dict[str, Any] = FREE_PORTS | files | {"data_dir": folder / "data", "database_url": ""}
    with Deployment(Settings(**values | {"log_lease_s": 2.0}), report=said.append) as running:
        yield running


@contextmanager
def watched(running: Deployment) -> Iterator[None]:
    """Meanwhile it is looked after as `longtail up` does it."""
    stop = threading.Event()
    watching = threading.Thread(target=running.run_until, args=(stop,))
    watching.start()
    try:
        yield
    finally:
        stop.set()
        watching.join(120)


def kill_database(running: Deployment) -> None:
    pidfile = running.data_dir / "postgres" / "cluster" / "postmaster.pid"
    os.kill(int(pidfile.read_text().split()[0]), signal.SIGKILL)


def slow_down(_: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployments, "READY_TIMEOUT_S", 0.0)


def spoil_spool(running: Deployment, _: pytest.MonkeyPatch) -> None:
    spool = running.data_dir / "spool"
    spool.rename(spool.with_name("spool-of-before"))
    spool.write_text("where the ingest worker wants its folder")


def lose_certificate(running: Deployment, _: pytest.MonkeyPatch) -> None:
    assert running.settings.client_cert_file is not None
    running.settings.client_cert_file.unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (slow_down, "is not ready after"),
        (spoil_spool, "the process ingest does not stay up"),
        (lose_certificate, "the client's certificate in"),
    ],
)
def test_processes_that_run_after_the_database_came_back_are_not_stopped_again_whatever_is_missing(
    monkeypatch: pytest.MonkeyPatch, spoil: Spoil, says: str
) -> None:
    said: list[str] = []
    monkeypatch.setattr(deployments, "READY_TIMEOUT_S", PATIENCE_S)
    with server_folder() as folder, running_in(folder, said) as running:
        spoil(running, monkeypatch)
        with watched(running):
            kill_database(running)
            wait_for(
                lambda: any(line.startswith("the database is back; ") and says in line for line in said),
                within_s=PATIENCE_S,
                what=f"the notice that {says}",
            )
            pids = {name: running.pid(name) for name in ("api", "gateway")}
            for url in (running.api_url, running.gateway_url):
                wait_for(lambda url=url: is_ready(url), within_s=PATIENCE_S, what=f"{url}, which is left alone")  # type: ignore[misc]
            assert pids == {name: running.pid(name) for name in pids}
            assert not [line for line in said if "trying again" in line]


def test_a_database_that_dies_again_while_processes_start_is_tried_again_after_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    ask = httpx.get
    left = ["the second death"]
    with server_folder() as folder, running_in(folder, said) as running:

        def ask_and_kill(*arguments: Any, **options: Any) -> httpx.Response:
            if left:
                left.pop()
                kill_database(running)
            return ask(*arguments, **options)

        with watched(running):
            monkeypatch.setattr(httpx, "get", ask_and_kill)
            kill_database(running)
            wait_for(lambda: "the deployment works again" in said, within_s=PATIENCE_S, what="the recovery")
            monkeypatch.undo()
        (notice,) = [line for line in said if "trying again in 1 s" in line]
        assert "the database ended while" in notice
        assert str(running.data_dir / "postgres" / "server.log") in notice
        assert not [line for line in said if line.startswith("the database is back; ")]


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=30, trust_env=False, verify=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
