"""Builders shared by the vehicle's tests: fires, frames, campaigns, and a clock that a test moves."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.cloud import EPOCH_NS, VEHICLE, Cloud
from triggers.clips.footage import Footage, Samples, VideoFrame
from triggers.contracts import signing
from triggers.contracts.bundle import Bundle, make_bundle, seal_bundle
from triggers.contracts.campaign import CaptureWindow, DayRule, Network, UploadRoute
from triggers.contracts.checkin import Assignment, AssignmentList
from triggers.language.compile import compile_source
from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S
from triggers.vehicle.recording.fires import VehicleFire

IDR = b"\x00\x00\x00\x01\x67\x42\x00\x0a\x00\x00\x00\x01\x68\xce\x00\x00\x00\x01\x65"
SLICE = b"\x00\x00\x00\x01\x41"


@dataclass
class ManualClock:
    """A clock that moves only when told to, or by sleeping."""

    t_ns: int = EPOCH_NS
    slept_s: list[float] = field(default_factory=list)
    passed_ns: int = 0

    def now_ns(self) -> int:
        return self.t_ns

    def monotonic_ns(self) -> int:
        return self.passed_ns

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.pass_time(max(seconds, 1e-6))

    def advance(self, seconds: float) -> None:
        """Set the clock forward or back."""
        self.t_ns += int(seconds * NS_PER_S)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.advance(seconds)
        self.passed_ns += int(seconds * NS_PER_S)


def at(seconds: float) -> int:
    """Data time, ns since the Unix epoch."""
    return EPOCH_NS + round(seconds * NS_PER_S)


def a_fire(
    t_s: float,
    *,
    ordinal: int = 1,
    campaign: str = "braking",
    before_s: float = 5,
    after_s: float = 5,
    signals: tuple[str, ...] = ("speed",),
    cameras: tuple[str, ...] = (),
    priority: int = 50,
    upload: tuple[UploadRoute, ...] = (UploadRoute(network=Network.WIFI),),
    when_day_is_spent: DayRule = "keep",
    trigger: str = "hard",
    when_day_of_trigger_is_spent: DayRule = "keep",
) -> VehicleFire:
    return VehicleFire(
        campaign=campaign,
        version=1,
        program_digest="ab" * 32,
        trigger=trigger,
        ordinal=ordinal,
        t_ns=at(t_s),
        inclusion_probability=1.0,
        capture=CaptureWindow(
            before_ns=round(before_s * NS_PER_S),
            after_ns=round(after_s * NS_PER_S),
            signals=signals,
            cameras=cameras,
        ),
        priority=priority,
        upload=upload,
        when_day_is_spent=when_day_is_spent,
        when_day_of_trigger_is_spent=when_day_of_trigger_is_spent,
    )


@cache
def video(start_s: float, end_s: float, *, fps: int = 10, gop: int = 10, size: int = 200) -> tuple[VideoFrame, ...]:
    """Frames that look like Annex B access units: a keyframe each `gop` frames."""
    frames = []
    for index in range(round((end_s - start_s) * fps)):
        keyframe = index % gop == 0
        body = (IDR if keyframe else SLICE) + random.Random(index).randbytes(size).replace(b"\x00", b"\x11")
        frames.append(VideoFrame(at(start_s + index / fps), keyframe, body))
    return tuple(frames)


def footage(
    start_s: float, end_s: float, signals: tuple[str, ...] = ("speed",), cameras: tuple[str, ...] = (), *, hz: int = 10
) -> Footage:
    """Synthetic footage; signal values depend on name and time."""
    count = round((end_s - start_s) * hz) + 1
    return Footage(
        at(start_s),
        at(end_s),
        {
            name: Samples.of((at(start_s + k / hz), (len(name) * 31 + k * k) % 97 / 7) for k in range(count))
            for name in signals
        },
        {name: video(start_s, end_s) for name in cameras},
    )


CATALOG = """
max_gap: 2.0
signals:
  ego.speed: {unit: m/s, rate: 10}
  ego.brake: {unit: "%", rate: 10}
  ego.steer: {unit: deg, rate: 10}
  active.cut_in.detected: {type: bool, rate: 10}
  shadow.cut_in.detected: {type: bool, rate: 10}
cameras: [front]
"""

BRAKING = """
trigger hard {
    when ego.brake > 50 %
    cooldown 60 s
    capture 5 s before, 3 s after { signals ego.brake, ego.speed }
}
campaign braking { collect hard budget 100 clips priority 70 }
"""

SPEEDING = """
trigger fast {
    when ego.speed > 30 m/s
    capture 2 s before, 2 s after { signals ego.speed cameras front }
}
campaign speeding { collect fast budget 100 clips }
"""

COMPARING = """
campaign comparing { compare cut_in.detected budget 1 clips }
"""

MATCHING = """
campaign matching { compare events cut_in.detected within 300 ms budget 1 clips }
"""


def compiled(source: str, version: int = 1, **changes: Any) -> Bundle:
    """The bundle of the only campaign in a text."""
    compilation = compile_source(source, filename="test.trigger", catalog=SignalCatalog.parse(CATALOG, name="test"))
    assert compilation.ok, compilation.diagnostics
    (campaign,) = compilation.campaigns.values()
    return make_bundle(campaign.settings.model_copy(update=changes), version, campaign.program)


def offer(
    cloud: Cloud,
    key: Ed25519PrivateKey,
    *bundles: Bundle,
    revision: int,
    now_ns: int = EPOCH_NS,
    lasts_s: float = 86_400,
    vehicle_id: str = VEHICLE,
) -> list[bytes]:
    """Let the cloud give this list of campaigns, and their bundles; the sealed bundles."""
    sealed = [seal_bundle(bundle, key) for bundle in bundles]
    pairs = list(zip(bundles, sealed, strict=True))
    offer_sealed(cloud, key, pairs, revision=revision, now_ns=now_ns, lasts_s=lasts_s, vehicle_id=vehicle_id)
    return sealed


def offer_sealed(
    cloud: Cloud,
    key: Ed25519PrivateKey,
    bundles: list[tuple[Bundle, bytes]],
    *,
    revision: int,
    now_ns: int = EPOCH_NS,
    lasts_s: float = 86_400,
    vehicle_id: str = VEHICLE,
) -> None:
    """The same for bytes that need not be what they are said to be."""
    cloud.bundles = {hashlib.sha256(data).hexdigest(): data for _, data in bundles}
    listed = AssignmentList(
        vehicle_id=vehicle_id,
        revision=revision,
        issued_at_ns=now_ns,
        expires_at_ns=now_ns + round(lasts_s * NS_PER_S),
        assignments=tuple(
            Assignment(
                campaign=bundle.settings.name, version=bundle.version, bundle_digest=hashlib.sha256(data).hexdigest()
            )
            for bundle, data in bundles
        ),
    )
    cloud.assignments = signing.seal(listed.canonical_json(), purpose=signing.ASSIGNMENTS, key=key)


def rows(
    start_s: float, end_s: float, *, brake_at: tuple[float, ...] = (), fast_at: tuple[float, ...] = ()
) -> list[Row]:
    """10 Hz rows in [start, end): the brake is pressed, or the speed high, for half a second at the given times."""

    def during(t_s: float, begins: tuple[float, ...]) -> bool:
        return any(begin - 1e-6 <= t_s < begin + 0.5 - 1e-6 for begin in begins)

    times = [start_s + k / 10 for k in range(round((end_s - start_s) * 10))]
    return [
        Row(
            at(t),
            {
                "ego.speed": 40.0 if during(t, fast_at) else 20.0,
                "ego.brake": 90.0 if during(t, brake_at) else 0.0,
                "ego.steer": t % 7,
            },
        )
        for t in times
    ]


def frames(start_s: float, end_s: float) -> list[tuple[str, VideoFrame]]:
    """Frames of the camera `front`."""
    return [("front", frame) for frame in video(start_s, end_s)]


def frames_of(start_s: float, end_s: float, *, size: int = 2000) -> list[tuple[str, VideoFrame]]:
    """The same with frames of `size` bytes, which do not compress."""
    return [("front", frame) for frame in video(start_s, end_s, size=size)]
