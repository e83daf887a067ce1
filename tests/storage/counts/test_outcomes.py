"""OutcomeCounts: whatever vehicles report and the cloud stores, the counts add up and none is negative."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from storage.counts.outcomes import OutcomeCounts, outcomes
from storage.counts.unaccounted import MAX_MANIFESTS, Handovers
from storage.database import Database
from storage.tables import fires, uploads
from storage.vehicles.telemetry import record_counts
from tests.support.fleet import add_version, enroll_vehicle, fire, manifest_of
from tests.support.rows import add_row
from triggers.contracts.checkin import FireCounts, Telemetry

KINDS = ("sampled_out", "refused", "dropped", "failed", "in_flight", "handed_over")


def report(database: Database, vehicle_id: str, kinds: list[str], *, at_ns: int = 1, suppressed: int = 0) -> None:
    """A vehicle reports fires 1..n with the outcome of each."""
    of = {kind: kinds.count(kind) for kind in KINDS}
    counts = FireCounts(
        campaign="braking",
        version=1,
        watermark=len(kinds),
        suppressed=suppressed,
        per_trigger={"hard": len(kinds)} if kinds else {},
        **{kind: of[kind] for kind in ("sampled_out", "in_flight", "handed_over")},
        **{kind: {"why": of[kind]} if of[kind] else {} for kind in ("refused", "dropped", "failed")},
    )
    with database.begin() as connection:
        record_counts(connection, vehicle_id, Telemetry(counts=(counts,), reported_at_ns=at_ns))


def catalogue(database: Database, vehicle_id: str, ordinal: int, outcome: str, *, upload_id: str = "") -> None:
    """The cloud decides on a fire, and closes its upload."""
    with database.begin() as connection:
        connection.execute(update(uploads).where(uploads.c.id == upload_id).values(state="stored"))
        add_row(
            connection,
            fires,
            vehicle_id=vehicle_id,
            ordinal=ordinal,
            outcome=outcome,
            reason=None if outcome == "catalogued" else "hash_mismatch",
        )


def announce(database: Database, vehicle_id: str, *ordinals: int, state: str = "received") -> str:
    """An upload of a clip with these fires; its id."""
    manifest = manifest_of(
        bytes(len(ordinals)), [fire("braking", 1, ordinal=n) for n in ordinals], vehicle_id=vehicle_id
    )
    with database.begin() as connection:
        add_row(
            connection,
            uploads,
            id=manifest.clip_id,
            clip_id=manifest.clip_id,
            vehicle_id=vehicle_id,
            manifest=manifest.canonical_json(),
            size_bytes=manifest.size_bytes,
            state=state,
        )
    return manifest.clip_id


def counted(database: Database) -> OutcomeCounts:
    """The campaign's outcomes, having checked that they add up."""
    with database.begin() as connection:
        found = outcomes(connection).get(("braking", 1), OutcomeCounts())
    parts = [
        found.sampled_out,
        found.catalogued,
        found.in_flight,
        *found.refused.values(),
        *found.dropped.values(),
        *found.failed.values(),
    ]
    assert sum(parts) == found.fired
    assert min(parts) >= 0
    assert 0 <= found.unaccounted <= found.in_flight
    return found


def prepare(database: Database, *vehicles: str) -> None:
    """One campaign and some vehicles, without any fires."""
    with database.begin() as connection:
        connection.execute(text("TRUNCATE campaign_versions, vehicles CASCADE"))
        add_version(connection, "braking")
        for vehicle_id in vehicles:
            enroll_vehicle(connection, vehicle_id)


def test_every_fire_is_in_one_outcome(database: Database) -> None:
    prepare(database, "a", "b")
    report(database, "a", ["sampled_out", "refused", "dropped", "failed", "in_flight", "handed_over"], suppressed=3)
    report(database, "b", ["handed_over", "handed_over", "in_flight"])
    catalogue(database, "a", 6, "failed")
    catalogue(database, "b", 1, "catalogued")
    catalogue(database, "b", 9, "catalogued")
    found = counted(database)
    assert (found.fired, found.suppressed, found.sampled_out, found.catalogued) == (9, 3, 1, 1)
    assert (found.refused, found.dropped) == ({"why": 1}, {"why": 1})
    assert found.failed == {"why": 1, "hash_mismatch": 1}
    assert (found.in_flight, found.overruled, found.per_trigger) == (3, 0, {"hard": 9})


def test_a_clip_that_arrived_though_the_vehicle_gave_it_up_is_catalogued(database: Database) -> None:
    prepare(database, "a")
    report(database, "a", ["dropped", "dropped", "handed_over"])
    for ordinal in (1, 2, 3):
        catalogue(database, "a", ordinal, "catalogued")
    found = counted(database)
    assert (found.catalogued, found.dropped, found.in_flight, found.overruled) == (3, {}, 0, 2)


def test_outcomes_are_of_one_campaign_where_it_is_named(database: Database) -> None:
    prepare(database, "a")
    report(database, "a", ["in_flight"])
    with database.begin() as connection:
        assert set(outcomes(connection, "braking")) == {("braking", 1)}
        assert outcomes(connection, "other") == {}


def test_fires_that_were_handed_over_and_are_nowhere_are_unaccounted_for(database: Database) -> None:
    prepare(database, "a", "b")
    report(database, "a", ["handed_over"] * 4 + ["in_flight"])
    report(database, "b", ["handed_over"])
    catalogue(database, "a", 1, "catalogued")
    catalogue(database, "a", 2, "failed")
    upload_id = announce(database, "a", 3)
    catalogue(database, "b", 1, "catalogued")
    found = counted(database)
    assert (found.unaccounted, found.in_flight) == (1, 3)
    with database.begin() as connection:
        connection.execute(update(uploads).where(uploads.c.id == upload_id).values(state="stored"))
    catalogue(database, "a", 3, "catalogued")
    assert counted(database).unaccounted == 1


def test_one_vehicles_surplus_hides_no_loss_of_another(database: Database) -> None:
    prepare(database, "a", "b")
    report(database, "a", ["handed_over", "in_flight"])
    report(database, "b", ["dropped", "in_flight"])
    for ordinal in (1, 2):
        catalogue(database, "b", ordinal, "catalogued")
    announce(database, "b", 2)
    assert counted(database).unaccounted == 1


def test_an_upload_that_is_not_whole_accounts_for_nothing(database: Database) -> None:
    prepare(database, "a")
    report(database, "a", ["handed_over"])
    announce(database, "a", 1, state="open")
    announce(database, "a", 1, state="expired")
    assert counted(database).unaccounted == 1


def test_what_cannot_be_read_is_no_alarm_and_breaks_no_count(database: Database) -> None:
    prepare(database, "a", "b")
    report(database, "a", ["handed_over"])
    report(database, "b", ["handed_over"])
    upload_id = announce(database, "a", 1)
    with database.begin() as connection:
        connection.execute(update(uploads).where(uploads.c.id == upload_id).values(manifest=b"\xff\x00 damaged"))
    assert counted(database).unaccounted == 1, "only the other vehicle's"


def test_with_more_received_uploads_than_are_looked_into_nothing_is_said() -> None:
    handovers = Handovers()
    handovers.add_missing("braking", 1, "a", watermark=2, fires=2)
    assert handovers.unaccounted() == {("braking", 1): 2}
    manifest = manifest_of(b"c", [fire("braking", 1, ordinal=1)], vehicle_id="a").canonical_json()
    for _ in range(MAX_MANIFESTS - 1):
        handovers.add_received("a", manifest)
    assert handovers.unaccounted() == {("braking", 1): 1}
    handovers.add_received("a", manifest)
    assert handovers.unaccounted() == {}


LIVES = {
    "handed_over": ("received", "catalogued", "failed", "lost"),
    "in_flight": ("vehicle", "open", "received", "catalogued", "failed"),
    "dropped": ("vehicle", "catalogued"),
    "sampled_out": ("vehicle",),
    "not reported": ("vehicle", "open", "received", "catalogued", "failed"),
}
"""What a fire was when its vehicle reported, and what the cloud may have made of it by now."""

lives = st.lists(st.sampled_from([(was, now) for was, nows in LIVES.items() for now in nows]), max_size=7)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fleet=st.lists(lives, min_size=1, max_size=3))
def test_no_report_however_old_raises_a_false_alarm_and_a_loss_shows_unless_it_is_hidden(
    database: Database, fleet: list[list[tuple[str, str]]]
) -> None:
    prepare(database, "v0", "v1", "v2")
    expected = lost = 0
    for number, unordered in enumerate(fleet):
        life = sorted(unordered, key=lambda fire: fire[0] == "not reported")  # after the watermark
        report(database, f"v{number}", [was for was, _ in life if was != "not reported"])
        for ordinal, (_, now) in enumerate(life, start=1):
            if now in ("catalogued", "failed"):
                catalogue(database, f"v{number}", ordinal, now)
            elif now in ("open", "received"):
                announce(database, f"v{number}", ordinal, state=now)
        missing = sum(now == "lost" for _, now in life)
        decided = ("catalogued", "failed", "received")
        hiding = sum(was in ("in_flight", "dropped") and now in decided for was, now in life)
        lost += missing
        expected += max(0, missing - hiding)
    found = counted(database)
    assert found.unaccounted == expected <= lost


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reports=st.lists(st.lists(st.sampled_from(KINDS), max_size=6), min_size=1, max_size=3),
    cloud=st.dictionaries(st.tuples(st.integers(0, 2), st.integers(1, 8)), st.sampled_from(["catalogued", "failed"])),
)
def test_counts_add_up_for_any_reports_and_any_clips(
    database: Database, reports: list[list[str]], cloud: dict[tuple[int, int], str]
) -> None:
    prepare(database, "v0", "v1", "v2")
    for number, kinds in enumerate(reports):
        report(database, f"v{number}", kinds)
    for (number, ordinal), outcome in cloud.items():
        catalogue(database, f"v{number}", ordinal, outcome)
    found = counted(database)
    assert found.fired == sum(map(len, reports))
    within = {key for key in cloud if key[0] < len(reports) and key[1] <= len(reports[key[0]])}
    assert found.catalogued == sum(cloud[key] == "catalogued" for key in within)


def test_counts_add_up_at_every_moment_while_all_report_and_upload(database: Database) -> None:
    prepare(database, "v0", "v1", "v2")
    done = threading.Event()

    def drive(number: int) -> None:
        chance = random.Random(number)
        kinds: list[str] = []
        for step in range(1, 25):
            kinds.append(chance.choice(["in_flight", "sampled_out", "dropped"]))
            report(database, f"v{number}", kinds, at_ns=step)
            if kinds[-1] == "in_flight":
                upload_id = announce(database, f"v{number}", step)
                kinds[-1] = "handed_over"
                if chance.random() < 0.7:  # else it is reported with the next one, maybe after it was catalogued
                    report(database, f"v{number}", kinds, at_ns=step)
                catalogue(database, f"v{number}", step, chance.choice(["catalogued", "failed"]), upload_id=upload_id)

    def watch() -> int:
        looks = 0
        while not done.is_set() or looks == 0:
            assert counted(database).unaccounted == 0
            looks += 1
        return looks

    with ThreadPoolExecutor(5) as pool:
        watching = pool.submit(watch)
        driving = [pool.submit(drive, number) for number in range(3)]
        try:
            for driver in driving:
                driver.result()
        finally:
            done.set()
        assert watching.result() > 0
    assert counted(database).fired == 72
