"""Erasing clips: nothing of them is left but a tombstone, and whatever was counted stays counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from storage.clips import extraction_results
from storage.clips import writer as clip_writer
from storage.clips.details import get_clip
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.erasure import clips as erasure
from storage.labels import jobs as label_jobs
from storage.tables import clips, dead_letters, uploads
from storage.tables.erasure import ErasureCause
from storage.uploads import dead_letters as letters
from storage.uploads import rows
from tests.storage.erasure import erasure_support as support
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle, fire, manifest_of
from tests.support.locks import waits_for_a_lock
from tests.support.waiting import wait_for
from triggers.errors import Erased, NotFound

pytestmark = pytest.mark.integration
DAY_NS = 86_400 * 10**9


@pytest.fixture
def fleet(database: Database) -> Database:
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "braking")
        add_version(connection, "lanes")
    return database


def erase(database: Database, *clip_ids: str, cause: ErasureCause = ErasureCause.ERASED) -> erasure.ErasedSum:
    with database.begin() as connection:
        return erasure.erase(connection, clip_ids, cause, reason="asked", by="olga")


@pytest.mark.parametrize(
    ("retained", "days"),
    [
        ({"braking": DAY_NS}, 1),
        ({"braking": DAY_NS, "lanes": 3 * DAY_NS}, 3),
        ({"braking": DAY_NS, "lanes": None}, None),
        ({"braking": None}, None),
        ({"braking": 2**63 - 1}, None),
    ],
)
def test_a_clip_stays_until_the_last_of_its_campaigns_lets_it_go(
    fleet: Database, retained: dict[str, int | None], days: int | None
) -> None:
    with fleet.begin() as connection:
        for campaign, retain_ns in retained.items():
            support.retain(connection, campaign, 1, retain_ns)
    fires = [fire(campaign, 3) for campaign in retained]
    clip_id = support.store(fleet, manifest_of(bytes(3 * len(fires)), fires))
    with fleet.begin() as connection:
        row = connection.execute(select(clips.c.stored_at, clips.c.expires_at).where(clips.c.id == clip_id)).one()
    if retained["braking"] == 2**63 - 1:
        assert row.expires_at.year - row.stored_at.year > 290
    else:
        assert row.expires_at == (None if days is None else row.stored_at + timedelta(days=days))


def test_the_version_of_the_fire_decides_and_no_later_one(fleet: Database) -> None:
    with fleet.begin() as connection:
        add_version(connection, "braking", 2)
        support.retain(connection, "braking", 2, DAY_NS)
    kept = support.store(fleet, clip_manifest(b"of version 1"))
    going = support.store(fleet, manifest_of(b"two", [fire("braking", 3, version=2)]))
    with fleet.begin() as connection:
        found = connection.execute(select(clips.c.id).where(clips.c.expires_at.is_not(None))).scalars().all()
    assert found == [going] != [kept]


def test_expired_clips_go_in_batches_and_others_stay(fleet: Database) -> None:
    ids = [support.store(fleet, clip_manifest(bytes([number]))) for number in range(5)]
    with fleet.begin() as connection:
        late = {"late": ids[:3]}
        connection.execute(text("UPDATE clips SET expires_at = now() WHERE id = ANY (:late)"), late)
        connection.execute(
            text("UPDATE clips SET expires_at = now() + interval '1 h' WHERE id = :soon"), {"soon": ids[3]}
        )
    done = []
    for _ in range(3):
        with fleet.begin() as connection:
            done.append(erasure.expire(connection, limit=2).clips)
    assert done == [2, 1, 0]
    with fleet.begin() as connection:
        assert set(connection.execute(select(clips.c.id)).scalars()) == set(ids[3:])
        with pytest.raises(Erased, match="retain was over"):
            get_clip(connection, ids[0])


def test_nothing_of_an_erased_clip_is_left_but_what_is_counted(fleet: Database) -> None:
    clip_id = support.store(fleet)
    support.complete(fleet, support.claim(fleet))
    support.use(fleet, clip_id)
    assert set(support.rows_left(fleet, *support.REST)) == set(support.REST)
    with fleet.begin() as connection:
        letters.record(
            connection,
            stage="extraction",
            reason="r",
            detail="d",
            clip_id=clip_id,
            manifest=b"m",
            object_key="dead-letters/x",
        )
    before = support.balances(fleet)
    assert erase(fleet, clip_id, "0" * 32) == erasure.ErasedSum(1, 6)
    assert support.rows_left(fleet, *support.REST) == {}
    assert support.rows_left(fleet, "fires", "erased_clips", "uploads") == {"fires": 1, "erased_clips": 1, "uploads": 1}
    assert support.keys_to_delete(fleet) == [
        f"clips/2023/11/14/{clip_id}.mcap",
        "dead-letters/x",
        f"derived/v1/{clip_id}/",
        f"derived/v1/{clip_id}/signals.parquet",
    ]
    assert support.balances(fleet) == before
    with fleet.begin() as connection:
        upload = connection.execute(select(uploads)).one()
        letter = connection.execute(select(dead_letters)).one()
    assert (upload.state, bytes(upload.manifest), upload.cell_digests, upload.metadata) == ("stored", b"", None, None)
    assert (letter.state, letter.manifest, letter.object_key) == ("discarded", None, None)


def test_asking_for_an_erased_clip_says_when_and_why(fleet: Database) -> None:
    clip_id = support.store(fleet)
    erase(fleet, clip_id)
    with fleet.begin() as connection:
        with pytest.raises(Erased, match=rf"clip {clip_id} was erased on 20.*, because a user erased it: asked"):
            get_clip(connection, clip_id)
        with pytest.raises(NotFound, match="there is no clip"):
            get_clip(connection, "0" * 32)
    assert erase(fleet, clip_id).clips == 0, "once"


def test_a_clip_that_was_erased_is_not_stored_again_and_its_vehicle_is_told_that_it_arrived(fleet: Database) -> None:
    manifest = clip_manifest(b"again")
    clip_id = support.store(fleet, manifest)
    before = support.balances(fleet)
    erase(fleet, clip_id)
    with fleet.begin() as connection:
        upload = connection.execute(select(uploads.c.id)).scalar_one()
        found = rows.latest(connection, manifest.clip_id)
    assert found is not None and found.whole and found.id == upload
    assert support.balances(fleet) == before
    with fleet.begin() as connection:
        assert clip_writer.fail_unread(connection, upload, reason="r", detail="a late cell") is False
    assert support.rows_left(fleet, "clips", "dead_letters") == {}


def test_a_fire_counts_as_erased_once_its_last_clip_is_and_no_longer_when_another_comes(fleet: Database) -> None:
    shared = fire("braking", 3)
    first, second, third = (manifest_of(bytes([n] * 3), [shared]) for n in range(3))
    ids = [support.store(fleet, manifest) for manifest in (first, second)]

    def marks() -> list[str | None]:
        with fleet.begin() as connection:
            return list(connection.execute(text("SELECT without_clip FROM fires")).scalars())

    erase(fleet, ids[0])
    assert marks() == [None]
    erase(fleet, ids[1], cause=ErasureCause.EXPIRED)
    assert marks() == ["expired"]
    support.store(fleet, third)
    assert marks() == [None]


def test_an_extraction_under_way_finds_its_job_gone(fleet: Database) -> None:
    clip_id = support.store(fleet)
    job = support.claim(fleet)
    erase(fleet, clip_id)
    with pytest.raises(NotFound), fleet.begin() as connection:
        extraction_results.write(connection, job, support.findings_of(clip_id))
    assert support.rows_left(fleet, *support.REST) == {}
    assert f"derived/v1/{clip_id}/" in support.keys_to_delete(fleet), "whatever it has written or still writes"


def test_labels_under_way_find_their_job_gone_and_no_new_job_is_made(fleet: Database) -> None:
    clip_id = support.store(fleet)
    with fleet.begin() as connection:
        label_jobs.ensure(connection, clip_id, "auto")
        (job,) = label_jobs.claim(connection, user="ann", task="auto", labeler="x", count=1, lease_s=60)
    erase(fleet, clip_id)
    with pytest.raises(NotFound), fleet.begin() as connection:
        label_jobs.complete(connection, job.id, token=job.token, types=[], openlabel={}, provenance={})
    with fleet.begin() as connection:
        assert label_jobs.ensure(connection, clip_id, "auto") is False
    assert support.rows_left(fleet, "label_jobs", "labels") == {}


def test_an_erasure_waits_for_results_that_are_being_written_and_takes_them_along(fleet: Database) -> None:
    clip_id = support.store(fleet)
    job = support.claim(fleet)
    with ThreadPoolExecutor(1) as pool:
        with fleet.begin() as connection:
            extraction_results.write(connection, job, support.findings_of(clip_id))
            erasing = pool.submit(erase, fleet, clip_id)
            wait_for(lambda: waits_for_a_lock(fleet), within_s=20, what="the erasure waiting")
        assert erasing.result(timeout=60).clips == 1
    assert support.rows_left(fleet, *support.REST) == {}
    assert f"derived/v1/{clip_id}/signals.parquet" in support.keys_to_delete(fleet)


def test_a_search_in_a_snapshot_shows_a_clip_whole_although_it_is_erased_meanwhile(fleet: Database) -> None:
    clip_id = support.store(fleet)
    with fleet.snapshot() as reading:
        reading.execute(text("SELECT 1"))
        erase(fleet, clip_id)
        query = ClipQuery.parse(filter_source=None, language="cql2-text", sortby="-start", limit=5, token=None)
        (clip,) = search(reading, query).clips
        assert len(clip.fires) == 1
        assert len(get_clip(reading, clip_id).clip.fires) == 1


def test_two_that_erase_the_same_clips_erase_each_once(fleet: Database) -> None:
    ids = [support.store(fleet, clip_manifest(bytes([n]))) for n in range(6)]
    with ThreadPoolExecutor(2) as pool:
        sums = list(pool.map(lambda order: erase(fleet, *order).clips, (ids, ids[::-1])))
    assert sum(sums) == 6
    assert support.rows_left(fleet, "clips", "erased_clips") == {"erased_clips": 6}
