"""Open clips take little memory whatever their manifests have, and no more cells than are allowed stay open."""

from __future__ import annotations

import hashlib
import tracemalloc
from contextlib import closing

import pytest

from ingest.assembler import open_clips
from ingest.assembler.packed import PackedUpload
from storage.clips.writer import PendingUpload
from tests.ingest.assembler.world import World, drive
from tests.support.fleet import fire, manifest_of
from triggers.contracts.clip import CELL_BYTES, ClipManifest

CELLS = 329
"""As many as a clip of 172 MB has."""


def manifest(number: int) -> ClipManifest:
    fires = [fire("braking", 1, inclusion_probability=0.1), fire("braking", 0)]
    small = manifest_of(b"?", fires, attributes={"größe": 0.1, "n": 2**62, "on": True}, cameras=("front",))
    first, last = small.recording.fires
    charged = first.model_copy(update={"charged_bytes": CELLS * CELL_BYTES})
    return ClipManifest(
        recording=small.recording.model_copy(update={"fires": (charged, last)}),
        size_bytes=CELLS * CELL_BYTES,
        cells=tuple(hashlib.sha256(b"%d %d" % (number, index)).hexdigest() for index in range(CELLS)),
    )


def upload(number: int) -> PendingUpload:
    return PendingUpload(f"{number:032x}", "c" * 32, "car-1", "open", manifest(number))


def test_an_upload_is_unpacked_as_it_was() -> None:
    whole = upload(1)
    packed = PackedUpload.of(whole)
    assert packed.unpacked() == whole
    assert [packed.cells.sha256(index) for index in range(len(packed.cells))] == list(whole.manifest.cells)
    assert not packed.is_small


def test_a_packed_upload_takes_little_more_than_its_hashes() -> None:
    PackedUpload.of(upload(0))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        packed = [PackedUpload.of(upload(number)) for number in range(20)]
        each = (tracemalloc.get_traced_memory()[0] - before) / len(packed)
    finally:
        tracemalloc.stop()
    assert 32 * CELLS < each < 40 * CELLS + 2048, "the manifest itself takes 43 kB"


@pytest.mark.integration
def test_the_oldest_clips_are_parked_beyond_so_many_cells(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_clips, "MAX_OPEN_CELLS", 7)
    sent = [world.clip(3 * CELL_BYTES, seed=number) for number in range(3)]
    with closing(world.assembler()) as assembler:
        for clip in sent:
            world.send(clip, 0)
        drive(assembler, lambda: assembler.counts.parked == 1 and assembler.status().open_clips == 2)
        for clip in sent:
            world.send(clip, 1, 2)
        drive(assembler, lambda: len(world.catalogued()) == 3)
    assert world.catalogued() == {clip.manifest.clip_id: clip.data for clip in sent}
