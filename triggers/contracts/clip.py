"""The clip on its way to the cloud: its fires, its manifest, and the cells that its bytes are divided into.

A cell has `CELL_BYTES`. The manifest lists the SHA-256 of each cell, and the clip's digest is the SHA-256 of these. Any
cell can therefore be checked on its own, in any order, and no running hash has to survive a crash.
"""

from __future__ import annotations

import hashlib
import operator
from typing import Annotated, Self

from pydantic import Field, model_validator

from triggers.contracts.base import AttributeValue, Contract, Name, Sha256Hex, SignalName, VehicleId
from triggers.contracts.campaign import MAX_CAPTURE_NS, Network
from triggers.contracts.fire import NumberedFire, TimeNs

CELL_BYTES = 512 * 1024
MAX_CLIP_BYTES = 4 * 1024**3
MAX_FIRES = 1000
MAX_SIGNALS = 5000
MAX_CAMERAS = 64
MAX_MESSAGES = 50_000_000
"""How many samples and frames a reader takes from any clip's file."""
MAX_RECORDING_NS = MAX_CAPTURE_NS
MAX_SOFTWARE_TEXT = 200
"""Characters of each name and value in `software`; the gateway checks it, so that what is stored stays readable."""

_MANIFEST_BYTES = 256 * 1024
_BYTES_PER_FIRE = 768
_BYTES_PER_CELL = 72
MAX_MANIFEST_BYTES = _MANIFEST_BYTES + MAX_FIRES * _BYTES_PER_FIRE + (MAX_CLIP_BYTES // CELL_BYTES) * _BYTES_PER_CELL
"""Largest manifest of any clip, network and all; `manifest_bound` is the one of a clip."""

RecordingId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]


class Fire(NumberedFire):
    """One fire of one trigger of one campaign, and what it asks of the clip.

    `charged_bytes` is what its window adds to the clip; the charges of a clip's fires sum to the clip's size.
    """

    window_start_ns: TimeNs
    window_end_ns: TimeNs
    charged_bytes: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _window_holds_the_fire(self) -> Self:
        if not self.window_start_ns <= self.t_ns <= self.window_end_ns:
            raise ValueError("the fire's time lies outside its window")
        return self


class DriveSource(Contract):
    """The origin of a replayed clip's data: the drive's name, and the ns that were added to its own time."""

    drive: Annotated[str, Field(max_length=200)]
    offset_ns: int


class RecordingManifest(Contract):
    """The metadata in the MCAP file itself: everything except the hashes of its own bytes."""

    format: Annotated[int, Field(ge=1, le=1)] = 1
    vehicle_id: VehicleId
    recording_id: RecordingId
    start_ns: TimeNs
    end_ns: TimeNs
    fires: Annotated[tuple[Fire, ...], Field(min_length=1, max_length=MAX_FIRES)]
    signals: Annotated[tuple[SignalName, ...], Field(max_length=MAX_SIGNALS)]
    held: Annotated[tuple[SignalName, ...], Field(max_length=MAX_SIGNALS, exclude_if=operator.not_)] = ()
    """Signals whose first sample, at `start_ns`, was not measured then: it repeats their latest value before it."""
    cameras: Annotated[tuple[Name, ...], Field(max_length=MAX_CAMERAS)] = ()
    attributes: Annotated[dict[str, AttributeValue], Field(max_length=100)] = {}
    software: Annotated[dict[str, str], Field(max_length=100)] = {}
    """Digests or versions of what ran: agent, active and shadow network."""
    calibration: Annotated[dict[str, dict[str, float]], Field(max_length=MAX_CAMERAS)] = {}
    """Parameters by camera (fx, fy, cx, cy in pixels; k1.. dimensionless)."""
    clock_offset_ns: int = 0
    """Vehicle clock minus cloud clock at the latest check-in."""
    source: DriveSource | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not 0 <= self.end_ns - self.start_ns <= MAX_RECORDING_NS:
            raise ValueError("the recording's span is negative or longer than the limit")
        if len({fire.key for fire in self.fires}) != len(self.fires):
            raise ValueError("two fires have the same campaign, version and ordinal")
        if any(not self.start_ns <= fire.t_ns <= self.end_ns for fire in self.fires):
            raise ValueError("a fire lies outside the recording's span")
        return self


class ClipManifest(Contract):
    """What a vehicle sends to the gateway before a clip's bytes: the recording, the size and the cells' hashes."""

    recording: RecordingManifest
    size_bytes: Annotated[int, Field(ge=1, le=MAX_CLIP_BYTES)]
    cells: Annotated[tuple[Sha256Hex, ...], Field(min_length=1, max_length=MAX_CLIP_BYTES // CELL_BYTES)]

    @model_validator(mode="after")
    def _sizes_add_up(self) -> Self:
        if len(self.cells) != cell_count(self.size_bytes):
            raise ValueError(
                f"{self.size_bytes} bytes make {cell_count(self.size_bytes)} cells, but {len(self.cells)} are listed"
            )
        charged = sum(fire.charged_bytes for fire in self.recording.fires)
        if charged != self.size_bytes:
            raise ValueError(f"the fires are charged {charged} bytes, but the clip has {self.size_bytes}")
        return self

    @property
    def digest(self) -> str:
        """The clip's digest: SHA-256 (hex) of its cells' SHA-256 values, in order."""
        return clip_digest(self.cells)

    @property
    def clip_id(self) -> str:
        """Identity of the clip (32 hex digits): the same recording with the same bytes is the same clip."""
        return clip_id(self.recording.vehicle_id, self.recording.recording_id, self.digest)


class CreationRequest(Contract):
    """Body of `POST /v1/uploads`: the clip's manifest, and the class of the network that its bytes will travel on.

    The network belongs to the upload and not to the clip: the same clip may be announced again on another one.
    """

    manifest: ClipManifest
    network: Network


def cell_count(size_bytes: int) -> int:
    """The number of cells of a clip of `size_bytes` (the last cell may be shorter)."""
    return -(-size_bytes // CELL_BYTES)


def manifest_bound(size_bytes: int) -> int:
    """Most bytes of the creation request of a clip of `size_bytes`, whose fires are not known yet."""
    return _MANIFEST_BYTES + MAX_FIRES * _BYTES_PER_FIRE + cell_count(size_bytes) * _BYTES_PER_CELL


def cell_size(size_bytes: int, index: int) -> int:
    """The bytes in cell `index` of a clip of `size_bytes`."""
    return min(CELL_BYTES, size_bytes - index * CELL_BYTES)


def clip_digest(cells: tuple[str, ...]) -> str:
    """SHA-256 (hex) over the concatenated binary SHA-256 values of the cells."""
    return hashlib.sha256(b"".join(bytes.fromhex(cell) for cell in cells)).hexdigest()


CLIP_ID_FORM = "a clip's id has 32 characters of 0-9 and a-f; `longtail clips search` lists them"
"""What to do about an id that is none."""


def clip_id(vehicle_id: str, recording_id: str, digest: str) -> str:
    """32 hex digits of BLAKE2b over vehicle, recording and digest, joined by U+001F."""
    fields = "\x1f".join((vehicle_id, recording_id, digest)).encode()
    return hashlib.blake2b(fields, digest_size=16).hexdigest()
