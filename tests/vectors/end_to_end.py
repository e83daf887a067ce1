"""The vector of a whole vehicle: what it is sent and measures, and the check-ins, clips and counts that it must give.

The agent of the product makes the expected files, without a network: its requests are answered here and kept.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.recordings import Event, Line, to_csv
from triggers.clips.footage import Footage, VideoFrame
from triggers.clips.messages.objects import decode_objects
from triggers.clips.reader import read_clip
from triggers.contracts import signing
from triggers.contracts.base import canonical_json
from triggers.contracts.bundle import make_bundle, seal_bundle
from triggers.contracts.checkin import Assignment, AssignmentList
from triggers.contracts.clip import CreationRequest
from triggers.language.compile import compile_source
from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import ObjectSample
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig

NAME = "end_to_end"
VEHICLE = "car-7"
START_NS = 1_790_000_000_000_000_000
STEP_NS = 100_000_000
ROWS = 600
CATALOG = """
max_gap: 2.0
signals:
  ego.speed: {unit: m/s, rate: 10}
  ego.brake: {unit: "%", rate: 10}
  ego.wipers: {type: bool, update: on_change}
objects:
  tracked:
    max: 2
    rate: 10
    key: id
    fields:
      kind: {type: text, values: [car, pedestrian]}
      id: {type: id}
      x: {unit: m}
cameras: [front]
"""
SOURCE = """
trigger hard_brake {
    when ego.brake > 50 %
    cooldown 4 s
    capture 3 s before, 2 s after { signals ego.brake, ego.speed, ego.wipers }
}
trigger standstill {
    when ego.speed < 0.5 m/s for 1 s
    capture 1 s before, 3 s after { signals ego.speed cameras front }
}
trigger too_close {
    when any(o in tracked where o.x < 5 m for 300 ms)
    capture 1 s before, 1 s after { signals ego.speed, tracked }
    sample 1 in 1
}
campaign end_to_end {
    collect hard_brake, standstill, too_close
    sample 1 in 2
    budget 10 MB per vehicle per day, 1 GB total
    upload on wifi, up to 2 MB on cellular
    priority 60
}
"""
CAR, PEDESTRIAN = 7, 2**63 - 1
"""The keys of the two objects: the second one is another number in a float64."""
IDR = b"\x00\x00\x00\x01\x67\x42\x00\x0a\x00\x00\x00\x01\x68\xce\x00\x00\x00\x01\x65"
SLICE = b"\x00\x00\x00\x01\x41"


class StillClock:
    """A clock that stands at the start of the drive."""

    def now_ns(self) -> int:
        return START_NS

    def monotonic_ns(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing waits here, but {seconds} s were asked for")


class Answers:
    """Answers the agent's requests as the cloud would, and keeps what it sent."""

    def __init__(self, sealed_list: bytes, sealed_bundle: bytes) -> None:
        self._list, self._bundle = sealed_list, sealed_bundle
        self.check_ins: list[bytes] = []
        self.creations: list[dict[str, Any]] = []
        self.clips: list[bytes] = []
        self.counts: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        if request.url.path.endswith("/check-in"):
            self.check_ins.append(body)
            return _reply(self._list) if len(self.check_ins) == 1 else _reply(status=304)
        if request.url.path.endswith("/telemetry"):
            self.counts.append(body)
            return _reply(status=204)
        if request.url.path.startswith("/v1/bundles/"):
            return _reply(self._bundle)
        if request.method == "POST":
            self.creations.append(json.loads(body))
            return _reply(status=201, headers={"Location": f"/v1/uploads/{len(self.creations)}"})
        self.clips.append(body)
        return _reply(status=204, headers={"Upload-Offset": str(len(body))})


def _reply(body: bytes = b"", status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


def files() -> dict[str, bytes]:
    """Every file of the folder, by name."""
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(NAME.encode()).digest())
    sealed_list, sealed_bundle = _sealed(key)
    answers = Answers(sealed_list, sealed_bundle)
    with tempfile.TemporaryDirectory() as folder:
        config = VehicleConfig(
            vehicle_id=VEHICLE,
            token="lt_token",
            api_url="https://cloud",
            gateway_url="https://cloud",
            trusted_keys=(key.public_key().public_bytes_raw(),),
            state_directory=Path(folder),
            attributes={"region": "EU", "hardware": 4},
            software={"agent": "1.0"},
            calibration={"front": {"fx": 1000.5, "fy": 1000.5}},
        )
        _drive(config, answers)
    vehicle = {
        "vehicle_id": VEHICLE,
        "now_ns": START_NS,
        "public_keys": [base64.b64encode(config.trusted_keys[0]).decode()],
        "network": "wifi",
        "attributes": dict(config.attributes),
        "software": dict(config.software),
        "calibration": {name: dict(values) for name, values in config.calibration.items()},
    }
    made = {f"clip-{number}.mcap": data for number, data in enumerate(answers.clips, start=1)}
    made |= {
        f"clip-{number}.csv": _content(data, body)
        for number, (data, body) in enumerate(zip(answers.clips, answers.creations, strict=True), start=1)
    }
    made |= {
        f"creation-{number}.json": canonical_json(body) + b"\n"
        for number, body in enumerate(answers.creations, start=1)
    }
    return {
        "program.trigger": SOURCE.encode(),
        "signals.yaml": CATALOG.encode(),
        "vehicle.json": json.dumps(vehicle, indent=2).encode() + b"\n",
        "list.bin": sealed_list,
        "bundle.bin": sealed_bundle,
        "rows.csv": to_csv([Line(Event.ROW, row.t_ns, row.samples, row.objects) for row in _rows()]).encode(),
        "frames.csv": _frames_csv(),
        "check-in-1.json": answers.check_ins[0] + b"\n",
        "check-in-2.json": answers.check_ins[1] + b"\n",
        "telemetry.json": answers.counts[-1] + b"\n",
        **made,
    }


def _sealed(key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    compilation = compile_source(
        SOURCE, filename="program.trigger", catalog=SignalCatalog.parse(CATALOG, name="signals.yaml")
    )
    (campaign,) = compilation.campaigns.values()
    bundle = seal_bundle(make_bundle(campaign.settings, 3, campaign.program), key)
    listed = AssignmentList(
        vehicle_id=VEHICLE,
        revision=12,
        issued_at_ns=START_NS,
        expires_at_ns=START_NS + 7 * 86_400 * 10**9,
        assignments=(Assignment(campaign=NAME, version=3, bundle_digest=hashlib.sha256(bundle).hexdigest()),),
    )
    return signing.seal(listed.canonical_json(), purpose=signing.ASSIGNMENTS, key=key), bundle


def _drive(config: VehicleConfig, answers: Answers) -> None:
    agent = VehicleAgent(config, clock=StillClock(), transport=httpx.MockTransport(answers))
    agent.check_in()
    agent.check_in()
    agent.feed(_rows(), [("front", frame) for frame in _frames()])
    agent.finish_drive()
    agent.upload_pending()
    agent.report()
    agent.close()


def _rows() -> list[Row]:
    """A minute at 10 Hz: braking now and then, standing three times, wipers from 9.5 s."""
    rows = []
    for index in range(ROWS):
        at_s = index / 10
        braking = any(begin <= at_s < begin + 0.8 for begin in (10, 12, 18, 23.5, 30, 34.5, 39, 52))
        standing = 19 <= at_s < 22 or 30.5 <= at_s < 33 or at_s >= 45
        samples = {"ego.brake": 80.25 if braking else 0.0, "ego.speed": 0.0 if standing else 20.0 - at_s / 7}
        if index in (0, 95):
            samples["ego.wipers"] = float(index == 95)
        if index == 101:
            samples["ego.speed"] = float("inf")
        tracked = _tracked(index)
        rows.append(Row(START_NS + index * STEP_NS, samples, {} if tracked is None else {"tracked": tracked}))
    return rows


def _tracked(index: int) -> ObjectSample | None:
    """The objects of a row: a car that comes near at 3 s and at 10 s, and a pedestrian who does at 24 s.

    Some rows have no sample, some samples no objects; a distance is null and one is invalid, and the order varies.
    """
    at_s = index / 10
    if (index % 2 and index < 20) or index in (33, 110):
        return None
    if 4 <= at_s < 4.2:
        return ObjectSample((), ())
    car = 4.5 if 3 <= at_s < 4 or 10.2 <= at_s < 11 else 30.0 - index / 32
    pedestrian = 3.25 if 24 <= at_s < 24.6 else float("inf") if index == 31 else 12.5
    objects = {CAR: (0.0, car), PEDESTRIAN: (1.0, float("nan") if index == 32 else pedestrian)}
    keys = (CAR,) if at_s >= 40 else (PEDESTRIAN, CAR) if index % 3 else (CAR, PEDESTRIAN)
    return ObjectSample(keys, tuple(objects[key] for key in keys))


def _content(clip: bytes, creation: dict[str, Any]) -> bytes:
    """What the cloud reads from a clip: its samples, written as those of the drive are."""
    manifest = CreationRequest.from_json(canonical_json(creation), what="the creation").manifest
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mcap"
        path.write_bytes(clip)
        read = read_clip(path, manifest.recording)
    assert read.remarks == ()
    return to_csv(_lines(read.footage)).encode()


def _lines(footage: Footage) -> list[Line]:
    samples: dict[int, dict[str, float]] = {}
    objects: dict[int, dict[str, ObjectSample]] = {}
    for name, of_signal in footage.signals.items():
        for t_ns, value in zip(*of_signal, strict=True):
            samples.setdefault(t_ns, {})[name] = value
    for name, of_list in footage.objects.items():
        for t_ns, message in zip(of_list.times_ns, of_list.messages, strict=True):
            keys, values = decode_objects(message, len(of_list.names) - 1)
            told = ObjectSample(tuple(keys.tolist()), tuple(map(tuple, values.T.tolist())))
            objects.setdefault(t_ns, {})[name] = told
    times = sorted({*samples, *objects})
    return [Line(Event.ROW, t_ns, samples.get(t_ns, {}), objects.get(t_ns, {})) for t_ns in times]


def _frames() -> list[VideoFrame]:
    """The camera at 5 Hz, a keyframe each two seconds; frames lie between rows."""
    drawn = random.Random(7)
    frames = []
    for index in range(ROWS // 2 - 1):
        keyframe = index % 10 == 0
        data = (IDR if keyframe else SLICE) + drawn.randbytes(40).replace(b"\x00", b"\x11")
        frames.append(VideoFrame(START_NS + index * 2 * STEP_NS + 7_000_000, keyframe, data))
    return frames


def _frames_csv() -> bytes:
    lines = [["camera", "t_ns", "keyframe", "base64"]]
    lines += [
        ["front", str(frame.t_ns), str(int(frame.keyframe)), base64.b64encode(frame.data).decode()]
        for frame in _frames()
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()
