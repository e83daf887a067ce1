"""The assembler on the real log, database and store: what goes in as cells comes out as clips, once."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import func, select

from ingest.log import CELLS_TOPIC
from ingest.steward.erasure import delete_objects
from storage.erasure import clips as erasure
from storage.tables import clip_fires, clips, extraction_jobs, outbox, parked_cells
from storage.tables.erasure import ErasureCause
from storage.uploads import dead_letters
from tests.ingest.assembler.world import World, drive
from triggers.contracts.clip import CELL_BYTES

pytestmark = pytest.mark.integration
SIZE = 2 * CELL_BYTES + 1000


def count(world: World, table: object) -> int:
    with world.database.begin() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_clip_whose_cells_came_is_stored_with_everything_that_belongs_to_it(world: World) -> None:
    clip = world.clip(SIZE)
    with closing(world.assembler()) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.lag() == 0 and world.upload_state(clip) == "stored")
    assert world.catalogued() == {clip.manifest.clip_id: clip.data}
    with world.database.begin() as connection:
        row = connection.execute(select(clips)).one()
        key = connection.execute(select(outbox.c.key)).scalar_one()
    assert (row.state, row.tags, row.digest) == ("stored", ["brake"], clip.manifest.digest)
    assert row.object_key == f"clips/2023/11/14/{clip.manifest.clip_id}.mcap"
    assert world.fire_outcomes() == [("catalogued", None)]
    assert (count(world, clip_fires), count(world, extraction_jobs)) == (1, 1)
    assert key == f"clip.stored:{clip.manifest.clip_id}"
    assert world.held_bytes() == SIZE


def test_order_and_repetition_of_cells_do_not_matter(world: World) -> None:
    first, second = world.clip(SIZE, seed=1), world.clip(SIZE, seed=2)
    with closing(world.assembler()) as assembler:
        for index in (2, 0, 2, 0, 1, 1):
            world.send(first, index)
            world.send(second, 2 - index)
        drive(assembler, lambda: world.lag() == 0)
        assert assembler.counts.stored == 2
    assert world.catalogued() == {clip.manifest.clip_id: clip.data for clip in (first, second)}


def test_a_replay_of_a_stored_clip_changes_nothing(world: World) -> None:
    clip = world.clip(SIZE)
    for _ in range(2):
        with closing(world.assembler()) as assembler:
            world.send(clip, *clip.indices)
            drive(assembler, lambda: world.lag() == 0)
    assert assembler.counts.stored == 0
    assert assembler.counts.ignored == {"stored": 3}
    assert count(world, clips) == count(world, outbox) == 1


def test_a_replay_of_an_erased_clip_brings_nothing_of_it_back(world: World) -> None:
    clip = world.clip(2 * CELL_BYTES)
    with closing(world.assembler()) as assembler:
        for _ in range(2):
            world.send(clip, *clip.indices)
            drive(assembler, lambda: world.upload_state(clip) == "stored" and world.lag() == 0)
            with world.database.begin() as connection:
                erasure.erase(connection, [clip.manifest.clip_id], ErasureCause.EXPIRED)
    while delete_objects(world.database, world.store):
        pass
    assert (world.catalogued(), world.store.list()) == ({}, [])
    assert world.fire_outcomes() == [("catalogued", None)]
    with world.database.begin() as connection:
        assert dead_letters.listing(connection) == []


def test_an_object_that_an_earlier_attempt_left_is_taken_over(world: World) -> None:
    clip = world.clip(SIZE)
    world.store.put(f"clips/2023/11/14/{clip.manifest.clip_id}.mcap", clip.data)
    with closing(world.assembler()) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.upload_state(clip) == "stored")
    assert world.catalogued() == {clip.manifest.clip_id: clip.data}


def test_an_object_with_other_bytes_is_not_taken_for_the_clip(world: World) -> None:
    clip = world.clip(SIZE)
    world.store.put(f"clips/2023/11/14/{clip.manifest.clip_id}.mcap", bytes(SIZE))
    with closing(world.assembler()) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.upload_state(clip) == "stored")
    assert world.catalogued() == {clip.manifest.clip_id: clip.data}


def test_a_large_clip_is_written_in_parts(world: World) -> None:
    clip = world.clip(40 * CELL_BYTES + 7)
    with closing(world.assembler(single_put_bytes=1)) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.upload_state(clip) == "stored")
    assert world.catalogued() == {clip.manifest.clip_id: clip.data}


@pytest.mark.parametrize(
    ("index", "payload", "reason", "detail"),
    [
        (1, bytes(CELL_BYTES), "cell_hash_mismatch", "cell 1 has SHA-256"),
        (1, b"short", "cell_size_mismatch", f"cell 1 has 5 bytes, the manifest says {CELL_BYTES}"),
        (7, b"more", "cell_out_of_range", "cell 7 came, but the manifest lists 3 cells"),
    ],
)
def test_a_cell_that_breaks_the_manifest_ends_in_the_dead_letters_and_frees_its_budget(
    world: World, index: int, payload: bytes, reason: str, detail: str
) -> None:
    clip = world.clip(SIZE)
    assert world.held_bytes() == SIZE
    with closing(world.assembler()) as assembler:
        world.send(clip, 0)
        world.send(clip, index, payload=payload)
        world.send(clip, 2)
        drive(assembler, lambda: world.lag() == 0 and world.upload_state(clip) == "failed")
        assert assembler.counts.failed == 1
    with world.database.begin() as connection:
        (letter,) = dead_letters.listing(connection)
    assert (letter.stage, letter.reason, letter.fires) == ("assembler", reason, 1)
    assert detail in letter.detail
    assert letter.object_key is not None
    assert world.store.get(letter.object_key) == payload
    assert world.fire_outcomes() == [("failed", reason)]
    assert world.held_bytes() == 0
    assert world.catalogued() == {}


def test_later_cells_of_a_failed_upload_are_ignored_and_counted(world: World) -> None:
    clip = world.clip(SIZE)
    with closing(world.assembler()) as assembler:
        world.send(clip, 0, payload=b"wrong")
        drive(assembler, lambda: world.upload_state(clip) == "failed" and world.lag() == 0)
        world.send(clip, 0, 1, 2)
        drive(assembler, lambda: world.lag() == 0)
        assert assembler.counts.ignored == {"failed": 3}


def test_cells_of_an_unknown_upload_are_ignored_and_counted(world: World) -> None:
    clip = world.clip(SIZE)
    clip.upload_id = "ab" * 16
    with closing(world.assembler()) as assembler:
        world.send(clip, 0, 1)
        drive(assembler, lambda: world.lag() == 0)
        assert assembler.counts.ignored == {"unknown": 2}


def test_a_record_that_is_no_cell_is_kept_once_and_blocks_nothing(world: World) -> None:
    clip = world.clip(SIZE)
    with closing(world.assembler()) as assembler:
        for _ in range(2):
            world.log.append(CELLS_TOPIC, clip.partition, [(b"key", b"garbage")])
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.upload_state(clip) == "stored" and world.lag() == 0)
    with world.database.begin() as connection:
        (letter,) = dead_letters.listing(connection)
    assert (letter.reason, letter.upload_id) == ("record_undecodable", None)
    assert letter.object_key is not None
    assert world.store.get(letter.object_key) == b"garbage"


def test_an_open_clip_holds_the_offset_back_until_it_is_parked(world: World) -> None:
    clip = world.clip(SIZE)
    now_s = 100.0
    with closing(world.assembler(monotonic_s=lambda: now_s)) as assembler:
        world.send(clip, 0, 1)
        drive(assembler, lambda: assembler.status().spooled_bytes == 2 * CELL_BYTES)
        assert world.lag() == 2
        now_s += 61
        drive(assembler, lambda: world.lag() == 0)
        assert (assembler.counts.parked, assembler.status().spooled_bytes) == (1, 0)
        assert count(world, parked_cells) == 1
        world.send(clip, 2)
        drive(assembler, lambda: world.upload_state(clip) == "stored")
    assert world.catalogued() == {clip.manifest.clip_id: clip.data}
    assert count(world, parked_cells) == 0
    assert world.store.list("staging/") == []
