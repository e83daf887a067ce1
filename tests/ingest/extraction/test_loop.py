"""Extraction jobs on a real database and store: claimed, fenced, counted, concluded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from ingest.extraction.loop import ExtractionLoop
from ingest.steward import events
from storage import outbox
from storage.clips import extraction_jobs, extraction_results
from storage.clips.extraction_results import Findings
from storage.database import Database
from storage.settings import Settings
from storage.tables import (
    campaign_versions,
    clip_assets,
    clips,
    dead_letters,
    label_jobs,
    signal_statistics,
)
from storage.tables import extraction_jobs as jobs_table
from tests.ingest.assembler.world import World, drive
from tests.ingest.extraction import footage
from tests.support.paths import REPOSITORY
from tests.support.waiting import wait_for
from triggers.errors import LeaseLost, Unreachable

pytestmark = pytest.mark.integration
NEVER = threading.Event()


@pytest.fixture
def world(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    world = World(database, tmp_path)
    with database.begin() as connection:
        connection.execute(update(campaign_versions).values(signal_catalog=footage.CATALOG))
    return world


@pytest.fixture
def stored(world: World) -> Callable[..., str]:
    """Store a clip, a sound one or the given bytes; returns its id."""

    def store(data: bytes | None = None) -> str:
        manifest = footage.recording()
        data = footage.clip_bytes(manifest, footage.footage()) if data is None else data
        clip = world.clip(len(data), manifest=footage.announced(manifest, data))
        clip.data = data
        with closing(world.assembler()) as assembler:
            world.send(clip, *clip.indices)
            drive(assembler, lambda: world.upload_state(clip) == "stored" and world.lag() == 0)
        return clip.manifest.clip_id

    return store


def loop(world: World, worker: str = "x-0", **changes: Any) -> ExtractionLoop:
    settings = Settings(data_dir=world.folder, extraction_memory_bytes=1024**3, **changes)
    return ExtractionLoop(settings, world.database, world.store, worker=worker, retry_s=0, outage_s=0)


def row(world: World, table: Any) -> Any:
    with world.database.begin() as connection:
        return connection.execute(select(table)).one()


def test_a_stored_clip_becomes_ready_with_its_assets_and_a_label_job(world: World, stored: Callable[..., str]) -> None:
    clip_id = stored()
    assert loop(world).work_once(NEVER)
    clip = row(world, clips)
    assert (clip.state, clip.damage, clip.extractor_version) == ("ready", None, 1)
    assert clip.track == [[48.0, 11.0], [48.001, 11.0]]
    assert (clip.min_latitude, clip.max_latitude, clip.min_longitude) == (48.0, 48.001, 11.0)
    with world.database.begin() as connection:
        assets = {asset.name: asset for asset in connection.execute(select(clip_assets))}
        signals = set(connection.execute(select(signal_statistics.c.signal)).scalars())
        while events.dispatch(connection):
            pass
        assert outbox.unsent(connection) == 0
    assert sorted(assets) == ["preview", "signals", "thumbnail"]
    assert assets["signals"].object_key == f"derived/v1/{clip_id}/signals.parquet"
    assert world.store.stat(assets["preview"].object_key).size_bytes == assets["preview"].size_bytes > 0
    assert signals == set(footage.SIGNALS)
    assert row(world, label_jobs).task == "auto"
    assert row(world, jobs_table).state == "done"
    assert not loop(world).work_once(NEVER)


def test_a_clip_that_is_no_mcap_is_damaged_at_the_first_attempt(world: World, stored: Callable[..., str]) -> None:
    stored(b"hostile" * 1000)
    assert loop(world).work_once(NEVER)
    clip = row(world, clips)
    assert clip.state == "damaged"
    assert clip.damage.startswith("mcap_unreadable:")
    job = row(world, jobs_table)
    assert (job.state, job.attempts) == ("failed", 1)
    letter = row(world, dead_letters)
    assert (letter.stage, letter.reason, letter.clip_id) == ("extraction", "mcap_unreadable", clip.id)
    assert world.fire_outcomes() == [("catalogued", None)], "the clip's bytes are kept, whatever is in them"
    with world.database.begin() as connection:
        while events.dispatch(connection):
            pass
        assert connection.execute(select(label_jobs.c.id)).all() == []


def test_a_child_without_an_answer_is_tried_again_and_then_given_up(world: World, stored: Callable[..., str]) -> None:
    stored()
    tight = loop(world, extraction_attempts=2, extraction_timeout_s=0.01)
    assert tight.work_once(NEVER)
    assert (row(world, jobs_table).state, row(world, clips).state) == ("ready", "stored")
    assert tight.work_once(NEVER)
    assert row(world, clips).damage.startswith("extraction_failed: the extractor did not finish within")


def test_an_outage_of_the_store_costs_no_attempt(world: World, stored: Callable[..., str]) -> None:
    stored()
    data = world.store.root / "data"
    data.rename(world.store.root / "away")
    with pytest.raises(Unreachable):
        loop(world).work_once(NEVER)
    job = row(world, jobs_table)
    assert (job.state, job.attempts) == ("ready", 0)
    (world.store.root / "away").rename(data)
    assert loop(world).work_once(NEVER)
    assert row(world, clips).state == "ready"


def test_a_newer_extractor_that_can_read_a_damaged_clip_closes_its_dead_letter(
    world: World, stored: Callable[..., str]
) -> None:
    stored()
    key = row(world, clips).object_key
    data = world.store.get(key)
    world.store.delete(key)
    assert loop(world).work_once(NEVER)
    world.store.put(key, data)
    assert (row(world, clips).state, row(world, dead_letters).state) == ("damaged", "open")
    settings = Settings(data_dir=world.folder, extraction_memory_bytes=1024**3)
    with world.database.begin() as connection:
        extraction_jobs.add_for_older_clips(connection, 2)
    assert ExtractionLoop(settings, world.database, world.store, worker="n", extractor_version=2).work_once(NEVER)
    assert (row(world, clips).state, row(world, dead_letters).state) == ("ready", "replayed")


def test_a_clip_whose_object_is_gone_is_damaged(world: World, stored: Callable[..., str]) -> None:
    stored()
    world.store.delete(row(world, clips).object_key)
    assert loop(world).work_once(NEVER)
    assert row(world, clips).damage.startswith("object_missing:")


def test_a_worker_whose_lease_ran_out_writes_nothing(world: World, stored: Callable[..., str]) -> None:
    stored()
    nothing = Findings(assets=(), statistics=(), track=(), damage="late: too late")
    with world.database.begin() as connection:
        late = extraction_jobs.claim(connection, worker="late", extractor_version=1, lease_s=1e-6)
    assert late is not None
    assert loop(world).work_once(NEVER)
    with pytest.raises(LeaseLost), world.database.begin() as connection:
        extraction_results.write(connection, late, nothing)
    assert row(world, clips).state == "ready"


def test_a_job_goes_to_one_worker_at_a_time(world: World, stored: Callable[..., str]) -> None:
    stored()
    with world.database.begin() as first, world.database.begin() as second:
        taken = [
            extraction_jobs.claim(connection, worker=name, extractor_version=1, lease_s=60)
            for name, connection in (("a", first), ("b", second))
        ]
    assert [job is None for job in taken] == [False, True]


def test_a_job_given_back_waits_out_its_delay_and_its_attempt_counts_as_told(
    world: World, stored: Callable[..., str]
) -> None:
    stored()

    def claim() -> extraction_jobs.ExtractionJob | None:
        with world.database.begin() as connection:
            return extraction_jobs.claim(connection, worker="a", extractor_version=1, lease_s=60)

    for counts, delay_s, attempts in ((False, 0.0, 1), (True, 0.0, 1), (True, 600.0, 2)):
        job = claim()
        assert job is not None
        assert job.attempts == attempts
        with world.database.begin() as connection:
            extraction_jobs.give_back(connection, job, reason="x", delay_s=delay_s, counts=counts)
    assert claim() is None
    with world.database.begin() as connection:
        connection.execute(update(jobs_table).values(lease_until=func.now()))
    last = claim()
    assert last is not None
    assert (last.attempts, last.token) == (3, 4)


def test_a_restarted_worker_takes_up_its_own_jobs_at_once(world: World, stored: Callable[..., str]) -> None:
    stored()
    with world.database.begin() as connection:
        extraction_jobs.claim(connection, worker="x-0", extractor_version=1, lease_s=600)
    stop = threading.Event()
    thread = threading.Thread(target=loop(world).run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: row(world, clips).state == "ready", within_s=20, what="the extraction")
    finally:
        stop.set()
        thread.join()


def test_a_newer_extractor_runs_over_old_clips_and_an_older_one_does_not_undo_it(
    world: World, stored: Callable[..., str]
) -> None:
    clip_id = stored()
    settings = Settings(data_dir=world.folder, extraction_memory_bytes=1024**3)
    newer = ExtractionLoop(settings, world.database, world.store, worker="n", extractor_version=2)
    with world.database.begin() as connection:
        assert extraction_jobs.add_for_older_clips(connection, 2) == 1
    assert newer.work_once(NEVER)
    assert loop(world).work_once(NEVER)
    assert row(world, clips).extractor_version == 2
    with world.database.begin() as connection:
        keys = list(connection.execute(select(clip_assets.c.object_key)).scalars())
    assert keys
    assert all(key.startswith(f"derived/v2/{clip_id}/") for key in keys)
