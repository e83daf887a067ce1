"""Three settings change and nothing else: one simulation, the same catalog on embedded and on real engines."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet_api.client import Client
from fleet_api.demo.drives import generate_drives, package_file
from fleet_api.deployment.deployment import Deployment
from fleet_api.simulation.simulate import PlannedVehicle, SimulatedFleet, draw_attributes, plan_fleet
from tests.support import whole_system
from tests.support.servers.kafka_server import KafkaServer
from tests.support.servers.s3_server import S3Server
from tests.support.waiting import wait_for
from triggers.drives.find import find_drives
from triggers.signals.catalog import SignalCatalog

pytestmark = pytest.mark.integration

SEED = 1
VEHICLES = 2
DRIVES = 2
CLOSED_WITHIN_S = 120
RETURNED_WITHIN_S = 120
_OF_THIS_DEPLOYMENT = {"href", "assets", "links", "stored_at", "ready_at", "created_at", "updated_at", "uploaded_at"}

Catalog = dict[str, dict[str, Any]]
Progress = Callable[[str, str], None]


@dataclass
class Outage:
    """Takes Kafka away when the first vehicle begins to upload, and S3 when the second does."""

    kafka: KafkaServer
    s3: S3Server
    deployment: Deployment
    uploading: set[str] = field(default_factory=set)
    returned: threading.Event = field(default_factory=threading.Event)

    def __call__(self, vehicle: str, step: str) -> None:
        if not step.startswith("uploads") or vehicle in self.uploading:
            return
        self.uploading.add(vehicle)
        if len(self.uploading) == 1:
            self.kafka.kill()
            threading.Thread(target=self._bring_kafka_back).start()
        else:
            self.s3.kill()

    def _bring_kafka_back(self) -> None:
        """As soon as the gateway has noticed."""
        try:
            wait_for(lambda: not self._is_ready(), within_s=60, what="a gateway that is not ready")
        finally:
            self.kafka.start()
            self.returned.set()

    def _is_ready(self) -> bool:
        return httpx.get(f"{self.deployment.gateway_url}/readyz", timeout=30, trust_env=False).is_success


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> list[PlannedVehicle]:
    folders = generate_drives(tmp_path_factory.mktemp("drives"), count=DRIVES, duration_s=60, seed=SEED, camera=False)
    catalog = SignalCatalog.parse(package_file("signals.yaml"), name="signals.yaml")
    attributes = [draw_attributes(catalog, [None], seed=SEED, number=number) for number in range(VEHICLES)]
    return plan_fleet(find_drives(folders), attributes)


@pytest.fixture(scope="module")
def embedded(plan: list[PlannedVehicle], tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What the simulation gives on the embedded engines."""
    with whole_system.deployment() as running:
        found = simulated(running, plan, tmp_path_factory.mktemp("embedded"))
    assert len(found) > VEHICLES
    return found


def simulated(
    running: Deployment, plan: list[PlannedVehicle], state: Path, progress: Progress = lambda *_: None
) -> Catalog:
    """Run the fleet against a deployment until every fire has ended; the catalog then."""
    with whole_system.admin(running) as api:
        source, signals = package_file("demo.trigger"), package_file("signals.yaml")
        for campaign in ("emergencies", "shadow_network", "everyday_braking"):
            whole_system.run_campaign(api, source, signals, campaign)
        catalog = SignalCatalog.parse(signals, name="signals.yaml")
        results = SimulatedFleet(api, catalog, state, progress=progress).run(plan)
        assert [result.queued for result in results] == [0] * len(plan), results
        if isinstance(progress, Outage):
            # The fleet can be done before the thread that brought Kafka back has seen it answer.
            assert progress.returned.wait(RETURNED_WITHIN_S), "Kafka did not come back"
            progress.s3.start()
        handed_over = sum(result.handed_over for result in results)
        wait_for(lambda: is_closed(api, handed_over), within_s=CLOSED_WITHIN_S, what="every clip ready in the catalog")
        return catalog_of(api)


def is_closed(api: Client, clips: int) -> bool:
    states = [clip.state for clip in api.clips.search()]
    in_flight = sum(counts.in_flight for counts in api.outcomes.count().outcomes)
    return states == ["ready"] * clips and not in_flight


def catalog_of(api: Client) -> Catalog:
    """By clip: everything that is known of it, and the hash of each of its objects."""
    catalog: Catalog = {}
    for listed in api.clips.search():
        clip = api.clips.get(listed.id)
        known = clip.model_dump(mode="json", exclude=set(_OF_THIS_DEPLOYMENT))
        known["objects"] = {asset.name: fetched_digest(api, asset.href) for asset in clip.assets}
        assert clip.id not in catalog, "the catalog holds a clip twice"
        catalog[clip.id] = known
    return catalog


def fetched_digest(api: Client, link: str) -> str:
    return hashlib.sha256(api.clips.read(link)).hexdigest()


@contextmanager
def real_engines(kafka: KafkaServer, s3: S3Server, prefix: str) -> Iterator[Deployment]:
    with whole_system.deployment(
        log_url=f"kafka://{kafka.bootstrap}/{prefix}",
        log_lease_s=6.0,
        objects_url=s3.url(prefix),
        objects_access_key=s3.access_key,
        objects_secret_key=s3.secret_key,
    ) as running:
        yield running


def test_kafka_and_s3_hold_the_same_catalog_clip_for_clip_and_hash_for_hash(
    embedded: Catalog, plan: list[PlannedVehicle], kafka_server: KafkaServer, s3_server: S3Server, tmp_path: Path
) -> None:
    with real_engines(kafka_server, s3_server, "same-catalog") as running:
        found = simulated(running, plan, tmp_path)
    assert found == embedded


def test_kafka_and_s3_that_die_and_come_back_lose_nothing(
    embedded: Catalog, plan: list[PlannedVehicle], tmp_path: Path
) -> None:
    with (
        KafkaServer(tmp_path / "kafka") as kafka,
        S3Server(tmp_path / "s3") as s3,
        real_engines(kafka, s3, "outage") as running,
    ):
        found = simulated(running, plan, tmp_path / "vehicles", Outage(kafka, s3, running))
    assert found == embedded
