"""A deployment with one campaign and one vehicle for whole-system tests, and clips of incompressible samples."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

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


@contextmanager
def deployment(**settings: object) -> Iterator[Deployment]:
    """Everything on this machine, on free ports, in a folder of its own."""
    defaults = {"api_port": 0, "gateway_port": 0, "allow_self_approval": True, "log_lease_s": 2.0}
    with (
        server_folder() as folder,
        Deployment(Settings.load(**({"data_dir": folder} | defaults | settings))) as running,
    ):
        yield running


@dataclass(frozen=True)
class Api:
    """The API as its administrator uses it; a status other than a success fails the test."""

    http: httpx.Client

    def get(self, path: str, **query: object) -> Any:
        """GET a JSON document."""
        reply = self.http.get(path, params={name: str(value) for name, value in query.items()})
        assert reply.is_success, reply.text
        return reply.json()

    def post(self, path: str, body: object) -> Any:
        """POST JSON, get JSON."""
        reply = self.http.post(path, json=body)
        assert reply.is_success, reply.text
        return reply.json()

    def clips(self, cql2: str = "") -> list[dict[str, Any]]:
        """Every clip of the catalog that a filter finds, all pages."""
        query: dict[str, object] = {"limit": 100}
        if cql2:
            query |= {"filter": cql2, "filter-lang": "cql2-text"}
        found: list[dict[str, Any]] = []
        while True:
            page = self.get("/v1/clips", **query)
            found += page["clips"]
            if not page["next"]:
                return found
            query["token"] = page["next"]

    def recording(self, clip_id: str) -> bytes:
        """A clip's MCAP file, by its signed link, which needs no token."""
        assets = {asset["name"]: asset["href"] for asset in self.get(f"/v1/clips/{clip_id}")["assets"]}
        reply = httpx.get(assets["clip.mcap"], timeout=30, trust_env=False)
        assert reply.is_success, reply.text
        return reply.content


@contextmanager
def admin(running: Deployment) -> Iterator[Api]:
    """The API of a deployment with its administrator's token."""
    headers = {"Authorization": f"Bearer {running.admin_token}"}
    with httpx.Client(base_url=running.api_url, headers=headers, timeout=30, trust_env=False) as http:
        yield Api(http)


def run_campaign(api: Api, source: str = SOURCE, signals: str = CATALOG, filename: str = "test.trigger") -> None:
    """Apply the campaign of a text, and approve it."""
    applied = api.post("/v1/campaigns", {"source": source, "filename": filename, "signals": signals})
    path = f"/v1/campaigns/{applied['campaign']}/{applied['version']}"
    api.post(f"{path}/approve", {"digest": applied["program_digest"]})


def enrol(api: Api, vehicle_id: str, state: Path, **config: Any) -> VehicleConfig:
    """A vehicle that the deployment knows, with its agent's configuration."""
    enrolled = api.post("/v1/vehicles", {"id": vehicle_id, "attributes": {}})
    values: dict[str, Any] = {
        "vehicle_id": vehicle_id,
        "token": enrolled["token"],
        "api_url": enrolled["api_url"],
        "gateway_url": enrolled["gateway_url"],
        "trusted_keys": tuple(base64.b64decode(key) for key in enrolled["public_keys"]),
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
