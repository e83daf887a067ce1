"""A deployment with one campaign and one vehicle for whole-system tests, and clips of incompressible samples."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleet_api.client import Client
from fleet_api.deployment.deployment import Deployment
from storage.settings import Settings
from tests.support.paths import server_folder
from triggers.language.rows import Row
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig

NOISE_SIGNALS = 200
ROWS_AN_EVENT = 500
PERIOD_NS = 10_000_000
START_NS = 1_800_000_000_000_000_000
CATALOG = """
max_gap: 2.0
signals:
  event.level: {rate: 100}
""" + "".join(f"  noise.n{index}: {{rate: 100}}\n" for index in range(NOISE_SIGNALS))
SOURCE = """
trigger event {
    when event.level > 0.5
    capture 1500 ms before, 1500 ms after { signals noise.* }
}
campaign loss_free {
    collect event
    budget 10 GB total
}
"""


FREE_PORTS: dict[str, Any] = {"api_port": 0, "gateway_port": 0, "ingest_port": 0}
"""Settings of a deployment beside which others run."""


@contextmanager
def deployment(**settings: object) -> Iterator[Deployment]:
    """Everything on this machine, on free ports, in a folder of its own."""
    defaults = FREE_PORTS | {"allow_self_approval": True, "log_lease_s": 2.0}
    with (
        server_folder() as folder,
        Deployment(Settings.load(**({"data_dir": folder} | defaults | settings))) as running,
    ):
        yield running


def admin(running: Deployment) -> Client:
    """The API of a deployment as its administrator uses it."""
    return Client(running.api_url, running.admin_token)


def run_campaign(client: Client, source: str = SOURCE, signals: str = CATALOG, campaign: str | None = None) -> None:
    """Apply a campaign of a text, and approve it."""
    applied = client.campaigns.apply(source, signals, filename="test.trigger", campaign=campaign)
    client.campaigns.approve(applied.campaign, applied.version, digest=applied.approval_digest)


def recording(client: Client, clip_id: str) -> bytes:
    """A clip's MCAP file."""
    links = {asset.name: asset.href for asset in client.clips.get(clip_id).assets}
    return client.clips.read(links["clip.mcap"])


def enrol(client: Client, vehicle_id: str, state: Path, **config: Any) -> VehicleConfig:
    """A vehicle that the deployment knows, with its agent's configuration."""
    enrolled = client.vehicles.enrol(vehicle_id, replays=True)
    values: dict[str, Any] = {
        "vehicle_id": vehicle_id,
        "token": enrolled.token,
        "api_url": enrolled.api_url,
        "gateway_url": enrolled.gateway_url,
        "trusted_keys": tuple(base64.b64decode(key) for key in enrolled.public_keys),
        "trust_threshold": enrolled.trust_threshold,
        "trust_version": enrolled.trust_version,
        "state_directory": state,
        "backoff_first_s": 0.05,
        "backoff_max_s": 0.5,
    }
    return VehicleConfig(**(values | config))


def record_events(agent: VehicleAgent, count: int, *, seed: int = 0) -> None:
    """Drive until the trigger has fired `count` times: as many clips, 1.5 MB each, as the events lie apart."""
    rng = random.Random(seed)
    for event in range(count):
        rows = []
        for index in range(ROWS_AN_EVENT):
            samples = {f"noise.n{signal}": rng.random() for signal in range(NOISE_SIGNALS)}
            samples["event.level"] = 1.0 if index == ROWS_AN_EVENT // 2 else 0.0
            rows.append(Row(START_NS + (event * ROWS_AN_EVENT + index) * PERIOD_NS, samples))
        agent.feed(rows)
    agent.finish_drive()
