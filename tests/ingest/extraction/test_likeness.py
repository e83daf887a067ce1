"""The likeness stage on a real database, store and sandbox: vectors follow extraction, under leases, once per clip."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import delete, select

from ingest.extraction.likeness.loop import LikenessLoop
from ingest.extraction.loop import ExtractionLoop
from ingest.readiness import Readiness
from ingest.steward import events
from ingest.steward.duties import Duties
from storage.clips.catalogs import parsed
from storage.erasure import clips as erasure
from storage.likeness import embeddings, jobs, vectors
from storage.objects.contract import ObjectNotFound
from storage.settings import Settings
from storage.tables import clip_assets, clip_vectors, fires, vector_jobs
from storage.tables.erasure import ErasureCause
from tests.ingest.assembler.world import World
from tests.ingest.extraction import footage
from triggers.drives.series import read_series
from triggers.errors import LeaseLost, Unreachable
from triggers.likeness.channels import channels_of
from triggers.likeness.vector import signals_vector
from triggers.likeness.version import EMBEDDING_ID

pytestmark = pytest.mark.integration
NEVER = threading.Event()


@pytest.fixture
def extracted(world: World, stored: Callable[[], str]) -> Callable[[], str]:
    """A clip is stored and extracted, and its events are handled; returns its id."""

    def one() -> str:
        clip_id = stored()
        loop = ExtractionLoop(Settings(data_dir=world.folder), world.database, world.store, worker="x-0")
        with closing(loop):
            assert loop.work_once(NEVER)
        handle_events(world)
        return clip_id

    return one


@pytest.fixture
def stage(world: World) -> Iterator[LikenessLoop]:
    part = Readiness().part("likeness")
    settings = Settings(data_dir=world.folder)
    loop = LikenessLoop(settings, world.database, world.store, worker="x-0/likeness", part=part, retry_s=0, outage_s=0)
    with closing(loop):
        yield loop


def handle_events(world: World) -> None:
    with world.database.begin() as connection:
        while events.dispatch(connection):
            pass


def job(world: World) -> tuple[str, str | None]:
    with world.database.begin() as connection:
        row = connection.execute(select(vector_jobs.c.state, vector_jobs.c.reason)).one()
    return row.state, row.reason


def vector_of(world: World, clip_id: str) -> tuple[float, ...]:
    with world.database.begin() as connection:
        (vector,) = vectors.of_clips(connection, [clip_id], embeddings.named(connection, EMBEDDING_ID))
    return vector


def test_an_extracted_clip_gets_the_vector_of_its_signals_at_its_fire(
    world: World, extracted: Callable[[], str], stage: LikenessLoop
) -> None:
    clip_id = extracted()
    assert job(world) == ("ready", None)
    assert stage.work_once(NEVER)
    assert job(world) == ("done", None)
    with world.database.begin() as connection:
        asset = select(clip_assets.c.object_key).where(clip_assets.c.name == "signals")
        key = connection.execute(asset).scalar_one()
        fire_ns = connection.execute(select(fires.c.t_ns)).scalar_one()
    path = world.folder / "signals.parquet"
    path.write_bytes(b"".join(world.store.stream(key)))
    signals = read_series(path)
    expected = signals_vector(signals, channels_of(parsed([footage.CATALOG]), signals), fire_ns)
    assert expected is not None
    assert np.allclose(vector_of(world, clip_id), expected, atol=1e-6)
    assert not stage.work_once(NEVER)


def test_a_clip_that_is_extracted_again_gets_its_vector_again_and_the_old_job_is_fenced(
    world: World, extracted: Callable[[], str], stage: LikenessLoop
) -> None:
    clip_id = extracted()
    with world.database.begin() as connection:
        claimed = jobs.claim(connection, worker="slow", embedding_id=EMBEDDING_ID, lease_s=60)
        assert claimed is not None and claimed.signals == ("ego.latitude", "ego.longitude", "speed")
        jobs.queue(connection, clip_id, EMBEDDING_ID)
    with world.database.begin() as connection, pytest.raises(LeaseLost):
        jobs.finish(connection, claimed)
    assert stage.work_once(NEVER)
    assert job(world) == ("done", None)


def test_clips_from_before_the_stage_are_queued_and_an_unsent_event_adds_no_second_job(
    world: World, extracted: Callable[[], str], stage: LikenessLoop
) -> None:
    clip_id = extracted()
    with world.database.begin() as connection:
        connection.execute(delete(vector_jobs))
    duties = Duties(world.database, world.log, world.store, Settings(data_dir=world.folder)).all()
    (queueing,) = (duty for duty in duties if duty.name == "queueing vectors of older clips")
    for _ in range(2):
        queueing.work()
    assert job(world) == ("ready", None)
    assert stage.work_once(NEVER)
    assert len(vector_of(world, clip_id)) == 64


def test_an_outage_of_the_store_costs_no_attempt_and_lost_signals_are_the_jobs_reason(
    world: World, extracted: Callable[[], str], stage: LikenessLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracted()

    def down(key: str) -> Iterator[bytes]:
        raise Unreachable("the store does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "stream", down)
        with pytest.raises(Unreachable):
            stage.work_once(NEVER)
    with world.database.begin() as connection:
        assert connection.execute(select(vector_jobs.c.attempts)).scalar_one() == 0

    def lost(key: str) -> Iterator[bytes]:
        raise ObjectNotFound(f"there is no object {key}")

    monkeypatch.setattr(world.store, "stream", lost)
    assert stage.work_once(NEVER)
    state, reason = job(world)
    assert state == "failed" and reason is not None and "there is no object" in reason


def test_signals_that_are_no_table_cost_attempts_and_leave_the_clip_without_a_vector(
    world: World, extracted: Callable[[], str], stage: LikenessLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracted()
    monkeypatch.setattr(world.store, "stream", lambda key: iter([b"PAR1 hostile PAR1"]))
    for _ in range(jobs.MAX_ATTEMPTS):
        assert stage.work_once(NEVER)
    state, reason = job(world)
    assert state == "failed" and reason is not None and "not a drive" in reason
    assert not stage.work_once(NEVER)
    with world.database.begin() as connection:
        assert connection.execute(select(clip_vectors.c.clip_id)).all() == []


def test_a_clip_that_is_erased_meanwhile_leaves_nothing(
    world: World, extracted: Callable[[], str], stage: LikenessLoop
) -> None:
    clip_id = extracted()
    assert stage.work_once(NEVER)
    with world.database.begin() as connection:
        jobs.queue(connection, clip_id, EMBEDDING_ID)
        claimed = jobs.claim(connection, worker="x", embedding_id=EMBEDDING_ID, lease_s=60)
        erasure.erase(connection, [clip_id], ErasureCause.ERASED, reason="asked", by="olga")
        jobs.queue(connection, clip_id, EMBEDDING_ID)
        assert claimed is not None
        for table in (vector_jobs, clip_vectors):
            assert connection.execute(select(table)).all() == []
    assert not stage.work_once(NEVER)
