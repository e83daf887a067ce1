"""Clips are MCAP files that standard tooling reads, byte for byte the same for the same input, and can be cut again."""

from __future__ import annotations

import hashlib
import math
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.reader import make_reader

from tests.triggers.vehicle.support import a_fire, at, footage, video
from triggers.clips.footage import Footage, Samples
from triggers.contracts.clip import CELL_BYTES, DriveSource, RecordingManifest
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S
from triggers.vehicle.recording.clips import FinishedClip, RecordingContext, make_clip, recut

SPAN_NS = 60 * NS_PER_S
CAR = RecordingContext(
    vehicle_id="car-1",
    max_span_ns=SPAN_NS,
    attributes={"model": "m3"},
    software={"agent": "1"},
    calibration={"front": {"fx": 900.0}, "rear": {"fx": 1.0}},
    source=DriveSource(drive="d", offset_ns=7),
)


def a_clip(directory: Path, **fire: Any) -> FinishedClip:
    directory.mkdir(exist_ok=True)
    fires = [
        a_fire(5, ordinal=1, signals=("speed",), **fire),
        a_fire(9, ordinal=1, campaign="swerve", signals=("steer",), cameras=("front",)),
        a_fire(13, ordinal=2, signals=("speed",), **fire),
    ]
    return make_clip(directory, fires, footage(0, 18, ("speed", "steer"), ("front",)), CAR)


def decoded(path: Path) -> dict[str, list[tuple[int, Any]]]:
    """Every message by topic, decoded by the schemas in the file alone."""
    messages: dict[str, list[tuple[int, Any]]] = {}
    classes: dict[int, Any] = {}
    with path.open("rb") as file:
        for schema, channel, message in make_reader(file, validate_crcs=True).iter_messages():
            assert schema is not None
            assert (schema.encoding, channel.message_encoding) == ("protobuf", "protobuf")
            if schema.id not in classes:
                pool = descriptor_pool.DescriptorPool()
                for proto in descriptor_pb2.FileDescriptorSet.FromString(schema.data).file:
                    pool.Add(proto)
                classes[schema.id] = message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name))
            messages.setdefault(channel.topic, []).append(
                (message.log_time, classes[schema.id].FromString(message.data))
            )
    return messages


def test_signals_decode_by_the_schema_in_the_file_with_infinities_and_signed_zero(tmp_path: Path) -> None:
    values = [1.5, math.inf, -math.inf, 0.0, -0.0]
    held = Footage(at(0), at(1), {"a.b": Samples.of((at(k / 10), v) for k, v in enumerate(values))}, {})
    clip = make_clip(tmp_path, [a_fire(0.5, signals=("a.b",))], held, CAR)
    messages = decoded(clip.path)["/signals/a.b"]
    assert [t for t, _ in messages] == [at(k / 10) for k in range(5)]
    assert [str(m.value) for _, m in messages] == [str(v) for v in values]


def test_cameras_decode_as_compressed_video_and_begin_with_a_keyframe(tmp_path: Path) -> None:
    messages = decoded(a_clip(tmp_path).path)["/cameras/front"]
    frames = video(0, 18)
    assert [m.data for _, m in messages] == [frame.data for frame in frames]
    first = messages[0][1]
    assert (first.format, first.frame_id) == ("h264", "front")
    assert first.timestamp.ToNanoseconds() == frames[0].t_ns


def test_the_file_carries_the_manifest_without_charges(tmp_path: Path) -> None:
    clip = a_clip(tmp_path)
    with clip.path.open("rb") as file:
        (record,) = make_reader(file).iter_metadata()
    assert record.name == "longtail.recording"
    inside = RecordingManifest.from_json(record.metadata["manifest"].encode(), what="it")
    assert record.metadata["manifest"].encode() == inside.canonical_json()
    assert all(fire.charged_bytes == 0 for fire in inside.fires)
    declared = clip.manifest.recording
    uncharged = tuple(fire.model_copy(update={"charged_bytes": 0}) for fire in declared.fires)
    assert declared.model_copy(update={"fires": uncharged}) == inside
    assert inside.calibration == {"front": {"fx": 900.0}}
    assert inside.source == CAR.source


def test_equal_input_gives_equal_bytes_and_hashes_are_those_of_the_cells(tmp_path: Path) -> None:
    first, second = a_clip(tmp_path / "a"), a_clip(tmp_path / "b")
    data = first.path.read_bytes()
    assert data == second.path.read_bytes()
    assert first.manifest == second.manifest
    cells = [data[k : k + CELL_BYTES] for k in range(0, len(data), CELL_BYTES)]
    assert first.manifest.cells == tuple(hashlib.sha256(cell).hexdigest() for cell in cells)


def test_a_large_clip_has_a_hash_for_every_cell(tmp_path: Path) -> None:
    held = Footage(at(0), at(30), {}, {"front": video(0, 30, fps=10, size=6000)})
    clip = make_clip(tmp_path, [a_fire(15, before_s=15, after_s=15, signals=(), cameras=("front",))], held, CAR)
    assert len(clip.manifest.cells) == -(-clip.path.stat().st_size // CELL_BYTES) > 3


def test_no_partial_file_is_left_when_writing_fails(tmp_path: Path) -> None:
    directory = tmp_path / "gone"
    with pytest.raises(FileNotFoundError):
        make_clip(directory, [a_fire(5)], footage(0, 10), CAR)
    directory.mkdir()
    blocked = make_clip(directory, [a_fire(5)], footage(0, 10), CAR).path
    blocked.unlink()
    blocked.mkdir()
    with pytest.raises(OSError, match="irectory"):
        make_clip(directory, [a_fire(5)], footage(0, 10), CAR)
    assert list(directory.iterdir()) == [blocked]


def test_a_clip_has_its_name_only_after_its_bytes_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut cannot be produced here, so the order of the three steps that guard against it is watched."""
    steps = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(handle: int) -> None:
        steps.append(("synced", os.fstat(handle).st_size if stat.S_ISREG(os.fstat(handle).st_mode) else "directory"))
        fsync(handle)

    def watched_replace(path: Path, target: Path) -> Path:
        steps.append(("named", path.stat().st_size))
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    size = a_clip(tmp_path).manifest.size_bytes
    assert steps == [("synced", size), ("named", size), ("synced", "directory")]


def test_cut_again_it_holds_only_what_the_remaining_fires_ask_for(tmp_path: Path) -> None:
    clip = a_clip(tmp_path)
    swerve = [fire for fire in clip.fires if fire.campaign == "swerve"]
    (part,) = recut(clip.path, swerve, SPAN_NS)
    recording = part.manifest.recording
    assert (recording.start_ns, recording.end_ns) == (at(4), at(14))
    assert (recording.signals, recording.cameras) == (("steer",), ("front",))
    assert [fire.charged_bytes for fire in recording.fires] == [part.path.stat().st_size]
    assert (recording.attributes, recording.software, recording.source) == (CAR.attributes, CAR.software, CAR.source)
    assert recording.recording_id != clip.manifest.recording.recording_id
    assert set(decoded(part.path)) == {"/signals/steer", "/cameras/front"}
    assert clip.path.exists()


def test_cut_again_fires_that_no_longer_touch_get_clips_of_their_own(tmp_path: Path) -> None:
    clip = a_clip(tmp_path, before_s=1, after_s=1)
    first, last = recut(clip.path, [fire for fire in clip.fires if fire.campaign == "braking"], SPAN_NS)
    assert (first.manifest.recording.start_ns, first.manifest.recording.end_ns) == (at(4), at(6))
    assert (last.manifest.recording.start_ns, last.manifest.recording.end_ns) == (at(12), at(14))


def test_a_damaged_file_is_not_cut_again(tmp_path: Path) -> None:
    clip = a_clip(tmp_path)
    data = bytearray(clip.path.read_bytes())
    refused = 0
    for place in range(600, len(data) - 600, 997):
        damaged = bytearray(data)
        damaged[place] ^= 0x40
        clip.path.write_bytes(damaged)
        try:
            recut(clip.path, list(clip.fires), SPAN_NS)
        except InvalidInput:
            refused += 1
    assert refused > 10
    clip.path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InvalidInput, match="no footer"):
        recut(clip.path, list(clip.fires), SPAN_NS)
