"""Outcomes: whatever vehicles report and the cloud stores, the counts add up and none is negative."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from storage.database import Database
from storage.outcomes import Outcomes, outcomes
from storage.tables import fires
from storage.vehicles import record_counts
from tests.support.fleet import PROGRAM_DIGEST, add_version, enroll_vehicle
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


def catalogue(database: Database, vehicle_id: str, ordinal: int, outcome: str) -> None:
    """The cloud decides on a fire."""
    with database.begin() as connection:
        connection.execute(
            insert(fires).values(
                campaign="braking",
                version=1,
                vehicle_id=vehicle_id,
                ordinal=ordinal,
                trigger="hard",
                program_digest=PROGRAM_DIGEST,
                t_ns=1,
                inclusion_probability=1.0,
                outcome=outcome,
                reason=None if outcome == "catalogued" else "hash_mismatch",
            )
        )


def counted(database: Database) -> Outcomes:
    """The campaign's outcomes, having checked that they add up."""
    with database.begin() as connection:
        found = outcomes(connection).get(("braking", 1), Outcomes())
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
                catalogue(database, f"v{number}", step, chance.choice(["catalogued", "failed"]))
                kinds[-1] = "handed_over"

    def watch() -> int:
        looks = 0
        while not done.is_set() or looks == 0:
            counted(database)
            looks += 1
        return looks

    with ThreadPoolExecutor(5) as pool:
        watching = pool.submit(watch)
        driving = [pool.submit(drive, number) for number in range(3)]
        try:
            for each in driving:
                each.result()
        finally:
            done.set()
        assert watching.result() > 0
    assert counted(database).fired == 72
