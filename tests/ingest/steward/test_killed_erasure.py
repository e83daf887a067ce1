"""Erasure and retention that are killed anywhere, again and again, end as if nobody had killed them."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from storage.database import Database
from storage.erasure import vehicles
from storage.erasure.report import report_of
from storage.objects import ObjectStore, open_store
from storage.settings import Settings
from storage.tables import clip_assets, clips
from storage.uploads import dead_letters, vehicle_days
from tests.storage.erasure import erasure_support as support
from tests.storage.erasure.erasure_support import keys_in
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.paths import REPOSITORY
from tests.support.processes import variables_of
from triggers.contracts.erasure.report import digest_of_clip, digest_of_clips

pytestmark = pytest.mark.integration
CLIPS = 3
MAX_RUNS = 200

DIES = """
import os, random, signal, sys
from functools import partial
import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from ingest.steward import erasure
from storage.database import Database
from storage.objects import open_store
from storage.settings import Settings

erasure.vehicles.go_on = partial(erasure.vehicles.go_on, limit=1)
erasure.clips.expire = partial(erasure.clips.expire, limit=1)
erasure.objects.due = partial(erasure.objects.due, limit=3)
settings = Settings.load()

def work(steps):
    left = [steps]

    def step(*_):
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    database, store = Database.from_settings(settings), open_store(settings)
    with database.begin() as connection:  # the hour that slow workers have is over
        connection.execute(text("UPDATE object_deletions SET due_at = now()"))
    event.listen(Engine, "commit", step)
    execute, delete = psycopg.Cursor.execute, store.delete

    def executing(*arguments, **options):
        step()
        answered = execute(*arguments, **options)
        step()
        return answered

    def stepping(key):
        step()
        delete(key)
        step()

    psycopg.Cursor.execute, store.delete = executing, stepping
    more = True
    while more:
        expired, erased = erasure.expire_clips(database), erasure.erase_vehicles(database)
        more = erasure.delete_objects(database, store) or expired or erased

chance = random.Random(int(sys.argv[1]))
for kills in range(int(sys.argv[2])):
    steps = chance.randrange(120 + 10 * kills)  # a transaction that needs more must come to its end, too
    child = os.fork()
    if not child:
        work(steps)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        print(kills)
        sys.exit(0)
    if status != -signal.SIGKILL:
        sys.exit(f"a run ended with {status}")
sys.exit("it was never done")
"""


def fill(database: Database, store: ObjectStore) -> list[str]:
    """Clips of two vehicles with everything that a clip can have, one upload under way, a day, and a dead letter.

    The clip of the other vehicle is a duplicate of the first one.
    """
    with database.begin() as connection:
        add_version(connection, "braking")
        for vehicle_id in ("car-1", "car-2"):
            enroll_vehicle(connection, vehicle_id)
    ids = []
    for number in range(CLIPS):
        ids.append(support.store(database, clip_manifest(bytes([number]))))
        support.complete(database, support.claim(database))
    other = support.store(database, clip_manifest(b"of another", vehicle_id="car-2"))
    support.complete(database, support.claim(database))
    support.use(database, *ids, other)
    with database.begin() as connection:
        connection.execute(text("UPDATE clips SET duplicate_of = :of WHERE id = :id"), {"of": ids[0], "id": other})
    with database.begin() as connection:
        support.begin(connection, clip_manifest(b"under way"))
        vehicle_days.add_received(connection, {"car-1": 7}, now=datetime.now(UTC))
        dead_letters.record(
            connection, stage="gateway", reason="r", detail="d", vehicle_id="car-1", object_key="dead/a"
        )
        keys = [*connection.execute(select(clips.c.object_key)).scalars()]
        keys += connection.execute(select(clip_assets.c.object_key)).scalars()
    for key in [*keys, "dead/a"]:
        store.put(key, b"content")
    return ids


def run_killed(settings: Settings, seed: int) -> int:
    """Run the steward's duties, killed at another point each time, until a run is done; returns the number of kills."""
    command = [sys.executable, "-c", DIES, str(seed), str(MAX_RUNS)]
    variables = os.environ | variables_of(settings)
    ended = subprocess.run(command, env=variables, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def test_a_vehicle_whose_erasure_is_killed_at_random_points_is_erased_counted_once_and_reported(
    settings: Settings, database: Database
) -> None:
    store = open_store(settings)
    ids = fill(database, store)
    with database.begin() as connection:
        vehicles.request(connection, "car-1", reason="the owner asked", by="olga")
    assert run_killed(settings, 1) >= 3
    run_killed(settings, 2)
    assert support.rows_left(
        database, *support.REST, "object_deletions", "dead_letters", "erased_vehicle_clips"
    ) == dict.fromkeys(support.REST, 1)
    assert len(keys_in(store)) == 2, "the other vehicle's clip and its asset"
    with database.begin() as connection:
        told = report_of(connection, "car-1")
    assert told.clips_digest == digest_of_clips(map(digest_of_clip, ids)).hex()
    assert told.erased == {
        **dict.fromkeys(support.REST, CLIPS),
        "clip_bytes": CLIPS,
        "duplicate_marks": 1,
        "objects": 2 * CLIPS + 1,
        "uploads_under_way": 1,
        "dead_letters": 1,
        "assignments": 1,
        "vehicle_days": 1,
        "vehicles": 1,
        "backtests": 0,
    }
    assert told.unlinked["dataset_members"] == CLIPS
    with database.begin() as connection:
        assert connection.execute(select(clips.c.duplicate_of)).scalars().all() == [None]


def test_retention_that_is_killed_at_random_points_leaves_nothing_expired_and_takes_nothing_else(
    settings: Settings, database: Database
) -> None:
    store = open_store(settings)
    ids = fill(database, store)
    with database.begin() as connection:
        connection.execute(
            text("UPDATE clips SET expires_at = now() WHERE id = ANY (CAST(:ids AS text[]))"), {"ids": ids[:2]}
        )
    assert run_killed(settings, 3) >= 1
    run_killed(settings, 4)
    assert support.rows_left(database, *support.REST, "erased_clips", "object_deletions") == {
        **dict.fromkeys(support.REST, CLIPS + 1 - 2),
        "erased_clips": 2,
    }
    assert len(keys_in(store)) == 2 * (CLIPS + 1 - 2) + 1
