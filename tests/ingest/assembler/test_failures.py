"""A clip that fails again and again costs itself alone, and what the spool damaged comes again from the log."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from ingest.assembler.background import Background
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.failures import MAX_FAILURES, Failures
from ingest.assembler.spool import SpoolFile
from storage.clips import batch
from storage.clips import writer as clip_writer
from storage.clips.writer import Ending
from storage.uploads import dead_letters
from tests.ingest.assembler.world import SentClip, World, drive
from triggers.contracts.clip import CELL_BYTES
from triggers.errors import Unreachable

pytestmark = pytest.mark.integration
SIZE = 3 * CELL_BYTES


class Breaking:
    """Makes a function of storage/clips/writer.py fail for one upload, the first so many times; counts its calls.

    Its sibling in batch.py, which does the same for many uploads, fails whenever this one is among them.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, name: str, clip: SentClip, error: Exception, times: int
    ) -> None:
        self.calls = 0
        original = getattr(clip_writer, name)

        def breaks(connection: Any, upload: Any, **rest: Any) -> Any:
            if getattr(upload, "id", upload) != clip.upload_id:
                return original(connection, upload, **rest)
            self.calls += 1
            if self.calls <= times:
                raise error
            return original(connection, upload, **rest)

        monkeypatch.setattr(clip_writer, name, breaks)
        together = {"find_upload": "find_uploads", "store_clip": "store_clips"}.get(name)
        if together is None:
            return
        of_many = getattr(batch, together)

        def breaks_together(connection: Any, uploads: Any, **rest: Any) -> Any:
            if clip.upload_id in [getattr(upload, "id", upload) for upload in uploads]:
                raise error
            return of_many(connection, uploads, **rest)

        monkeypatch.setattr(batch, together, breaks_together)


def letters(world: World) -> list[dead_letters.DeadLetter]:
    with world.database.begin() as connection:
        return list(dead_letters.listing(connection))


@pytest.mark.parametrize("broken", ["store_clip", "find_upload"])
def test_a_clip_that_always_fails_ends_in_the_dead_letters_and_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    bad, *good = [world.clip(SIZE, seed=number) for number in range(5)]
    error = ZeroDivisionError("a mistake in the code")
    breaking = Breaking(monkeypatch, broken, bad, error, times=10**6)
    with closing(world.assembler()) as assembler:
        for clip in (bad, *good):
            world.send(clip, *clip.indices)
        drive(assembler, lambda: world.lag() == 0)
        assert (assembler.counts.stored, assembler.counts.failed) == (4, 1)
    assert breaking.calls == MAX_FAILURES
    assert world.catalogued() == {clip.manifest.clip_id: clip.data for clip in good}
    (letter,) = letters(world)
    assert (letter.stage, letter.reason) == ("assembler", "assembler_error")
    assert letter.detail == "ZeroDivisionError: a mistake in the code"
    assert (world.upload_state(bad), world.held_bytes()) == ("failed", 4 * SIZE)
    if broken == "store_clip":
        assert ("failed", "assembler_error") in world.fire_outcomes()


def test_an_error_that_passes_costs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = world.clip(SIZE)
    Breaking(monkeypatch, "store_clip", clip, RuntimeError("once"), times=MAX_FAILURES - 1)
    failures = Failures()
    with closing(world.assembler(failures=failures)) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.lag() == 0 and world.upload_state(clip) == "stored")
        assert failures.of(clip.upload_id) == 0
    assert (letters(world), world.catalogued()) == ([], {clip.manifest.clip_id: clip.data})


def test_outages_are_not_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = world.clip(SIZE)
    Breaking(monkeypatch, "store_clip", clip, Unreachable("gone"), times=2 * MAX_FAILURES + 1)
    with closing(world.assembler(background=Background("effects", first_pause_s=0.001))) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.upload_state(clip) == "stored")
    assert letters(world) == []


def test_failures_are_counted_across_the_lives_of_the_loop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, failures = world.clip(SIZE), Failures()
    breaking = Breaking(monkeypatch, "store_clip", clip, RuntimeError("always"), times=10**6)
    with closing(world.assembler(failures=failures)) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: failures.of(clip.upload_id) == 1)
    with closing(world.assembler(failures=failures)) as assembler:
        drive(assembler, lambda: world.lag() == 0)
    assert world.upload_state(clip) == "failed"
    assert breaking.calls <= MAX_FAILURES + 1  # the attempt that the first life may have begun before it ended
    assert failures.of(clip.upload_id) == 0


def test_a_clip_that_cannot_even_be_given_up_is_left_to_expire(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = world.clip(SIZE, seed=1), world.clip(SIZE, seed=2)
    Breaking(monkeypatch, "store_clip", bad, RuntimeError("always"), times=10**6)
    Breaking(monkeypatch, "fail_upload", bad, RuntimeError("always"), times=10**6)
    with closing(world.assembler()) as assembler:
        for clip in (bad, good):
            world.send(clip, *clip.indices)
        drive(assembler, lambda: world.lag() == 0)
        assert assembler.counts.stored == 1
    assert (world.upload_state(bad), world.upload_state(good)) == ("open", "stored")


def test_a_record_that_cannot_be_taken_in_is_left_out_at_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = world.clip(SIZE, seed=1), world.clip(SIZE, seed=2)
    for name in ("find_upload", "fail_unread"):
        Breaking(monkeypatch, name, bad, RuntimeError("always"), times=10**6)
    with closing(world.assembler(retry_pause_s=0.01)) as assembler:
        for clip in (bad, good):
            world.send(clip, *clip.indices)
        drive(assembler, lambda: world.lag() == 0)
    assert (world.upload_state(bad), world.upload_state(good)) == ("open", "stored")


@pytest.mark.parametrize("damage", ["other bytes", "cut short", "gone"])
def test_a_cell_that_the_spool_damaged_comes_again_from_the_log(world: World, damage: str) -> None:
    clip, other = world.clip(SIZE, seed=1), world.clip(SIZE, seed=2)
    with closing(world.assembler()) as assembler:
        world.send(clip, 0, 1)
        world.send(other, 0)
        drive(assembler, lambda: assembler.status().spooled_bytes == 3 * CELL_BYTES)
        path = world.spool_file(clip.upload_id)
        if damage == "gone":
            path.unlink()
        elif damage == "cut short":
            path.write_bytes(clip.data[: CELL_BYTES + 7])
        else:
            path.write_bytes(bytes(2 * CELL_BYTES))
        world.send(clip, 2)
        world.send(other, 1, 2)
        drive(assembler, lambda: assembler.counts.stored == 2 and world.lag() == 0)
    assert world.catalogued() == {sent.manifest.clip_id: sent.data for sent in (clip, other)}
    assert letters(world) == []


def test_damaged_cells_are_never_parked(world: World) -> None:
    clip, failures, now_s = world.clip(SIZE), Failures(), 100.0
    with closing(world.assembler(failures=failures, monotonic_s=lambda: now_s)) as assembler:
        world.send(clip, 0)
        drive(assembler, lambda: assembler.status().spooled_bytes == CELL_BYTES)
        world.spool_file(clip.upload_id).write_bytes(bytes(CELL_BYTES))
        now_s += 61  # old enough to be parked
        drive(assembler, lambda: failures.of(clip.upload_id) == 1)
        assert world.store.list("staging/") == []
        drive(assembler, lambda: assembler.status().spooled_bytes == CELL_BYTES)
        assert world.lag() == 1, "the cell is still needed"


class BesideABadDisk(ClipStore):
    """A clip store that finds the spooled cells of a clip overwritten whenever it is to store it."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database, world.store, single_put_bytes=SIZE, extractor_version=1)
        self._world = world

    def store_clip(self, upload: clip_writer.PendingUpload, spooled: SpoolFile) -> Ending:
        self._world.spool_file(upload.id).write_bytes(bytes(SIZE))
        return super().store_clip(upload, spooled)


def test_a_spool_that_always_damages_a_clip_gives_it_up(world: World) -> None:
    clip = world.clip(SIZE)
    with closing(world.assembler(clip_store=BesideABadDisk(world))) as assembler:
        world.send(clip, *clip.indices)
        drive(assembler, lambda: world.lag() == 0)
    (letter,) = letters(world)
    assert letter.reason == "assembler_error" and letter.detail.startswith("SpoolDamaged: the spool damaged a cell")
    assert world.held_bytes() == 0
