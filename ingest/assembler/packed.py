"""An open clip's upload in little memory: the cells' hashes as bytes, and the recording packed until it is needed.

A manifest of 172 MB takes 43 kB as objects, and one of the largest clips 1 MB; a thousand open clips would take what
the process may have. Packed they take 11 kB and 260 kB.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Self

from storage.clips.writer import PendingUpload
from triggers.contracts.clip import ClipManifest, RecordingManifest, cell_size

_HASH_BYTES = 32
_LEVEL = 1
SMALL_CLIP_BYTES = 1024**2
FIRES_OF_SMALL_CLIP = 64
"""Clips up to both of these are stored many at a time."""


@dataclass(frozen=True, slots=True)
class CellSums:
    """Size and SHA-256 of each cell of a clip."""

    size_bytes: int
    hashes: bytes

    @classmethod
    def of(cls, manifest: ClipManifest) -> Self:
        """Those that a manifest lists."""
        return cls(manifest.size_bytes, bytes.fromhex("".join(manifest.cells)))

    def __len__(self) -> int:
        return len(self.hashes) // _HASH_BYTES

    def size_of(self, index: int) -> int:
        """The bytes in a cell."""
        return cell_size(self.size_bytes, index)

    def sha256(self, index: int) -> str:
        """The hash of a cell, in hex."""
        return self.hashes[index * _HASH_BYTES : (index + 1) * _HASH_BYTES].hex()


@dataclass(frozen=True, slots=True)
class PackedUpload:
    """A PendingUpload, without the objects of its manifest."""

    id: str
    clip_id: str
    vehicle_id: str
    state: str
    cells: CellSums
    is_small: bool
    """Whether the clip may share its transaction and its memory with others."""
    recording: bytes

    @classmethod
    def of(cls, upload: PendingUpload) -> Self:
        """The upload, packed."""
        manifest = upload.manifest
        return cls(
            upload.id,
            upload.clip_id,
            upload.vehicle_id,
            upload.state,
            CellSums.of(manifest),
            manifest.size_bytes <= SMALL_CLIP_BYTES and len(manifest.recording.fires) <= FIRES_OF_SMALL_CLIP,
            zlib.compress(manifest.recording.canonical_json(), _LEVEL),
        )

    def unpacked(self) -> PendingUpload:
        """The upload as it was; the caller keeps it no longer than it needs it."""
        what = f"the recording of upload {self.id}"
        manifest = ClipManifest(
            recording=RecordingManifest.from_json(zlib.decompress(self.recording), what=what),
            size_bytes=self.cells.size_bytes,
            cells=tuple(self.cells.sha256(index) for index in range(len(self.cells))),
        )
        return PendingUpload(self.id, self.clip_id, self.vehicle_id, self.state, manifest)
