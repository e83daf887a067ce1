"""Erasing a vehicle: its id and what it sent are gone, everybody's sums are as they were."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from storage.counts.outcomes import OutcomeCounts
from storage.database import Database
from storage.erasure import clips as clip_erasure
from storage.erasure import vehicles as erasure
from storage.tables import dead_letters, fires, metadata, uploads
from storage.tables.erasure import ErasureCause
from storage.uploads import endings, parking, progress
from storage.vehicles import enrolment_codes, queries
from storage.vehicles.authentication import authenticate_vehicle
from storage.vehicles.enrolment import enrol, revoke
from storage.vehicles.telemetry import record_counts
from tests.storage.erasure import erasure_support as support
from tests.support.fleet import TRIGGER, add_version, clip_manifest, enroll_vehicle, fire, manifest_of
from triggers.contracts.checkin import FireCounts, Telemetry
from triggers.errors import Erased, NotFound, Unauthenticated, UploadGone

pytestmark = pytest.mark.integration
VEHICLE = "car-under-test"


@pytest.fixture
def fleet(database: Database) -> Database:
    prepare(database)
    return database


def prepare(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(
            text("TRUNCATE campaign_versions, vehicles, ledger_accounts, erased_vehicles, erased_clips, outbox CASCADE")
        )
        add_version(connection, "braking")
        for vehicle_id in (VEHICLE, "car-2"):
            enroll_vehicle(connection, vehicle_id)


def ask(database: Database, vehicle_id: str = VEHICLE) -> clip_erasure.ErasedSum:
    with database.begin() as connection:
        return erasure.request(connection, vehicle_id, reason="the owner asked", by="olga")


def finish(database: Database, *, limit: int = erasure.BATCH) -> list[int]:
    """Let the steward do all of it; returns the clips of each batch."""
    batches = []
    while True:
        with database.begin() as connection:
            done = erasure.go_on(connection, limit=limit)
        if done is None:
            return batches
        batches.append(done.erased.clips)


def report(database: Database, vehicle_id: str = VEHICLE, **kinds: Any) -> None:
    """A vehicle's counts of fires of its campaign."""
    fired = sum(sum(each.values()) if isinstance(each, dict) else each for each in kinds.values())
    none: dict[str, Any] = {
        "sampled_out": 0,
        "refused": {},
        "dropped": {},
        "failed": {},
        "in_flight": 0,
        "handed_over": 0,
    }
    counts = FireCounts.model_validate(
        {
            **{"campaign": "braking", "version": 1, "watermark": fired, "suppressed": 1},
            **{"per_trigger": {TRIGGER: fired} if fired else {}, **none, **kinds},
        }
    )
    with database.begin() as connection:
        record_counts(connection, vehicle_id, Telemetry(counts=(counts,), reported_at_ns=1))


def places_of(database: Database, word: str) -> list[str]:
    """The tables that have a text in any row, whatever the column."""
    found = []
    with database.begin() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(text(f'SELECT "{table.name}"::text FROM "{table.name}"')).scalars()
            if any(word in row or word.encode().hex() in row for row in rows):
                found.append(table.name)
    return found


def test_the_id_is_nowhere_when_a_vehicle_is_erased(fleet: Database) -> None:
    for number in range(3):
        support.store(fleet, clip_manifest(bytes([number]), vehicle_id=VEHICLE))
    support.complete(fleet, support.claim(fleet))
    support.store(fleet, clip_manifest(b"of another", vehicle_id="car-2"))
    report(fleet, handed_over=3, in_flight=2, dropped={"disk_full": 1})
    with fleet.begin() as connection:
        connection.execute(
            dead_letters.insert().values(
                stage="gateway", reason="r", detail=VEHICLE, vehicle_id=VEHICLE, object_key="dead-letters/uploads/a"
            )
        )
    assert len(places_of(fleet, VEHICLE)) > 5
    assert ask(fleet) == clip_erasure.ErasedSum(3, 3)
    assert finish(fleet, limit=2) == [2, 1, 0]
    assert places_of(fleet, VEHICLE) == []
    assert "dead-letters/uploads/a" in support.keys_to_delete(fleet)
    with fleet.begin() as connection:
        assert set(connection.execute(select(fires.c.t_ns).where(fires.c.vehicle_id != "car-2")).scalars()) == {0}
        assert [vehicle.id for vehicle in queries.list_vehicles(connection)] == ["car-2"]
    left = {"clips": 1, "clip_fires": 1, "extraction_jobs": 1, "clip_texts": 1}
    assert support.rows_left(fleet, *support.REST) == left


def test_it_takes_no_part_from_the_moment_it_is_asked(fleet: Database) -> None:
    with fleet.begin() as connection:
        token = enroll_vehicle(connection, VEHICLE)
        code = enrolment_codes.issue(connection, VEHICLE, {}, ttl_s=60, replace=True).code
        upload = support.begin(connection, clip_manifest(b"on its way", vehicle_id=VEHICLE))
    held = support.balances(fleet)["campaign_bytes", "braking"]
    ask(fleet)
    with fleet.begin() as connection:
        with pytest.raises(Unauthenticated):
            authenticate_vehicle(connection, token)
        with pytest.raises(Erased, match=r"was erased on 20.*: the owner asked"):
            queries.get_vehicle(connection, VEHICLE)
        with pytest.raises(Erased, match="under a new id"):
            enrol(connection, VEHICLE, {})
        with pytest.raises(Erased):
            enrolment_codes.issue(connection, VEHICLE, {}, ttl_s=60, replace=True)
        with pytest.raises(Unauthenticated):
            enrolment_codes.redeem(connection, VEHICLE, code, bytes(32))
        with pytest.raises(NotFound):
            revoke(connection, VEHICLE)
        with pytest.raises(Unauthenticated, match="was erased"):
            support.begin(connection, clip_manifest(b"by a token that is trusted for some seconds", vehicle_id=VEHICLE))
        assert queries.list_vehicles(connection, prefix=VEHICLE) == []
        row = connection.execute(select(uploads.c.state, uploads.c.reason).where(uploads.c.id == upload.id)).one()
    assert tuple(row) == ("failed", "vehicle_erased")
    assert (held, support.balances(fleet)["campaign_bytes", "braking"]) == ((10, 0), (0, 0))


def test_asking_again_says_what_is_left_and_afterwards_that_it_is_done(fleet: Database) -> None:
    for number in range(3):
        support.store(fleet, clip_manifest(bytes([number]), vehicle_id=VEHICLE))
    assert (ask(fleet).clips, ask(fleet).clips) == (3, 3)
    with fleet.begin() as connection:
        erasure.go_on(connection, limit=2)
    assert ask(fleet).clips == 1
    finish(fleet)
    with pytest.raises(Erased):
        ask(fleet)
    with pytest.raises(NotFound, match="no vehicle 'nobody'"):
        ask(fleet, "nobody")


def test_a_clip_that_was_received_and_not_stored_never_is(fleet: Database) -> None:
    with fleet.begin() as connection:
        manifest = manifest_of(b"received", [fire("braking", 8, ordinal=1)], vehicle_id=VEHICLE)
        upload = support.begin(connection, manifest)
        connection.execute(text("UPDATE uploads SET state = 'received', offset_bytes = size_bytes"))
        parking.park(connection, upload.id, [0], size_bytes=8)
    report(fleet, handed_over=1)
    ask(fleet)
    clip_key, letter, parked = support.keys_to_delete(fleet)
    assert (clip_key, parked) == (upload.object_key, parking.staging_key(upload.id, [0]))
    assert letter == f"dead-letters/uploads/{upload.id}", "what an assembler may be writing, whatever comes of it"
    finish(fleet)
    found = support.counted(fleet)["braking", 1]
    assert (found.failed, found.in_flight, found.unaccounted) == ({"vehicle_erased": 1}, 0, 0)
    with fleet.begin() as connection:
        assert endings.mark_stored(connection, upload.id) is False
        with pytest.raises((NotFound, UploadGone)):
            progress.find_usable(connection, upload.id, VEHICLE, now=datetime.now(UTC))


ON_THE_VEHICLE = ("in_flight", "handed_over", "dropped", "sampled_out")
IN_THE_CLOUD = ("catalogued", "expired")


def live(database: Database, vehicle_id: str, lives: list[tuple[str, bool]]) -> list[str]:
    """Fires of a vehicle that end in these ways, each with whether the vehicle knows; returns the ids of its clips."""
    ids, told = [], dict.fromkeys(ON_THE_VEHICLE, 0)
    for ordinal, (how, known) in enumerate(lives, start=1):
        if how in ON_THE_VEHICLE:
            told[how] += 1
            continue
        told["handed_over" if known else "dropped"] += 1
        one = fire("braking", 1, ordinal=ordinal)
        ids.append(support.store(database, manifest_of(bytes([ordinal]), [one], vehicle_id=vehicle_id)))
        if how == "expired":
            with database.begin() as connection:
                clip_erasure.erase(connection, ids[-1:], ErasureCause.EXPIRED)
    dropped = told.pop("dropped")
    report(database, vehicle_id, **told, dropped={"why": dropped} if dropped else {})
    return ids


lives = st.lists(st.tuples(st.sampled_from(ON_THE_VEHICLE + IN_THE_CLOUD), st.booleans()), max_size=6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mine=lives, others=lives, chosen=st.sets(st.integers(0, 5)))
def test_no_erasure_changes_a_balance_or_what_was_decided(
    database: Database, mine: list[tuple[str, bool]], others: list[tuple[str, bool]], chosen: set[int]
) -> None:
    prepare(database)
    ids = live(database, VEHICLE, mine) + live(database, "car-2", others)
    balances, before = support.balances(database), support.counted(database).get(("braking", 1), OutcomeCounts())
    with database.begin() as connection:
        clip_erasure.erase(connection, [ids[n] for n in chosen if n < len(ids)], ErasureCause.ERASED)
    after_clips = support.counted(database).get(("braking", 1), OutcomeCounts())
    assert decided(after_clips) == decided(before)
    assert after_clips.in_flight == before.in_flight
    ask(database)
    finish(database)
    after = support.counted(database).get(("braking", 1), OutcomeCounts())
    ended = after.dropped.pop("vehicle_erased", 0)
    assert decided(after) == decided(before)
    assert (after.in_flight + ended, after.overruled, after.armed_ns) == (
        before.in_flight,
        before.overruled,
        before.armed_ns,
    )
    assert support.balances(database) == balances
    assert after.erased + after.expired <= after.catalogued


def decided(counts: OutcomeCounts) -> tuple[Any, ...]:
    """Whatever is no longer in flight."""
    return (
        counts.fired,
        counts.suppressed,
        counts.sampled_out,
        counts.refused,
        counts.dropped,
        counts.failed,
        counts.catalogued,
    )
