"""What workers write while a clip or its vehicle is erased, or have written before they were killed, goes, too."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ingest.steward import erasure
from storage.database import Database
from storage.erasure import clips as erased_clips
from storage.erasure import vehicles
from storage.objects import DirectoryStore
from storage.tables.erasure import ErasureCause
from tests.ingest.assembler.world import World, drive
from tests.storage.erasure import erasure_support as support
from tests.storage.erasure.erasure_support import keys_in

pytestmark = pytest.mark.integration


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def ask_and_erase(world: World) -> None:
    """Erase the vehicle, rows and objects, as far as it is due."""
    with world.database.begin() as connection:
        vehicles.request(connection, "car-1", reason="the owner asked", by="olga")
    work(world)


def work(world: World) -> None:
    """What the steward does until nothing is due."""
    while erasure.erase_vehicles(world.database) or erasure.delete_objects(world.database, world.store):
        pass


def let_the_hour_pass(world: World) -> None:
    with world.database.begin() as connection:
        connection.execute(text("UPDATE object_deletions SET due_at = now()"))


@pytest.mark.parametrize(
    ("payload", "written"), [(None, "clips/"), (b"the bytes of another clip", "dead-letters/uploads/")]
)
def test_what_an_assembler_writes_while_the_vehicle_is_erased(
    world: World, monkeypatch: pytest.MonkeyPatch, payload: bytes | None, written: str
) -> None:
    clip = world.clip(1000)
    put = DirectoryStore.put

    def put_late(store: DirectoryStore, key: str, data: bytes, **options: Any) -> Any:
        monkeypatch.setattr(DirectoryStore, "put", put)
        ask_and_erase(world)
        return put(store, key, data, **options)

    monkeypatch.setattr(DirectoryStore, "put", put_late)
    world.send(clip, 0, payload=payload)
    with closing(world.assembler()) as assembler:
        drive(assembler, lambda: world.lag() == 0)
    (left,) = keys_in(world.store)
    assert left.startswith(written)
    let_the_hour_pass(world)
    work(world)
    assert keys_in(world.store) == []


def test_what_an_assembler_wrote_before_it_was_killed(world: World) -> None:
    upload = world.clip(1000)
    with world.database.begin() as connection:
        pending = support.clip_writer.find_upload(connection, upload.upload_id)
    assert pending is not None
    world.store.put(pending.object_key, upload.data)
    ask_and_erase(world)
    assert keys_in(world.store) == []


def test_what_an_attempt_at_an_extraction_stored_before_it_was_killed_and_after_its_lease(world: World) -> None:
    clip_id = support.store(world.database)
    support.complete(world.database, support.claim(world.database))
    stray = erased_clips.derived_prefix(support.EXTRACTOR, clip_id) + "preview.front.mp4"
    world.store.put(stray, b"of an attempt that was killed, where the last one made no preview")
    with world.database.begin() as connection:
        erased_clips.erase(connection, [clip_id], ErasureCause.ERASED, reason="r", by="olga")
    work(world)
    assert keys_in(world.store) == []
    world.store.put(stray, b"of an attempt whose lease is over, and which is not")
    let_the_hour_pass(world)
    work(world)
    assert keys_in(world.store) == []
