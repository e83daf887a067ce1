"""Uploads whose acknowledged cells are gone from the log end with a reason, what came is charged; others stay."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from ingest.gateway.opening import open_upload
from ingest.log import CELLS_TOPIC
from ingest.steward.lost_cells import STILL_LOOKS, LostCells
from storage.database import Database
from storage.settings import Settings
from storage.tables import dead_letters, uploads
from storage.uploads.endings import CELLS_LOST
from tests.ingest.assembler.world import PARTITIONS, TERMS, SentClip, World, drive
from triggers.contracts.campaign import Network
from triggers.contracts.clip import CELL_BYTES, CreationRequest

pytestmark = pytest.mark.integration
SIZE = 3 * CELL_BYTES - 7


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.fixture
def lost_cells(world: World) -> LostCells:
    settings = Settings(database_url=world.database.url, data_dir=world.folder, log_partitions=PARTITIONS)
    return LostCells(world.database, world.log, settings)


def acknowledge(world: World, clip: SentClip, offset: int) -> None:
    """What the gateway writes when the log has all bytes before `offset`."""
    state = "received" if offset == SIZE else "open"
    with world.database.begin() as connection:
        connection.execute(
            update(uploads).where(uploads.c.id == clip.upload_id).values(offset_bytes=offset, state=state)
        )


def lose_the_log(world: World) -> None:
    with world.database.begin() as connection:
        connection.execute(text("DELETE FROM log_records"))


def read_on(world: World) -> None:
    """An assembler reads to the end of the log."""
    with closing(world.assembler()) as assembler:
        drive(assembler, lambda: world.lag() == 0 and not assembler.status().open_clips, what="the end of the log")


def reason(world: World, clip: SentClip) -> str | None:
    with world.database.begin() as connection:
        return connection.execute(select(uploads.c.reason).where(uploads.c.id == clip.upload_id)).scalar_one()


def test_a_received_clip_whose_cells_are_gone_fails_and_may_be_sent_again_and_what_came_stays_charged(
    world: World, lost_cells: LostCells
) -> None:
    clip = world.clip(SIZE)
    world.send(clip, *clip.indices)
    acknowledge(world, clip, SIZE)
    assert lost_cells.look() == 0
    lose_the_log(world)
    assert sum(lost_cells.look() for _ in range(STILL_LOOKS)) == 0, "nobody has read the log to its end yet"
    read_on(world)  # a probe lies behind what is gone
    assert lost_cells.look() == 1
    assert (world.upload_state(clip), reason(world, clip)) == ("failed", CELLS_LOST)
    assert world.held_bytes() == SIZE
    assert world.fire_outcomes() == [("failed", CELLS_LOST)]
    with world.database.begin() as connection:
        assert connection.execute(select(dead_letters.c.reason)).scalar_one() == CELLS_LOST
        request = CreationRequest(manifest=clip.manifest, network=Network.WIFI)
        again, new = open_upload(connection, request, TERMS, now=datetime.now(UTC))
    assert new
    clip.upload_id = again.id
    world.send(clip, *clip.indices)
    read_on(world)
    assert world.catalogued() == {clip.manifest.clip_id: clip.data}
    assert world.fire_outcomes() == [("catalogued", None)]
    assert world.held_bytes() == 2 * SIZE


def test_an_open_upload_whose_cells_are_gone_is_closed_so_that_its_vehicle_begins_again(
    world: World, lost_cells: LostCells
) -> None:
    clip = world.clip(SIZE)
    world.send(clip, 0, 1)
    acknowledge(world, clip, 2 * CELL_BYTES)
    lost_cells.look()
    lose_the_log(world)
    assert sum(lost_cells.look() for _ in range(STILL_LOOKS)) == 0
    read_on(world)
    assert lost_cells.look() == 1
    assert (world.upload_state(clip), reason(world, clip)) == ("expired", CELLS_LOST)
    assert world.held_bytes() == 2 * CELL_BYTES
    assert world.fire_outcomes() == []


def test_cells_that_are_unread_spooled_or_parked_are_not_lost(world: World, lost_cells: LostCells) -> None:
    clip = world.clip(SIZE)
    world.send(clip, 0, 1)
    acknowledge(world, clip, 2 * CELL_BYTES)
    assert sum(lost_cells.look() for _ in range(STILL_LOOKS)) == 0
    with closing(world.assembler()) as assembler:
        drive(assembler, lambda: assembler.status().open_clips == 1)
        assert sum(lost_cells.look() for _ in range(STILL_LOOKS)) == 0
    assert world.lag() == 0  # closing parked it
    assert sum(lost_cells.look() for _ in range(STILL_LOOKS)) == 0
    world.send(clip, 2)
    acknowledge(world, clip, SIZE)
    assert sum(lost_cells.look() for _ in range(STILL_LOOKS)) == 0
    read_on(world)
    assert lost_cells.look() == 0
    assert world.upload_state(clip) == "stored"


def test_a_deleted_topic_is_created_again(world: World, lost_cells: LostCells) -> None:
    clip = world.clip(SIZE)
    world.send(clip, *clip.indices)
    acknowledge(world, clip, SIZE)
    lost_cells.look()
    with world.database.begin() as connection:
        connection.execute(text("DELETE FROM log_records"))
        connection.execute(text("DELETE FROM log_claims"))
        connection.execute(text("DELETE FROM log_partitions"))
    lost_cells.look()
    assert world.log.partitions(CELLS_TOPIC) == PARTITIONS
    lost_cells.look()
    assert (world.upload_state(clip), reason(world, clip)) == ("failed", CELLS_LOST)
