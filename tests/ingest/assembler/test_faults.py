"""Outages, full spools and other workers: the assembler waits or makes room, and nothing is lost."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from sqlalchemy import func, select

from ingest.assembler.spool import Spool
from ingest.assembler.status import AssemblerStatus
from ingest.readiness import Readiness
from ingest.steward.staging import clean_staging
from storage.clips import writer as clip_writer
from storage.tables import clips, parked_cells
from storage.uploads import dead_letters, endings
from tests.ingest.assembler.world import LEASE_S, World, drive
from tests.support.small_disk import fill, small_disk
from tests.support.waiting import wait_for
from triggers.contracts.clip import CELL_BYTES
from triggers.errors import Misconfigured

pytestmark = pytest.mark.integration
SIZE = 3 * CELL_BYTES
MIB = 1024**2


def parked_parts(world: World) -> int:
    with world.database.begin() as connection:
        return int(connection.execute(select(func.count()).select_from(parked_cells)).scalar_one())


def test_a_parked_clip_is_finished_by_another_worker(world: World) -> None:
    clip = world.clip(SIZE)
    with closing(world.assembler("w-0")) as assembler:
        world.send(clip, 2, 0)
        drive(assembler, lambda: assembler.status().spooled_bytes == 2 * CELL_BYTES)
    assert (world.lag(), parked_parts(world)) == (0, 1), "leaving the group parks what is open"
    with closing(world.assembler("w-1")) as assembler:
        world.send(clip, 1)
        drive(assembler, lambda: world.upload_state(clip) == "stored")
    assert world.catalogued() == {clip.manifest.clip_id: clip.data}
    assert world.store.list("staging/") == []


def test_a_repeated_parked_cell_is_not_spooled_again(world: World) -> None:
    clip = world.clip(SIZE)
    with closing(world.assembler()) as assembler:
        world.send(clip, 0)
        drive(assembler, lambda: assembler.status().spooled_bytes > 0)
    with closing(world.assembler()) as assembler:
        world.send(clip, 0)
        drive(assembler, lambda: world.lag() == 0)
        assert (assembler.counts.duplicates, assembler.status()) == (1, AssemblerStatus(0, 0))


def test_more_open_clips_than_the_spool_holds_are_parked_and_finished(world: World) -> None:
    many = [world.clip(6 * CELL_BYTES, seed=number) for number in range(6)]
    highest = 0
    with closing(world.assembler(spool_bytes=4 * MIB)) as assembler:
        for index in range(6):
            for clip in many:
                world.send(clip, index)

        def all_stored() -> bool:
            nonlocal highest
            highest = max(highest, assembler.status().spooled_bytes)
            return len(world.catalogued()) == len(many)

        drive(assembler, all_stored)
        assert assembler.counts.parked > 0
    assert 0 < highest <= 4 * MIB
    assert world.catalogued() == {clip.manifest.clip_id: clip.data for clip in many}


def test_a_clip_larger_than_the_spool_is_stored(world: World) -> None:
    clip = world.clip(20 * CELL_BYTES)
    with closing(world.assembler(spool_bytes=4 * MIB)) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.upload_state(clip) == "stored")
    assert world.catalogued() == {clip.manifest.clip_id: clip.data}


def test_a_spool_whose_disk_was_full_goes_on_by_itself_once_there_is_room(world: World) -> None:
    clips = [world.clip(SIZE, seed=number) for number in range(2)]
    stop = threading.Event()
    part = Readiness().part("assembler")
    with small_disk(world.folder / "spool", mib=4) as disk:
        assembler = world.assembler(retry_pause_s=0.05)
        filler = fill(disk, leave_bytes=CELL_BYTES + 64 * 1024)
        thread = threading.Thread(target=assembler.run, args=(stop, part))
        thread.start()
        try:
            for clip in clips:
                world.send(clip, *clip.indices)
            wait_for(lambda: assembler.status().spooled_bytes > 0, within_s=20, what="the cell that fits")
            wait_for(lambda: "No space left" in (part.problem() or ""), within_s=20, what="the disk to be full")
            assert world.catalogued() == {}
            filler.unlink()
            wait_for(lambda: len(world.catalogued()) == 2, within_s=30, what="both clips")
            assert world.catalogued() == {clip.manifest.clip_id: clip.data for clip in clips}
            wait_for(lambda: part.problem() is None, within_s=20, what="readiness")
            assert assembler.counts.failed == 0
        finally:
            stop.set()
            thread.join(60)


def test_a_store_that_is_away_longer_than_the_lease_stops_nothing_for_good(world: World) -> None:
    first, second = world.clip(SIZE, seed=1), world.clip(SIZE, seed=2)
    data, away = world.store.root / "data", world.store.root / "away"
    stop = threading.Event()
    assembler = world.assembler()
    thread = threading.Thread(target=assembler.run, args=(stop,))
    data.rename(away)
    thread.start()
    try:
        world.send(first, *first.indices)
        stop.wait(1.5 * LEASE_S)  # polling must go on meanwhile, or the partitions would be taken away
        assert world.upload_state(first) == "open"
        away.rename(data)
        world.send(second, *second.indices)
        wait_for(lambda: len(world.catalogued()) == 2, within_s=30, what="both clips")
        wait_for(lambda: world.lag() == 0, within_s=10, what="the commit")
    finally:
        stop.set()
        thread.join()
    assert world.catalogued() == {clip.manifest.clip_id: clip.data for clip in (first, second)}


def test_a_lost_staging_object_ends_in_the_dead_letters(world: World) -> None:
    clip = world.clip(SIZE)
    with closing(world.assembler()) as assembler:
        world.send(clip, 0)
        drive(assembler, lambda: assembler.status().spooled_bytes > 0)
    (info,) = world.store.list("staging/")
    world.store.put(info.key, bytes(CELL_BYTES))
    with closing(world.assembler()) as assembler:
        world.send(clip, 1, 2)
        drive(assembler, lambda: world.upload_state(clip) == "failed" and world.lag() == 0)
    with world.database.begin() as connection:
        (letter,) = dead_letters.listing(connection)
    assert letter.reason == "staging_lost"
    assert info.key in letter.detail
    assert world.held_bytes() == 0
    assert world.store.list("staging/") == []


def test_two_workers_that_finish_the_same_clip_agree(world: World) -> None:
    clip = world.clip(SIZE)
    world.store.put(f"clips/2023/11/14/{clip.manifest.clip_id}.mcap", clip.data)
    results = []
    barrier = threading.Barrier(2)

    def finish() -> None:
        with world.database.begin() as connection:
            upload = clip_writer.find_upload(connection, clip.upload_id)
        assert upload is not None
        barrier.wait()
        with world.database.begin() as connection:
            results.append(clip_writer.store_clip(connection, upload, extractor_version=1))

    threads = [threading.Thread(target=finish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.won for result in results) == [False, True]
    assert {result.state for result in results} == {"stored"}
    with world.database.begin() as connection:
        assert connection.execute(select(func.count()).select_from(clips)).scalar_one() == 1


def test_an_upload_that_expired_meanwhile_is_not_catalogued(world: World) -> None:
    clip = world.clip(SIZE)
    with closing(world.assembler()) as assembler:
        world.send(clip, 0, 1)
        drive(assembler, lambda: assembler.status().spooled_bytes > 0)
        with world.database.begin() as connection:
            from datetime import UTC, datetime, timedelta

            assert endings.expire(connection, now=datetime.now(UTC) + timedelta(days=30)) == 1
        world.send(clip, 2)
        drive(assembler, lambda: world.lag() == 0)
        assert assembler.counts.stored == 0
    assert (world.catalogued(), world.held_bytes()) == ({}, 0)


def test_the_janitor_removes_what_closed_uploads_left_and_nothing_else(world: World) -> None:
    open_clip, closed_clip = world.clip(SIZE, seed=1), world.clip(SIZE, seed=2)
    with closing(world.assembler()) as assembler:
        world.send(open_clip, 0)
        world.send(closed_clip, 0)
        drive(assembler, lambda: assembler.status().spooled_bytes == 2 * CELL_BYTES)
    world.store.put("staging/" + "ab" * 16 + "/nobody", b"orphan")
    with world.database.begin() as connection:
        endings.fail(connection, closed_clip.upload_id, "given_up")
    assert clean_staging(world.database, world.store) == (2, "")
    (left,) = world.store.list("staging/")
    assert open_clip.upload_id in left.key
    assert parked_parts(world) == 1


def test_a_spool_is_used_by_one_worker_at_a_time(world: World) -> None:
    folder = world.folder / "spool" / "w-9"
    with closing(Spool(folder, limit_bytes=4 * MIB)), pytest.raises(Misconfigured, match="LONGTAIL_WORKER_ID"):
        Spool(folder, limit_bytes=4 * MIB)
    Spool(folder, limit_bytes=4 * MIB).close()


def test_what_an_earlier_process_spooled_is_discarded(world: World) -> None:
    folder = world.folder / "spool" / "w-9"
    with closing(Spool(folder, limit_bytes=4 * MIB)) as spool:
        spool.new_file("upload").write(0, b"cell")
    with closing(Spool(folder, limit_bytes=4 * MIB)) as spool:
        assert list(folder.iterdir()) == []
        assert spool.used_bytes == 0
