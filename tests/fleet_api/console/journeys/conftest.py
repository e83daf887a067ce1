"""Fixtures for the journeys: a whole deployment for each file, visitors of its console, and vehicles that drive."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fleet_api.client import Client
from fleet_api.demo.drives import generate_drives, package_file
from fleet_api.deployment.deployment import Deployment
from fleet_api.simulation.simulate import SimulatedFleet, VehicleResult, plan_fleet
from storage.settings import Settings
from tests.fleet_api.console.visitor import Visitor, visiting
from tests.support.paths import server_folder
from tests.support.waiting import wait_for
from tests.support.whole_system import FREE_PORTS
from triggers.drives.find import find_drives
from triggers.processes.jail.isolation import Isolation
from triggers.signals.catalog import SignalCatalog

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OWNER = "alice"
ATTRIBUTES = {"region": "EU", "hardware": 4, "model": "m3"}


@dataclass(frozen=True)
class Fleet:
    """A deployment, and recorded drives that vehicles of its own can play."""

    deployment: Deployment
    drives: Path

    def token_of(self, role: str, user: str = "") -> str:
        """A token of a user with `role`, who is called like it unless `user` says otherwise."""
        return self.deployment.issue_token(user or f"{role}-user", [role])

    def client(self, role: str, user: str = "") -> Client:
        """The API as a user with `role` calls it."""
        return Client(self.deployment.api_url, self.token_of(role, user))

    def start(self, *names: str) -> None:
        """Have campaigns of the demonstration applied by OWNER, and approved."""
        with self.client("author", OWNER) as author, self.client("approver") as approver:
            for name in names:
                text = only_campaign(package_file("demo.trigger"), name)
                applied = author.campaigns.apply(text, package_file("signals.yaml"))
                approver.campaigns.approve(name, applied.version, digest=applied.approval_digest)

    def drive(self, prefix: str) -> list[VehicleResult]:
        """Let one new vehicle for each drive play it, and wait until its clips are ready."""
        catalog = SignalCatalog.parse(package_file("signals.yaml"), name="signals.yaml")
        drives = find_drives([self.drives])
        plan = plan_fleet(drives, [ATTRIBUTES] * len(drives), prefix=prefix)
        with self.client("operator") as operator:
            fleet = SimulatedFleet(operator, catalog, self.deployment.data_dir / "vehicles")
            with ThreadPoolExecutor(1) as aside:  # this thread has the browser's event loop
                driven = aside.submit(fleet.run, plan).result()
            sent = sum(result.handed_over for result in driven)
            ready = f"state = 'ready' AND vehicle_id LIKE '{prefix}-%'"
            wait_for(lambda: len(list(operator.clips.search(ready))) == sent, within_s=120, what="the ready clips")
        return driven


def only_campaign(text: str, name: str) -> str:
    """A trigger text with one of its campaigns."""
    beginning, *campaigns = text.split("\ncampaign ")
    (wanted,) = (campaign for campaign in campaigns if campaign.startswith(f"{name} "))
    return f"{beginning}\ncampaign {wanted}"


@pytest.fixture(scope="module")
def fleet(built_console: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """An empty deployment, and two short drives."""
    drives = tmp_path_factory.mktemp("drives")
    generate_drives(drives, count=2, duration_s=40)
    with server_folder() as folder:
        settings = Settings.load(
            data_dir=folder / "data", database_url="", extraction_isolation=Isolation.BEST_EFFORT, **FREE_PORTS
        )
        with Deployment(settings) as deployment:
            yield Fleet(deployment, drives)


@pytest.fixture
def visitor(browser: Browser, fleet: Fleet) -> Iterator[Visitor]:
    """Somebody with a browser of their own; whatever goes wrong in it fails the test."""
    with visiting(browser, fleet.deployment.api_url, cache(fleet.token_of)) as visitor:
        yield visitor
