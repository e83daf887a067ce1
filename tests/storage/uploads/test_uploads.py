"""Uploads in the database: one a clip, one writer at a time, offsets that never fall, ends that free budget."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, text

from ingest.gateway.opening import OpeningTerms, open_upload
from storage import ledger
from storage.clips import writer as clip_writer
from storage.database import Database
from storage.diagnosis.ledger import accounts_that_differ, entries_that_differ
from storage.ledger import FleetTerms
from storage.tables import uploads as table
from storage.uploads import creation, endings, progress, rows
from storage.uploads.rows import UploadRow
from tests.storage.ledger.ledger_support import NOON
from tests.support.fleet import T_NS, add_version, charged_manifest, enroll_vehicle, fire, manifest_of
from triggers.contracts.campaign import BudgetLimits, Network
from triggers.contracts.clip import ClipManifest, CreationRequest, Fire
from triggers.errors import (
    BudgetExhausted,
    ClipFailed,
    Conflict,
    Fenced,
    ManifestInvalid,
    NotAssigned,
    NotFound,
    Overloaded,
    UploadGone,
    WrongOffset,
)

SIZE = 1000
TERMS = OpeningTerms(expiry_s=3600, log_partitions=8)
LATER = NOON + timedelta(hours=2)


@pytest.fixture
def fleet(database: Database) -> Iterator[Database]:
    with database.begin() as connection:
        add_version(connection, "alpha", limits=BudgetLimits(total_bytes=10**9))
        enroll_vehicle(connection, "car-1")
        enroll_vehicle(connection, "car-2")
    pool = Database(database.url, pool_size=12)
    yield pool
    pool.close()


def create(connection: Connection, manifest: ClipManifest, terms: OpeningTerms = TERMS) -> tuple[UploadRow, bool]:
    return open_upload(connection, CreationRequest(manifest=manifest, network=Network.CELLULAR), terms, now=NOON)


def new_upload(database: Database) -> UploadRow:
    with database.begin() as connection:
        return create(connection, charged_manifest({"alpha": SIZE}))[0]


def now_of(database: Database, upload: UploadRow) -> UploadRow:
    with database.begin() as connection:
        return rows.find(connection, upload.id, upload.vehicle_id)


def store(connection: Connection, writer: UploadRow, offset: int) -> UploadRow:
    return progress.store(connection, writer, progress.Reached(offset), now=NOON, expiry_s=3600)


def held(database: Database) -> tuple[int, int]:
    with database.begin() as connection:
        fleet = ledger.usage(connection)[0]
    return fleet.held, fleet.settled


def test_a_clip_created_by_many_at_once_has_one_upload_and_one_reservation(fleet: Database) -> None:
    manifest = charged_manifest({"alpha": SIZE})
    barrier = threading.Barrier(8)

    def attempt(_number: int) -> tuple[UploadRow, bool]:
        barrier.wait(timeout=60)
        with fleet.begin() as connection:
            return create(connection, manifest)

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(attempt, range(8)))
    assert len({upload.id for upload, _new in made}) == 1
    assert [new for _upload, new in made].count(True) == 1
    assert held(fleet) == (SIZE, 0)


def test_creation_works_the_hundredth_time_on_one_connection(fleet: Database) -> None:
    """Statements are prepared after some uses; one whose partial index was named by parameters failed from then on."""
    with fleet.begin() as connection:
        created = [create(connection, charged_manifest({"alpha": 1}))[1] for _ in range(100)]
    assert all(created)


def test_an_upload_keeps_the_class_of_its_network(fleet: Database) -> None:
    with fleet.begin() as connection:
        create(connection, charged_manifest({"alpha": SIZE}))
        assert connection.execute(select(table.c.network)).scalars().all() == ["cellular"]


def test_a_refused_creation_leaves_no_upload(fleet: Database) -> None:
    with pytest.raises(BudgetExhausted), fleet.begin() as connection:
        create(connection, charged_manifest({"alpha": SIZE}), replace(TERMS, fleet=FleetTerms(SIZE - 1)))
    with fleet.begin() as connection:
        assert connection.execute(select(table.c.id)).all() == []


@pytest.mark.parametrize("outcome", ["catalogued", "failed"])
def test_a_fire_that_was_here_before_as_another_is_refused(fleet: Database, outcome: str) -> None:
    first = fire("alpha", SIZE)

    def of(again: Fire, vehicle_id: str = "car-1") -> ClipManifest:
        return manifest_of(bytes(SIZE), [again], vehicle_id=vehicle_id, end_ns=T_NS + 10)

    with fleet.begin() as connection:
        upload = create(connection, of(first))[0]
        pending = clip_writer.find_upload(connection, upload.id)
        assert pending is not None
        if outcome == "catalogued":
            assert clip_writer.store_clip(connection, pending, extractor_version=1).won
        else:
            clip_writer.fail_upload(connection, pending, reason="cell_hash_mismatch", detail="d")
    later = first.model_copy(update={"t_ns": T_NS + 1, "window_end_ns": T_NS + 1})
    refusal = pytest.raises(ManifestInvalid, match=f"fire {first.ordinal} of alpha version 1")
    with refusal as refused, fleet.begin() as connection:
        create(connection, of(later))
    assert "new id" in (refused.value.remedy or "")
    with fleet.begin() as connection:
        assert create(connection, of(first))[1], "the same fire may be in another clip"
        assert create(connection, of(later, "car-2"))[1], "ordinals are a vehicle's own"


def test_a_vehicle_has_so_many_open_uploads_and_no_more(fleet: Database) -> None:
    two = replace(TERMS, max_open_uploads=2)

    def open_another(vehicle_id: str = "car-1") -> UploadRow:
        with fleet.begin() as connection:
            return create(connection, charged_manifest({"alpha": SIZE}, vehicle_id=vehicle_id), two)[0]

    first = open_another()
    open_another()
    with pytest.raises(Overloaded):
        open_another()
    open_another("car-2")
    with fleet.begin() as connection:
        endings.terminate(connection, first.id, first.vehicle_id, now=NOON)
    open_another()


def test_a_clips_cells_always_go_to_the_same_partition_and_clips_spread_over_all() -> None:
    clip_ids = [charged_manifest({"alpha": 1}).clip_id for _ in range(400)]
    partitions = Counter(creation.log_partition(clip_id, 8) for clip_id in clip_ids)
    assert set(partitions) == set(range(8))
    assert min(partitions.values()) > 20
    assert [creation.log_partition(clip_ids[0], 8) for _ in range(3)] == [creation.log_partition(clip_ids[0], 8)] * 3


def test_each_writer_fences_the_ones_before_it(fleet: Database) -> None:
    upload = new_upload(fleet)
    with fleet.begin() as connection:
        first = progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
        second = progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
        assert second.writer_epoch == first.writer_epoch + 1
        store(connection, second, 100)
        with pytest.raises(Fenced):
            store(connection, first, 200)
    assert now_of(fleet, upload).offset_bytes == 100


def test_an_offset_never_falls(fleet: Database) -> None:
    upload = new_upload(fleet)
    with fleet.begin() as connection:
        writer = progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
        store(connection, writer, 100)
        with pytest.raises(Fenced):
            store(connection, writer, 99)
        store(connection, writer, 100)
    assert now_of(fleet, upload).offset_bytes == 100


def test_a_writer_at_a_wrong_place_is_told_the_right_one_and_fences_nobody(fleet: Database) -> None:
    upload = new_upload(fleet)
    with fleet.begin() as connection:
        writer = progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
        store(connection, writer, 100)
        with pytest.raises(WrongOffset) as wrong:
            progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
        assert wrong.value.offset == 100
        store(connection, writer, 200)


def test_the_last_byte_makes_an_upload_received_and_then_it_neither_expires_nor_ends(fleet: Database) -> None:
    upload = new_upload(fleet)
    with fleet.begin() as connection:
        writer = progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
        store(connection, writer, SIZE)
        assert rows.find(connection, upload.id, "car-1").state == "received"
        assert endings.expire(connection, now=LATER) == 0
        with pytest.raises(Conflict):
            endings.terminate(connection, upload.id, "car-1", now=NOON)
        assert progress.begin_write(connection, upload.id, "car-1", SIZE, now=LATER).whole
        with pytest.raises(WrongOffset):
            progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
    assert held(fleet) == (SIZE, 0)


@pytest.mark.parametrize("received", [False, True])
def test_a_stored_clip_settles_its_reservation_once(fleet: Database, received: bool) -> None:
    upload = new_upload(fleet)
    with fleet.begin() as connection:
        if received:
            writer = progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
            store(connection, writer, SIZE)
        assert endings.mark_stored(connection, upload.id)
        assert not endings.mark_stored(connection, upload.id)
        assert not endings.fail(connection, upload.id, "too late")
    assert held(fleet) == (SIZE, SIZE)
    assert now_of(fleet, upload).offset_bytes == SIZE


def test_a_failed_clip_frees_its_budget_and_is_not_taken_again(fleet: Database) -> None:
    manifest = charged_manifest({"alpha": SIZE})
    with fleet.begin() as connection:
        upload, _new = create(connection, manifest)
        assert endings.fail(connection, upload.id, "cell_hash_mismatch")
        assert not endings.mark_stored(connection, upload.id)
        with pytest.raises(ClipFailed, match="cell_hash_mismatch"):
            create(connection, manifest)
        with pytest.raises(UploadGone):
            progress.begin_write(connection, upload.id, "car-1", 0, now=NOON)
    assert held(fleet) == (0, 0)


@pytest.mark.parametrize("how", ["terminate", "fail", "expire_one", "lose", "expire"])
def test_what_came_is_settled_however_the_upload_ends(fleet: Database, how: str) -> None:
    upload = new_upload(fleet)
    with fleet.begin() as connection:
        store(connection, progress.begin_write(connection, upload.id, "car-1", 0, now=NOON), SIZE // 4)
    assert held(fleet) == (SIZE, 0)
    end: dict[str, Callable[[Connection], object]] = {
        "terminate": lambda c: endings.terminate(c, upload.id, "car-1", now=NOON),
        "fail": lambda c: endings.fail(c, upload.id, "reason"),
        "expire_one": lambda c: endings.expire_one(c, upload.id),
        "lose": lambda c: endings.lose(c, upload.id),
        "expire": lambda c: endings.expire(c, now=NOON + timedelta(days=365)),
    }
    with fleet.begin() as connection:
        end[how](connection)
    assert held(fleet) == (SIZE // 4, SIZE // 4)
    with fleet.begin() as connection:
        while ledger.fold(connection):
            pass
        assert accounts_that_differ(connection) + entries_that_differ(connection) == []
        clips = [row.held for row in ledger.usage(connection) if row.key.kind == "campaign_clips"]
    assert clips == [0], "no clip came of it"


def test_an_upload_that_ends_without_a_byte_leaves_no_manifest(fleet: Database) -> None:
    nothing, something = new_upload(fleet), new_upload(fleet)
    with fleet.begin() as connection:
        store(connection, progress.begin_write(connection, something.id, "car-1", 0, now=NOON), 1)
        for upload in (nothing, something):
            endings.terminate(connection, upload.id, "car-1", now=NOON)
        kept = connection.execute(select(table.c.id).where(table.c.manifest != b"")).scalars().all()
    assert kept == [something.id], "its cells may still be in the log"


def test_uploads_whose_time_is_over_expire_in_batches_and_free_their_budget(fleet: Database) -> None:
    made = [new_upload(fleet) for _ in range(5)]
    with fleet.begin() as connection:
        assert endings.expire(connection, now=NOON) == 0
        assert [endings.expire(connection, now=LATER, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert held(fleet) == (0, 0)
    assert {now_of(fleet, upload).state for upload in made} == {"expired"}


def test_expiring_by_several_at_once_takes_each_upload_once(fleet: Database) -> None:
    for _ in range(20):
        new_upload(fleet)
    barrier = threading.Barrier(4)

    def expire(_number: int) -> int:
        barrier.wait(timeout=60)
        with fleet.begin() as connection:
            return endings.expire(connection, now=LATER, limit=20)

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(expire, range(4))) == 20
    assert held(fleet) == (0, 0)


def test_expiring_leaves_out_what_somebody_else_is_closing(fleet: Database) -> None:
    busy, idle = new_upload(fleet), new_upload(fleet)
    with fleet.begin() as storing:
        assert endings.mark_stored(storing, busy.id)
        with fleet.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '2s'"))
            assert endings.expire(connection, now=LATER) == 1
    assert (now_of(fleet, busy).state, now_of(fleet, idle).state) == ("stored", "expired")
    assert held(fleet) == (SIZE, SIZE)


def test_a_clip_whose_upload_expired_can_be_begun_again(fleet: Database) -> None:
    manifest = charged_manifest({"alpha": SIZE})
    with fleet.begin() as connection:
        first, _new = create(connection, manifest)
        endings.expire(connection, now=LATER)
        second, new = create(connection, manifest)
    assert new
    assert second.id != first.id
    assert held(fleet) == (SIZE, 0)


def test_nobody_finds_the_uploads_of_others(fleet: Database) -> None:
    upload = new_upload(fleet)
    with fleet.begin() as connection:
        for step in (
            lambda: rows.find(connection, upload.id, "car-2"),
            lambda: progress.begin_write(connection, upload.id, "car-2", 0, now=NOON),
            lambda: endings.terminate(connection, upload.id, "car-2", now=NOON),
        ):
            with pytest.raises(NotFound):
                step()


def test_an_upload_for_a_campaign_that_the_vehicle_was_not_given_is_refused(fleet: Database) -> None:
    """One vehicle without any campaign ended one for the whole fleet with 499 clips of a byte."""
    with fleet.begin() as connection:
        connection.execute(text("DELETE FROM assignments WHERE vehicle_id = 'car-2'"))
        connection.execute(text("UPDATE vehicles SET last_check_in_at = now()"))
    with fleet.begin() as connection, pytest.raises(NotAssigned, match="never given this version"):
        create(connection, charged_manifest({"alpha": 1}, vehicle_id="car-2"))
    with fleet.begin() as connection:
        assert create(connection, charged_manifest({"alpha": 1}))[1], "the other vehicle has it"


@pytest.mark.parametrize(("days", "accepted"), [(29, True), (31, False)])
def test_an_upload_is_accepted_for_a_grace_after_its_campaign_has_ended(
    fleet: Database, days: int, accepted: bool
) -> None:
    with fleet.begin() as connection:
        until = NOON - timedelta(days=days)
        connection.execute(text("UPDATE assignments SET assigned_until = :until"), {"until": until})
    with (
        fleet.begin() as connection,
        nullcontext() if accepted else pytest.raises(NotAssigned, match="ended for this vehicle too long ago"),
    ):
        create(connection, charged_manifest({"alpha": 1}))


def test_an_ordinal_beyond_the_time_since_the_assignment_is_refused(fleet: Database) -> None:
    with fleet.begin() as connection:
        since = NOON - timedelta(hours=1)
        connection.execute(text("UPDATE assignments SET assigned_from = :since"), {"since": since})
    for ordinal, accepted in ((7_200_000, True), (2**62, False)):
        manifest = manifest_of(b"x", [fire("alpha", 1, ordinal=ordinal)])
        refused = nullcontext() if accepted else pytest.raises(ManifestInvalid, match="at most")
        with fleet.begin() as connection, refused:
            create(connection, manifest)


def test_after_a_restore_a_vehicle_is_believed_until_it_has_checked_in(fleet: Database) -> None:
    """What it was given after the backup is not known, and its clips must not be lost for that."""
    with fleet.begin() as connection:
        connection.execute(text("DELETE FROM assignments"))
        connection.execute(text("UPDATE vehicles SET last_check_in_at = now() - interval '1 hour'"))
        connection.execute(
            text("INSERT INTO restores (backup_id, backup_at, version_floor) VALUES ('b', now() - interval '1 day', 0)")
        )
    with fleet.begin() as connection:
        assert create(connection, charged_manifest({"alpha": 1}))[1]
        connection.execute(text("UPDATE vehicles SET last_check_in_at = now() + interval '1 second'"))
    with fleet.begin() as connection, pytest.raises(NotAssigned):
        create(connection, charged_manifest({"alpha": 1}))
