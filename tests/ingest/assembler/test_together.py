"""Small clips are stored many at a time, with the same rows as alone; one that cannot be stored costs no other."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import func, select

from storage.clips import batch
from storage.tables import clip_fires, clips, extraction_jobs, fires, ledger_entries, outbox, uploads
from tests.ingest.assembler.world import SentClip, World, drive, random_bytes
from tests.support.fleet import T_NS, enroll_vehicle, fire, manifest_of

pytestmark = pytest.mark.integration
CLIPS = 40
SIZE = 7000


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches in which clips were stored."""
    sizes: list[int] = []
    original = batch.store_clips

    def counted(connection, some, **rest):  # type: ignore[no-untyped-def]
        endings = original(connection, some, **rest)
        sizes.append(len(some))
        return endings

    monkeypatch.setattr(batch, "store_clips", counted)
    return sizes


def send_all(world: World, sent: list[SentClip]) -> None:
    for clip in sent:
        world.send(clip, *clip.indices)


def count(world: World, table, *where) -> int:  # type: ignore[no-untyped-def]
    with world.database.begin() as connection:
        return connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()


def test_many_small_clips_are_stored_together_with_everything_that_belongs_to_them(
    world: World, batches: list[int]
) -> None:
    sent = [world.clip(SIZE, seed=number) for number in range(CLIPS)]
    with closing(world.assembler()) as assembler:
        send_all(world, sent)
        drive(assembler, lambda: world.lag() == 0 and assembler.counts.stored == CLIPS)
    assert max(batches) > 1
    assert world.catalogued() == {clip.manifest.clip_id: clip.data for clip in sent}
    for table in (clips, fires, clip_fires, extraction_jobs, outbox):
        assert count(world, table) == CLIPS
    assert count(world, uploads, uploads.c.state == "stored", uploads.c.closed_at.is_not(None)) == CLIPS
    reserved = count(world, ledger_entries, ledger_entries.c.kind == "reserve")
    assert count(world, ledger_entries, ledger_entries.c.kind == "settle") == reserved
    assert world.held_bytes() == CLIPS * SIZE


def test_a_clip_whose_fire_is_reused_fails_alone_and_a_shared_fire_stays_one(world: World, batches: list[int]) -> None:
    shared = fire("braking", SIZE)
    reused = fire("braking", SIZE, ordinal=shared.ordinal, t_ns=T_NS + 1, window_end_ns=T_NS + 1)
    manifests = [manifest_of(random_bytes(SIZE, n), [shared]) for n in (0, 1)]
    bad = world.clip(SIZE, seed=2, manifest=manifest_of(random_bytes(SIZE, 2), [reused]))
    same = [world.clip(SIZE, seed=number, manifest=manifest) for number, manifest in enumerate(manifests)]
    others = [world.clip(SIZE, seed=10 + number) for number in range(CLIPS)]
    with closing(world.assembler()) as assembler:
        send_all(world, [*same, *others])
        drive(assembler, lambda: assembler.counts.stored == CLIPS + 2)
        more = [world.clip(SIZE, seed=100 + number) for number in range(CLIPS)]
        send_all(world, [bad, *more])
        drive(assembler, lambda: world.lag() == 0)
        assert (assembler.counts.stored, assembler.counts.failed) == (2 * CLIPS + 2, 1)
    assert world.upload_state(bad) == "failed"
    assert count(world, fires, fires.c.ordinal == shared.ordinal) == 1
    assert count(world, clip_fires, clip_fires.c.ordinal == shared.ordinal) == 2


def test_clips_that_were_stored_before_are_not_stored_again(world: World, batches: list[int]) -> None:
    sent = [world.clip(SIZE, seed=number) for number in range(CLIPS)]
    with closing(world.assembler()) as assembler:
        send_all(world, sent)
        drive(assembler, lambda: assembler.counts.stored == CLIPS)
    send_all(world, sent)
    with closing(world.assembler("w-1")) as assembler:
        drive(assembler, lambda: world.lag() == 0, what="the end of the log")
        assert assembler.counts.stored == 0
    assert count(world, clips) == count(world, outbox) == CLIPS


def test_vehicles_in_one_batch_keep_their_own_fires(world: World, batches: list[int]) -> None:
    with world.database.begin() as connection:
        enroll_vehicle(connection, "car-2")
    one = fire("braking", SIZE)
    other = fire("braking", SIZE, ordinal=one.ordinal, t_ns=T_NS + 5, window_end_ns=T_NS + 5)
    pair = [
        world.clip(SIZE, seed=0, manifest=manifest_of(random_bytes(SIZE, 0), [one])),
        world.clip(SIZE, seed=1, manifest=manifest_of(random_bytes(SIZE, 1), [other], vehicle_id="car-2")),
    ]
    more = [world.clip(SIZE, seed=10 + number) for number in range(CLIPS)]
    with closing(world.assembler()) as assembler:
        send_all(world, [*pair, *more])
        drive(assembler, lambda: world.lag() == 0)
        assert (assembler.counts.stored, assembler.counts.failed) == (CLIPS + 2, 0)
    assert count(world, fires, fires.c.ordinal == one.ordinal) == 2
