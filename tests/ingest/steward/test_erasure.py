"""Erased objects are deleted at least once, whoever is killed in between, from every object store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import select, text

from fleet_api.deployment.doctor.objects import objects_that_differ, objects_without_row
from ingest.steward import erasure
from storage.clips.writer import clip_key
from storage.database import Database
from storage.diagnosis.objects import NamedObject, sample
from storage.erasure import objects, vehicles
from storage.objects import ObjectStore, open_store
from storage.settings import Settings
from storage.tables import clip_assets, clips
from storage.tables import object_deletions as deletions
from tests.storage.erasure import erasure_support as support
from tests.storage.erasure.erasure_support import keys_in
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.paths import REPOSITORY
from tests.support.processes import variables_of
from triggers.errors import Misconfigured

pytestmark = pytest.mark.integration
CLIPS = 5


@pytest.fixture
def store(settings: Settings, database: Database) -> ObjectStore:
    """A store with the objects of clips that have expired, and of one that stays."""
    store = open_store(settings)
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "braking")
    for number in range(CLIPS):
        support.store(database, clip_manifest(bytes([number])))
        support.complete(database, support.claim(database))
    with database.begin() as connection:
        for key in [*connection.execute(select(clips.c.object_key)).scalars(), *keys_of_assets(database)]:
            store.put(key, b"content")
        connection.execute(text("UPDATE clips SET expires_at = now()"))
    kept = support.store(database, clip_manifest(b"kept"))
    support.claim(database)
    with database.begin() as connection:
        store.put(connection.execute(select(clips.c.object_key).where(clips.c.id == kept)).scalar_one(), b"kept")
    return store


def keys_of_assets(database: Database) -> list[str]:
    with database.begin() as connection:
        return list(connection.execute(select(clip_assets.c.object_key)).scalars())


def let_the_hour_pass(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE object_deletions SET due_at = now()"))


def test_objects_of_expired_clips_are_deleted_and_no_others(database: Database, store: ObjectStore) -> None:
    assert len(keys_in(store)) == 2 * CLIPS + 1
    assert erasure.expire_clips(database) is True
    assert erasure.expire_clips(database) is False
    assert len(keys_in(store)) == 2 * CLIPS + 1, "rows first"
    assert erasure.delete_objects(database, store) is True
    assert erasure.delete_objects(database, store) is False
    assert len(keys_in(store)) == 1


DIES = """
import os, signal, sys
from ingest.steward import erasure
from storage.database import Database
from storage.objects import open_store
from storage.settings import Settings

settings = Settings.load()
store = open_store(settings)
delete, left = store.delete, [int(sys.argv[1])]

def dying(key):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    delete(key)

store.delete = dying
database = Database.from_settings(settings)
erasure.expire_clips(database)
erasure.delete_objects(database, store)
"""


@pytest.mark.parametrize("deleted_before", [0, 3])
def test_a_kill_after_the_commit_leaves_no_object_for_ever(
    settings: Settings, database: Database, store: ObjectStore, deleted_before: int
) -> None:
    command = [sys.executable, "-c", DIES, str(deleted_before)]
    ended = subprocess.run(command, env=os.environ | variables_of(settings), cwd=REPOSITORY, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert support.rows_left(database, "clips") == {"clips": 1}
    assert len(keys_in(store)) == 2 * CLIPS + 1 - deleted_before
    while erasure.delete_objects(database, store):
        pass
    assert len(keys_in(store)) == 1


def refuse(store: ObjectStore, monkeypatch: pytest.MonkeyPatch, held: str) -> None:
    """Let the store refuse to delete objects with `held` in their key."""
    delete = store.delete

    def refuses(key: str) -> None:
        if held in key:
            raise Misconfigured("the object store refuses (DeleteObject: AccessDenied, a legal hold)")
        delete(key)

    monkeypatch.setattr(store, "delete", refuses)


def test_objects_that_the_store_refuses_to_delete_hold_no_other_up(
    database: Database, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("held/0", "some/free", "some/held/1", "some/other"):
        store.put(key, b"content")
    with database.begin() as connection:
        objects.add(connection, [f"held/{number}" for number in range(objects.BATCH)])
        objects.add(connection, ["some/"], is_prefix=True)
    erasure.expire_clips(database)
    refuse(store, monkeypatch, "held/")
    for more in (True, True, False):
        assert erasure.delete_objects(database, store) is more, "a whole batch is refused, and the others come next"
    assert len(keys_in(store)) == 1 + len(("held/0", "some/held/1"))
    let_the_hour_pass(database)
    monkeypatch.undo()
    while erasure.delete_objects(database, store):
        pass
    assert len(keys_in(store)) == 1


def test_a_store_that_deletes_nothing_is_told_and_nothing_waits_for_longer(
    database: Database, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    erasure.expire_clips(database)
    refuse(store, monkeypatch, "")
    monkeypatch.setattr(store, "check", lambda: store.delete("a probe"))
    with pytest.raises(Misconfigured, match="AccessDenied"):
        erasure.delete_objects(database, store)
    monkeypatch.undo()
    erasure.delete_objects(database, store)
    assert len(keys_in(store)) == 1


def test_what_a_slow_worker_still_writes_is_deleted_an_hour_later(database: Database, store: ObjectStore) -> None:
    clip_id = support.store(database, clip_manifest(b"under extraction"))
    job = support.claim(database)
    with database.begin() as connection:
        connection.execute(text("UPDATE clips SET expires_at = now() WHERE id = :clip"), {"clip": clip_id})
    erasure.expire_clips(database)
    erasure.delete_objects(database, store)
    late = [clip_key(clip_id, job.manifest.recording.start_ns), f"derived/v1/{clip_id}/signals.parquet"]
    for key in late:
        store.put(key, b"late")
    assert erasure.delete_objects(database, store) is False, "not yet"
    let_the_hour_pass(database)
    erasure.delete_objects(database, store)
    assert not set(late) & set(keys_in(store))
    assert support.rows_left(database, "object_deletions") == {}


def test_the_doctor_takes_erased_objects_for_neither_missing_nor_left_over(
    database: Database, store: ObjectStore
) -> None:
    with database.begin() as connection:
        named = sample(connection, newest=50, drawn=50)
    listed = [info.key for info in store.list("clips/")]
    erasure.expire_clips(database)
    assert objects_without_row(store, database, listed) == [], "they are about to be deleted"
    erasure.delete_objects(database, store)
    content = [each for each in named if each.key.startswith("clips/")]
    assert objects_that_differ(store, database, [NamedObject(each.key, None) for each in content]) == []
    with database.begin() as connection:
        connection.execute(deletions.delete())
    assert objects_without_row(store, database, listed) == [], "they are gone"
    store.put("clips/nobody.mcap", b"left over")
    assert objects_without_row(store, database, keys_in(store)) == ["clips/nobody.mcap"]


def test_a_vehicle_is_erased_with_its_objects_round_by_round(database: Database, store: ObjectStore) -> None:
    with database.begin() as connection:
        assert vehicles.request(connection, "car-1", reason="r", by="olga").clips == CLIPS + 1
    while erasure.erase_vehicles(database):
        pass
    while erasure.delete_objects(database, store):
        pass
    assert keys_in(store) == []
    assert support.rows_left(database, "clips") == {}
