"""Extraction jobs on a real database and store: claimed, fenced, counted, concluded."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from ingest.extraction.loop import ExtractionLoop
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extractor_version import EXTRACTOR_VERSION
from ingest.steward import events
from ingest.steward.erasure import delete_objects
from storage import outbox
from storage.clips import extraction_jobs, extraction_results
from storage.clips.extraction_jobs import ExtractionJob
from storage.clips.extraction_results import Findings
from storage.erasure import clips as erasure
from storage.objects.contract import ObjectUnreadable
from storage.settings import Settings
from storage.tables import (
    clip_assets,
    clips,
    dead_letters,
    label_jobs,
    signal_statistics,
    vehicles,
)
from storage.tables import extraction_jobs as jobs_table
from storage.tables.erasure import ErasureCause
from storage.watching.stages import stages_of
from tests.ingest.assembler.world import World
from tests.ingest.extraction import footage
from tests.support.waiting import wait_for
from triggers.clips.damage import Remark
from triggers.errors import LeaseLost, Unreachable

pytestmark = pytest.mark.integration
NEVER = threading.Event()
Stored = Callable[..., str]
Loops = Callable[..., ExtractionLoop]


@pytest.fixture
def loop(world: World) -> Iterator[Callable[..., ExtractionLoop]]:
    """Opens an extraction loop; its process ends with the test."""
    opened: list[ExtractionLoop] = []

    def open_one(worker: str = "x-0", *, version: int = EXTRACTOR_VERSION, **changes: Any) -> ExtractionLoop:
        settings = Settings(data_dir=world.folder, **changes)
        parts = (settings, world.database, world.store)
        opened.append(ExtractionLoop(*parts, worker=worker, extractor_version=version, retry_s=0, outage_s=0))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def claim(world: World, worker: str, *, lease_s: float = 60, after: str = "") -> ExtractionJob | None:
    with world.database.begin() as connection:
        return extraction_jobs.claim(
            connection, worker=worker, extractor_version=EXTRACTOR_VERSION, lease_s=lease_s, after_vehicle=after
        )


def row(world: World, table: Any) -> Any:
    with world.database.begin() as connection:
        return connection.execute(select(table)).one()


def test_a_stored_clip_becomes_ready_with_its_assets_and_a_label_job(world: World, stored: Stored, loop: Loops) -> None:
    clip_id = stored()
    assert loop().work_once(NEVER)
    clip = row(world, clips)
    assert (clip.state, clip.damage, clip.extractor_version) == ("ready", None, EXTRACTOR_VERSION)
    assert clip.track == [[48.0, 11.0], [48.001, 11.0]]
    assert (clip.min_latitude, clip.max_latitude, clip.min_longitude) == (48.0, 48.001, 11.0)
    with world.database.begin() as connection:
        assets = {asset.name: asset for asset in connection.execute(select(clip_assets))}
        signals = set(connection.execute(select(signal_statistics.c.signal)).scalars())
        while events.dispatch(connection):
            pass
        assert outbox.unsent(connection) == 0
    assert sorted(assets) == ["preview", "signals", "thumbnail"]
    assert assets["signals"].object_key == f"derived/v{EXTRACTOR_VERSION}/{clip_id}/signals.parquet"
    assert world.store.stat(assets["preview"].object_key).size_bytes == assets["preview"].size_bytes > 0
    for asset in assets.values():
        assert asset.digest == hashlib.sha256(world.store.get(asset.object_key)).hexdigest()
    assert signals == set(footage.SIGNALS)
    assert row(world, label_jobs).task == "auto"
    assert row(world, jobs_table).state == "done"
    assert not loop().work_once(NEVER)


def test_a_clip_that_is_no_mcap_is_damaged_at_the_first_attempt(world: World, stored: Stored, loop: Loops) -> None:
    stored(b"hostile" * 1000)
    extracting = loop(extraction_isolation="require")
    assert extracting.work_once(NEVER)
    assert not list(world.folder.glob("extraction/**/server.log")), "junk costs no child"
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


def test_a_child_without_an_answer_is_tried_again_and_then_given_up(world: World, stored: Stored, loop: Loops) -> None:
    stored()
    tight = loop(extraction_attempts=2, extraction_timeout_s=1e-4)
    assert tight.work_once(NEVER)
    assert (row(world, jobs_table).state, row(world, clips).state) == ("ready", "stored")
    assert tight.work_once(NEVER)
    assert row(world, clips).damage.startswith("extraction_failed: the extractor did not finish within")


def test_an_outage_of_the_store_costs_no_attempt(world: World, stored: Stored, loop: Loops) -> None:
    stored()
    data = world.store.root / "data"
    data.rename(world.store.root / "away")
    with pytest.raises(Unreachable):
        loop().work_once(NEVER)
    job = row(world, jobs_table)
    assert (job.state, job.attempts) == ("ready", 0)
    (world.store.root / "away").rename(data)
    assert loop().work_once(NEVER)
    assert row(world, clips).state == "ready"


def test_a_newer_extractor_that_can_read_a_damaged_clip_closes_its_dead_letter(
    world: World, stored: Stored, loop: Loops
) -> None:
    stored()
    key = row(world, clips).object_key
    data = world.store.get(key)
    world.store.delete(key)
    assert loop().work_once(NEVER)
    world.store.put(key, data)
    assert (row(world, clips).state, row(world, dead_letters).state) == ("damaged", "open")
    newer = EXTRACTOR_VERSION + 1
    with world.database.begin() as connection:
        extraction_jobs.add_for_older_clips(connection, newer)
    assert loop("n", version=newer).work_once(NEVER)
    assert (row(world, clips).state, row(world, dead_letters).state) == ("ready", "replayed")


def test_a_clip_whose_object_is_gone_is_damaged(world: World, stored: Stored, loop: Loops) -> None:
    stored()
    world.store.delete(row(world, clips).object_key)
    assert loop().work_once(NEVER)
    assert row(world, clips).damage.startswith("object_missing:")


def test_a_clip_whose_object_cannot_be_read_costs_attempts_and_stops_no_worker(
    world: World, stored: Stored, loop: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored()
    key = row(world, clips).object_key
    stream = world.store.stream

    def unreadable(asked: str, **options: int) -> Iterator[bytes]:
        if asked == key:
            raise ObjectUnreadable("an input/output error", remedy="check the disk")
        return stream(asked, **options)

    monkeypatch.setattr(world.store, "stream", unreadable)
    assert loop().work_once(NEVER)
    job = row(world, jobs_table)
    assert (job.state, job.attempts, job.reason) == ("ready", 1, "an input/output error")
    assert not loop("y-0").work_once(NEVER), "not at once again"
    monkeypatch.undo()
    with world.database.begin() as connection:
        connection.execute(update(jobs_table).values(lease_until=func.now()))
    assert loop("z-0").work_once(NEVER)
    assert row(world, clips).state == "ready"


def test_a_worker_whose_lease_ran_out_writes_nothing(world: World, stored: Stored, loop: Loops) -> None:
    stored()
    nothing = Findings(remarks=[Remark("mcap_unreadable", "too late")])
    late = claim(world, "late", lease_s=1e-6)
    assert late is not None
    assert loop().work_once(NEVER)
    with pytest.raises(LeaseLost), world.database.begin() as connection:
        extraction_results.write(connection, late, nothing)
    assert row(world, clips).state == "ready"


def test_a_job_goes_to_one_worker_at_a_time(world: World, stored: Stored, loop: Loops) -> None:
    stored()
    with world.database.begin() as first, world.database.begin() as second:
        taken = [
            extraction_jobs.claim(connection, worker=name, extractor_version=EXTRACTOR_VERSION, lease_s=60)
            for name, connection in (("a", first), ("b", second))
        ]
    assert [job is None for job in taken] == [False, True]


def test_a_job_given_back_waits_out_its_delay_and_its_attempt_counts_as_told(
    world: World, stored: Stored, loop: Loops
) -> None:
    stored()

    for counts, delay_s, attempts in ((False, 0.0, 1), (True, 0.0, 1), (True, 600.0, 2)):
        job = claim(world, "a")
        assert job is not None
        assert job.attempts == attempts
        with world.database.begin() as connection:
            extraction_jobs.give_back(connection, job, reason="x", delay_s=delay_s, counts=counts)
    assert claim(world, "a") is None
    with world.database.begin() as connection:
        connection.execute(update(jobs_table).values(lease_until=func.now()))
    last = claim(world, "a")
    assert last is not None
    assert (last.attempts, last.token) == (3, 4)


def test_a_restarted_worker_takes_up_its_own_jobs_at_once(world: World, stored: Stored, loop: Loops) -> None:
    stored()
    claim(world, "x-0", lease_s=600)
    stop = threading.Event()
    thread = threading.Thread(target=loop().run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: row(world, clips).state == "ready", within_s=20, what="the extraction")
    finally:
        stop.set()
        thread.join()


def test_older_clips_are_extracted_again_in_small_portions_and_their_old_files_deleted(
    world: World, stored: Stored, loop: Loops
) -> None:
    clip_id = stored()
    assert loop().work_once(NEVER)
    newer = EXTRACTOR_VERSION + 1
    with world.database.begin() as connection:
        old = list(connection.execute(select(clip_assets.c.object_key)).scalars())
        assert extraction_jobs.add_for_older_clips(connection, newer, at_most_open=0) is None
        assert extraction_jobs.add_for_older_clips(connection, newer) == 1
        assert extraction_jobs.add_for_older_clips(connection, newer) == 0
    assert loop("n", version=newer).work_once(NEVER)
    assert row(world, clips).extractor_version == newer
    with world.database.begin() as connection:
        keys = list(connection.execute(select(clip_assets.c.object_key)).scalars())
        assert extraction_jobs.add_for_older_clips(connection, newer) == 0
    assert keys
    assert all(key.startswith(f"derived/v{newer}/{clip_id}/") for key in keys)
    assert old
    delete_objects(world.database, world.store)
    assert sorted(info.key for info in world.store.list("derived/")) == sorted(keys)


def test_a_clip_that_is_extracted_again_was_ready_before_and_says_nothing_of_latencies(
    world: World, stored: Stored, loop: Loops
) -> None:
    def stages() -> list[str]:
        seen: list[outbox.OutboxEvent] = []
        with world.database.begin() as connection:
            while events.dispatch(connection, seen):
                pass
            return [stage for stage, _ in stages_of(connection, seen).seconds]

    stored()
    assert loop().work_once(NEVER)
    since = row(world, clips).ready_at
    assert stages().count("ready") == 1
    with world.database.begin() as connection:
        extraction_jobs.add_for_older_clips(connection, EXTRACTOR_VERSION + 1)
    assert loop("n", version=EXTRACTOR_VERSION + 1).work_once(NEVER)
    assert (row(world, clips).extractor_version, row(world, clips).ready_at) == (EXTRACTOR_VERSION + 1, since)
    assert "ready" not in stages()


def test_an_older_extractor_does_not_undo_a_newer_one_and_leaves_no_object(
    world: World, stored: Stored, loop: Loops
) -> None:
    stored()
    newer = EXTRACTOR_VERSION + 1
    with world.database.begin() as connection:
        extraction_jobs.add_for_older_clips(connection, newer)
    assert loop("n", version=newer).work_once(NEVER)
    kept = world.store.list("derived/")
    assert loop().work_once(NEVER)
    assert row(world, clips).extractor_version == newer
    assert len(world.store.list("derived/")) == 2 * len(kept)
    delete_objects(world.database, world.store)
    assert world.store.list("derived/") == kept


def test_vehicles_take_turns_however_many_clips_one_of_them_sent(world: World, stored: Stored, loop: Loops) -> None:
    clip_ids = [stored() for _ in range(4)]
    others = [f"other-{number}" for number in range(2)]
    with world.database.begin() as connection:
        (vehicle,) = connection.execute(select(vehicles)).mappings().all()
        for other in others:
            values = {**vehicle, "id": other, "token_hash": other.encode()}
            connection.execute(insert(vehicles).values(values))
        for clip_id, other in zip(clip_ids[-2:], others, strict=True):
            connection.execute(update(jobs_table).where(jobs_table.c.clip_id == clip_id).values(vehicle_id=other))
    served, after = [], ""
    while job := claim(world, "a", after=after):
        served.append(after := job.vehicle_id)
    flooding = vehicle["id"]
    assert sorted(served[:3]) == sorted([flooding, *others])
    assert served[3] == flooding
    assert served[2:].count(flooding) + served[:2].count(flooding) == 2


def test_a_clip_that_meets_a_limit_is_not_tried_again(
    world: World, stored: Stored, loop: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChildLimits, "lifetime_s", 120.0)  # a busy machine is not what is tried here
    video = footage.h264_frames(25)
    frames = tuple(
        frame._replace(t_ns=frame.t_ns + again * 25 * footage.FRAME_NS) for again in range(200) for frame in video
    )
    stored(content=replace(footage.footage(), cameras={"front": frames}))
    assert loop(extraction_timeout_s=1).work_once(NEVER)
    assert row(world, clips).damage.startswith("extraction_limit: the extractor needed more than 1 s of processor time")
    assert (row(world, jobs_table).state, row(world, jobs_table).attempts) == ("failed", 1)


def test_an_honest_clip_waits_for_one_junk_clip_per_worker(world: World, stored: Stored, loop: Loops) -> None:
    clip_ids = [stored() for _ in range(7)]
    with world.database.begin() as connection:
        (vehicle,) = connection.execute(select(vehicles)).mappings().all()
        connection.execute(insert(vehicles).values({**vehicle, "id": "honest", "token_hash": b"honest"}))
        last = jobs_table.c.clip_id == clip_ids[-1]
        connection.execute(update(jobs_table).where(last).values(vehicle_id="honest"))
    served: dict[str, list[str]] = {"a": [], "b": []}
    while "honest" not in [*served["a"], *served["b"]]:
        for worker, before in served.items():
            job = claim(world, worker, after=before[-1] if before else "")
            assert job is not None
            before.append(job.vehicle_id)
    assert [before[:1] for before in served.values()] == [[vehicle["id"]]] * 2, "each had a junk clip in its hands"
    assert max(map(len, served.values())) == 2


def test_statistics_have_units_and_say_what_their_mean_is_over(world: World, stored: Stored, loop: Loops) -> None:
    stored()
    assert loop().work_once(NEVER)
    with world.database.begin() as connection:
        found = connection.execute(select(signal_statistics)).all()
    told = {each.signal: (each.unit, each.mean_over) for each in found}
    assert told == {"speed": ("m/s", "time"), "ego.latitude": ("deg", "samples"), "ego.longitude": ("deg", "samples")}


def test_a_clip_that_is_erased_during_its_extraction_leaves_no_object(
    world: World, stored: Stored, loop: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip_id = stored()
    write = extraction_results.write

    def erased_before(*arguments: Any, **options: Any) -> None:
        assert world.store.list("derived/"), "its files are stored already"
        with world.database.begin() as connection:
            erasure.erase(connection, [clip_id], ErasureCause.ERASED, reason="r", by="olga")
        write(*arguments, **options)

    monkeypatch.setattr(extraction_results, "write", erased_before)
    extracting = loop()
    assert extracting.work_once(NEVER)
    assert world.store.list("derived/") == []
    assert not extracting.work_once(NEVER)


def test_an_extraction_whose_clip_was_erased_ends_with_the_next_renewal(
    world: World, stored: Stored, loop: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip_id = stored()
    monkeypatch.setattr("ingest.extraction.job_loop.RENEW_S", 0.0)
    catalogs = extraction_results.signal_catalogs

    def erased_after(connection: Any, asked: str) -> list[str]:
        found = catalogs(connection, asked)
        erasure.erase(connection, [clip_id], ErasureCause.ERASED, reason="r", by="olga")
        return found

    monkeypatch.setattr(extraction_results, "signal_catalogs", erased_after)
    assert loop().work_once(NEVER)
    assert world.store.list("derived/") == []
