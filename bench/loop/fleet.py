"""Vehicles for the loop: clips recorded once by real agents, then uploaded to one deployment after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fleet_api.deployment.deployment import Deployment
from tests.support import whole_system
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest, CreationRequest
from triggers.errors import Overloaded
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.http import make_client
from triggers.vehicle.uploads.tus import OpenUpload, TusClient

UPLOAD_S = 300.0


@dataclass(frozen=True)
class RecordedClip:
    """A clip as a vehicle holds it in its queue."""

    vehicle_id: str
    manifest: ClipManifest
    path: Path

    @property
    def request(self) -> CreationRequest:
        """What a vehicle asks for its upload."""
        return CreationRequest(manifest=self.manifest, network=Network.WIFI)


def record(running: Deployment, folder: Path, *, vehicles: int, clips_each: int) -> list[RecordedClip]:
    """Enrol vehicles in a deployment that runs the campaign, and let each record clips of about 1.5 MB."""
    recorded: list[RecordedClip] = []
    with whole_system.admin(running) as api:
        whole_system.run_campaign(api)
        for number in range(vehicles):
            config = whole_system.enrol(api, f"car-{number}", folder / f"car-{number}")
            agent = VehicleAgent(config)  # not closed: its queue is to stay as it is
            agent.check_in()
            whole_system.record_events(agent, clips_each, seed=number)
            queued = agent.status().queued
            recorded += [RecordedClip(config.vehicle_id, agent.manifest(clip), clip.path) for clip in queued]
    if len(recorded) != vehicles * clips_each:
        raise ValueError(f"{len(recorded)} clips were recorded instead of {vehicles * clips_each}")
    return recorded


class Fleet:
    """The vehicles that recorded these clips, enrolled in a deployment; each uploads in its own thread."""

    def __init__(self, running: Deployment, clips: Sequence[RecordedClip], folder: Path) -> None:
        with whole_system.admin(running) as api:
            whole_system.run_campaign(api)
            names = sorted({clip.vehicle_id for clip in clips})
            self._configs = {name: whole_system.enrol(api, name, folder / name) for name in names}
        self._clips = {name: [clip for clip in clips if clip.vehicle_id == name] for name in self._configs}

    def upload(self) -> None:
        """Upload everything; returns when the gateway has acknowledged it. The first error of a vehicle is raised."""
        with ThreadPoolExecutor(len(self._configs)) as threads:
            list(threads.map(self._upload_of, self._configs))

    def _upload_of(self, vehicle_id: str) -> None:
        upload_clips(self._configs[vehicle_id], self._clips[vehicle_id])


def upload_clips(config: VehicleConfig, clips: Sequence[RecordedClip]) -> None:
    """One vehicle uploads its clips one after the other, as its uploader does, waiting where the gateway is busy."""
    deadline_s = time.monotonic() + UPLOAD_S
    with make_client(config) as http:
        tus = TusClient(config.gateway_url, http, chunk_bytes=config.chunk_bytes)
        for clip in clips:
            upload = _patiently(lambda clip=clip: tus.create(clip.request), deadline_s)  # type: ignore[misc]
            while upload.offset_bytes < clip.manifest.size_bytes:
                upload = _patiently(
                    lambda at=upload, clip=clip: tus.send_chunk(at, clip.path, clip.manifest.size_bytes),  # type: ignore[misc]
                    deadline_s,
                )


def _patiently(request: Callable[[], OpenUpload], deadline_s: float) -> OpenUpload:
    while True:
        try:
            return request()
        except Overloaded as busy:
            if time.monotonic() + busy.retry_after_s > deadline_s:
                raise
            time.sleep(busy.retry_after_s)
