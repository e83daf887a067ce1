"""Workers are killed -9 at random points while cells come in disorder: each clip is catalogued once, byte for byte."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from ingest.steward.staging import clean_staging
from storage.tables import clip_fires, outbox, parked_cells
from tests.ingest.assembler.world import SentClip, World
from tests.support.fork_server import ForkedChild, ForkServer, fork_server
from tests.support.waiting import wait_for
from triggers.contracts.clip import CELL_BYTES

pytestmark = pytest.mark.integration
KILLS = 12
CLIPS = 16


@pytest.fixture(scope="module")
def workers() -> Iterator[ForkServer]:
    with fork_server("tests.ingest.assembler.killed_worker") as server:
        yield server


def start(workers: ForkServer, world: World, member: str) -> ForkedChild:
    """A worker that parks soon, has room for 8 cells and loses its partitions after a second of silence."""
    park_after_s, spool_bytes, lease_s = 0.2, 4 * 1024**2, 1.0
    return workers.start(world.database.url, world.folder, member, park_after_s, spool_bytes, lease_s)


def shuffled_cells(clips: list[SentClip], seed: int) -> list[tuple[SentClip, int]]:
    """Every cell of every clip, a third of them twice, in a random order."""
    cells = [(clip, index) for clip in clips for index in clip.indices]
    chance = random.Random(seed)
    cells += chance.sample(cells, len(cells) // 3)
    chance.shuffle(cells)
    return cells


def everything_is_stored(world: World, clips: list[SentClip]) -> bool:
    return len(world.catalogued()) == len(clips)


def check_once_and_whole(world: World, clips: list[SentClip]) -> None:
    assert world.catalogued() == {clip.manifest.clip_id: clip.data for clip in clips}
    with world.database.begin() as connection:
        for table in (clip_fires, outbox):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == len(clips)
    assert world.held_bytes() == sum(len(clip.data) for clip in clips)
    after = ""
    while (after := clean_staging(world.database, world.store, after=after)[1]) != "":
        pass
    assert world.store.list("staging/") == []
    with world.database.begin() as connection:
        assert connection.execute(select(func.count()).select_from(parked_cells)).scalar_one() == 0


@pytest.mark.parametrize("seed", [1])
def test_a_worker_killed_at_random_points_catalogues_each_clip_once(
    world: World, workers: ForkServer, seed: int
) -> None:
    chance = random.Random(seed)
    clips = [world.clip(chance.randint(1, 8 * CELL_BYTES), seed=number) for number in range(CLIPS)]
    cells = shuffled_cells(clips, seed)
    per_life = -(-len(cells) // KILLS)
    for life in range(KILLS):
        worker = start(workers, world, "w-0")
        for clip, index in cells[life * per_life : (life + 1) * per_life]:
            world.send(clip, index)
        threading.Event().wait(chance.uniform(0, 0.6))  # the random point at which it is killed
        worker.kill()
    worker = start(workers, world, "w-0")
    wait_for(lambda: everything_is_stored(world, clips) and world.lag() == 0, within_s=60, what="the last clip")
    worker.kill()
    check_once_and_whole(world, clips)


def test_partitions_that_wander_between_workers_lose_and_double_nothing(world: World, workers: ForkServer) -> None:
    clips = [world.clip(5 * CELL_BYTES + number, seed=number) for number in range(8)]
    cells = shuffled_cells(clips, 7)
    staying = start(workers, world, "w-0")
    for first in range(0, len(cells), 16):
        guest = start(workers, world, f"guest-{first}")
        for clip, index in cells[first : first + 16]:
            world.send(clip, index)
        wait_for(lambda: len(world.holders()) == 2, within_s=20, what="the guest's share")
        assert guest.end() == 0, "it parks, commits and leaves"
    wait_for(lambda: everything_is_stored(world, clips) and world.lag() == 0, within_s=60, what="the last clip")
    staying.kill()
    check_once_and_whole(world, clips)
