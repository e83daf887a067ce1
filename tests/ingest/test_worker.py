"""The worker's process: all its loops together, and what ends them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest import worker
from ingest.assembler.spool import Spool
from storage.database import Database
from storage.settings import Settings
from storage.tables import clips, label_jobs
from tests.ingest.assembler.world import World
from tests.ingest.extraction import footage
from tests.support.ingest_thread import ingesting, problem
from tests.support.paths import REPOSITORY
from tests.support.waiting import wait_for
from triggers.errors import Misconfigured

pytestmark = pytest.mark.integration


@pytest.fixture
def world(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    return World(database, tmp_path)


def settings(world: World) -> Settings:
    return Settings(
        database_url=world.database.url,
        data_dir=world.folder,
        log_partitions=2,
        log_lease_s=2,
        extraction_memory_bytes=1024**3,
    )


@contextmanager
def running(world: World) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(settings(world), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def test_cells_in_the_log_become_a_ready_clip_with_a_label_job(world: World) -> None:
    manifest = footage.recording()
    data = footage.clip_bytes(manifest, footage.footage())
    clip = world.clip(len(data), manifest=footage.announced(manifest, data))
    clip.data = data

    def labelling() -> bool:
        with world.database.begin() as connection:
            return connection.execute(select(label_jobs.c.id)).one_or_none() is not None

    with running(world):
        world.send(clip, *clip.indices)
        wait_for(labelling, within_s=30, what="the label job")
    with world.database.begin() as connection:
        assert connection.execute(select(clips.c.state)).scalar_one() == "ready"
    assert world.held_bytes() == len(data)


def test_a_setting_that_cannot_work_ends_the_process_with_that_error(world: World) -> None:
    other = Spool(world.folder / "spool" / "ingest-0", limit_bytes=4 * 1024**2)
    try:
        with pytest.raises(Misconfigured, match="LONGTAIL_WORKER_ID"):
            worker.run(settings(world), threading.Event())
    finally:
        other.close()


def test_an_unreachable_database_is_waited_for_and_told_as_what_is_not_ready(tmp_path: Path) -> None:
    nowhere = Settings(database_url="postgresql://127.0.0.1:1/none", data_dir=tmp_path)
    with ingesting(nowhere) as readiness:
        wait_for(lambda: "LONGTAIL_DATABASE_URL" in problem(readiness), within_s=30, what="the reason")
