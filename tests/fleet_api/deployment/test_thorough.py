"""The thorough examination of one clip: its bytes are read once, whatever becomes of the clip meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_api.deployment.doctor.thorough import clip_differs
from storage.clips.writer import clip_key
from storage.diagnosis.objects import StoredClip
from storage.objects.contract import ObjectUnreadable
from storage.objects.directory.store import DirectoryStore
from tests.support.fleet import clip_manifest
from triggers.contracts.clip import CELL_BYTES

DATA = bytes(range(256)) * (CELL_BYTES // 256) + b"the last cell"


class ErasedOnceRead(DirectoryStore):
    """A store whose objects are erased after somebody has read them to the end."""

    def stream(self, key: str, *, chunk_bytes: int = 1024**2) -> Iterator[bytes]:
        yield from super().stream(key, chunk_bytes=chunk_bytes)
        self.delete(key)


class Unreadable(DirectoryStore):
    """A store that has every object, and can read none."""

    def stream(self, key: str, *, chunk_bytes: int = 1024**2) -> Iterator[bytes]:
        raise ObjectUnreadable("it is archived", remedy="restore it")


@pytest.fixture
def clip() -> StoredClip:
    manifest = clip_manifest(DATA)
    key = clip_key(manifest.clip_id, manifest.recording.start_ns)
    return StoredClip(manifest.clip_id, "upload", "car-1", key, len(DATA), manifest.digest, manifest)


def test_a_clip_that_is_erased_after_it_was_read_has_the_bytes_of_its_manifest(
    clip: StoredClip, tmp_path: Path
) -> None:
    store = ErasedOnceRead(tmp_path, public_url="http://127.0.0.1")
    store.put(clip.key, DATA)
    assert clip_differs(store, clip) is None
    assert clip_differs(store, clip) == f"{clip.key} is missing"


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (DATA[:CELL_BYTES], f" has {CELL_BYTES} of {len(DATA)} bytes"),
        (DATA[:-1], ": cell 1 is not the one of its manifest"),
        (DATA + bytes(CELL_BYTES), ": cell 1 is not the one of its manifest"),
        (b"", f" has 0 of {len(DATA)} bytes"),
    ],
)
def test_a_clip_of_other_bytes_says_which(clip: StoredClip, tmp_path: Path, data: bytes, wrong: str) -> None:
    store = DirectoryStore(tmp_path, public_url="http://127.0.0.1")
    store.put(clip.key, data)
    assert clip_differs(store, clip) == f"{clip.key}{wrong}"


def test_a_clip_that_cannot_be_read_is_named_with_the_reason_and_the_remedy(clip: StoredClip, tmp_path: Path) -> None:
    store = Unreadable(tmp_path, public_url="http://127.0.0.1")
    assert clip_differs(store, clip) == f"{clip.key} cannot be read: it is archived; restore it"
