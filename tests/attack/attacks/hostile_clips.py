"""Hostile clips: files that unpack to more than they are, and pictures that cost more than they show."""

from __future__ import annotations

import json
import struct
import time

import zstandard

from tests.attack.attack import Attack, Notes
from tests.attack.target import EVERYBODYS, StolenVehicle, Target
from tests.support.small_clips import creation_request, small_clip
from tests.support.waiting import wait_for
from triggers.clips.magic import MAGIC

EXTRACTED_WITHIN_S = 240.0
MESSAGES = 5_000_000
BOMB_BYTES = 1 << 30


def clips_that_unpack_to_a_gigabyte(target: Target, notes: Notes, _seconds: float) -> None:
    """A chunk of zeros: some tens of kilobytes that are a gigabyte."""
    packed = zstandard.ZstdCompressor(level=3).compress(_record(0x70, bytes(BOMB_BYTES)))
    _damaged(target, notes, lambda data: _with_chunk(data, packed, BOMB_BYTES))


def clips_of_millions_of_equal_messages(target: Target, notes: Notes, _seconds: float) -> None:
    """Twenty kilobytes of compressed messages that take minutes to read."""
    message = _record(5, struct.pack("<HIQQ", 1, 0, 0, 0) + b"\x08\x00")
    chunk = message * (MESSAGES // 20)
    packed = zstandard.ZstdCompressor(level=19).compress(chunk)

    def hostile(data: bytes) -> bytes:
        for _ in range(20):
            data = _with_chunk(data, packed, len(chunk))
        return data

    _damaged(target, notes, hostile)


def clips_that_lie_about_their_lengths(target: Target, notes: Notes, _seconds: float) -> None:
    """Lengths of records and chunks far beyond the file."""
    _damaged(target, notes, lambda data: data[:-8] + struct.pack("<BQ", 5, 2**62))
    _damaged(target, notes, lambda data: _with_chunk(data, zstandard.compress(b"x"), 2**60))


def clips_that_are_no_clips(target: Target, notes: Notes, _seconds: float) -> None:
    """Text, nothing but a beginning, and another file format."""
    for data in (b"x", MAGIC, b"PK\x03\x04" + bytes(1000)):
        _damaged(target, notes, lambda _, data=data: data)  # type: ignore[misc]


def _damaged(target: Target, notes: Notes, hostile: object) -> None:
    """Upload the hostile form of a clip, and wait until an extractor has given its judgement."""
    assert callable(hostile)
    stolen = target.steal_vehicle()
    clip_id = _uploaded(target, notes, stolen, hostile)
    state = ""

    def judged() -> bool:
        nonlocal state
        found = list(target.admin.clips.search(f"vehicle = '{stolen.vehicle_id}'"))
        state = found[0].state if found else "not catalogued"
        return state in ("ready", "damaged")

    wait_for(judged, within_s=EXTRACTED_WITHIN_S, what=f"a judgement about the hostile clip {clip_id}")
    notes.remarks.append(f"the clip is {state}")


def _uploaded(target: Target, notes: Notes, stolen: StolenVehicle, hostile: object) -> str:
    assert callable(hostile)
    ordinal = target.number()
    t_ns = time.time_ns() - ordinal * 2 * 10**9
    running = target.programs[EVERYBODYS]
    data = hostile(small_clip(running, stolen.vehicle_id, ordinal=ordinal, t_ns=t_ns))
    request = creation_request(running, stolen.vehicle_id, data, ordinal=ordinal, t_ns=t_ns)
    created = target.ask_for_upload(stolen, json.loads(request.canonical_json()), len(data))
    notes.hear(created, 201)
    notes.hear(target.send(stolen, target.located(created), data), 204)
    return request.manifest.clip_id


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<BQ", kind, len(body)) + body


def _with_chunk(data: bytes, packed: bytes, unpacked_bytes: int) -> bytes:
    """The file with one more compressed chunk at the end of its data, before the footer and the magic."""
    name = b"zstd"
    body = struct.pack("<QQQI", 0, 0, unpacked_bytes, 0) + struct.pack("<I", len(name)) + name
    chunk = _record(6, body + struct.pack("<Q", len(packed)) + packed)
    end = data.rfind(struct.pack("<BQ", 0x0F, 4))
    place = end if end >= 0 else len(data) - len(MAGIC)
    return data[:place] + chunk + data[place:]


ATTACKS = [
    Attack("fill", clips_that_unpack_to_a_gigabyte),
    Attack("fill", clips_of_millions_of_equal_messages),
    Attack("fill", clips_that_lie_about_their_lengths),
    Attack("fill", clips_that_are_no_clips, in_short=True),
]
