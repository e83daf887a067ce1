"""A vehicle's queue and uploader without the rest of it, for the tests of uploads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.triggers.vehicle.cloud import VEHICLE
from tests.triggers.vehicle.support import ManualClock, a_fire, at, footage, video
from triggers.clips.footage import Footage
from triggers.contracts.campaign import Network
from triggers.contracts.checkin import FireCounts
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.http import make_client
from triggers.vehicle.journal.clips import QueuedClip
from triggers.vehicle.journal.fires import NewFire, RunIncrement
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.recording.clips import RecordingContext, make_clip
from triggers.vehicle.recording.fires import VehicleFire
from triggers.vehicle.uploads.clip_queue import ClipQueue
from triggers.vehicle.uploads.terminations import Terminator
from triggers.vehicle.uploads.tus import TusClient
from triggers.vehicle.uploads.uploader import Uploader, UploadReport

SMALL = footage(0, 10, ("speed", "steer"))


@dataclass
class Car:
    """A vehicle's queue and uploader, without the rest of it."""

    config: VehicleConfig
    clock: ManualClock

    def __post_init__(self) -> None:
        self.journal = Journal(self.config.state_directory / "j.sqlite")
        self.http = make_client(self.config)
        self.queue = ClipQueue(
            self.journal,
            self.config.clips_directory,
            max_bytes=self.config.queue_bytes,
            max_age_ns=self.config.max_clip_age_ns,
        )
        tus = TusClient(self.config.gateway_url, self.http, chunk_bytes=self.config.chunk_bytes)
        self.uploader = Uploader(
            self.config, self.queue, tus, Terminator(self.journal, tus), self.clock, jitter=lambda: 0.5
        )

    def add(self, *fires: VehicleFire, held: Footage = SMALL) -> QueuedClip:
        news = tuple(NewFire(fire, sampled_in=True) for fire in fires)
        self.journal.record([RunIncrement(new.fire.campaign, 1, fires=(new,)) for new in news])
        clip = make_clip(
            self.config.clips_directory, fires, held, RecordingContext(vehicle_id=VEHICLE, max_span_ns=60 * 10**9)
        )
        self.queue.add(clip, self.clock.now_ns())
        return next(queued for queued in self.queue.all() if queued.clip_id == clip.manifest.clip_id)

    def upload(self, deadline_s: float = 0.5, network: Network | None = Network.WIFI) -> UploadReport:
        return self.uploader.upload_pending(network, deadline_s)

    def counts(self, campaign: str = "braking") -> FireCounts:
        return next(counts for counts in self.journal.counts() if counts.campaign == campaign)

    def remembered(self) -> list[str]:
        return [row["url"] for row in self.journal.reading.execute("SELECT url FROM terminations ORDER BY id")]

    def close(self) -> None:
        self.journal.close()
        self.http.close()


def large() -> Footage:
    return Footage(at(0), at(10), {}, {"front": video(0, 10, size=25_000)})


def a_large_fire(**changes: Any) -> VehicleFire:
    return a_fire(5, signals=(), cameras=("front",), **changes)
