"""Pairs and events of compared heads: a vehicle's counts only grow, whole, in whatever order its reports come."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from storage.counts.compared import compared, events
from storage.database import Database
from storage.tables import campaign_versions
from storage.vehicles.enrolment import enrol
from storage.vehicles.queries import get_vehicle
from storage.vehicles.telemetry import record_counts
from tests.support.fleet import add_version
from triggers.contracts.checkin import FireCounts, Telemetry
from triggers.contracts.compared import Compared, EventCounts, EventsBySides, Sides


@pytest.fixture(autouse=True)
def prepare(database: Database) -> None:
    """Two vehicles, and a campaign whose versions compare two heads."""
    with database.begin() as connection:
        for version in (1, 2):
            add_version(connection, "comparing", version)
        settings = campaign_versions.c.settings.op("||")({"compare": ["h", "k.f"]})
        connection.execute(update(campaign_versions).values(settings=settings))
        for vehicle_id in ("car-1", "car-2"):
            enrol(connection, vehicle_id, {})


def send(
    database: Database,
    heads: dict[str, Compared],
    *,
    events: dict[str, EventsBySides] | None = None,
    vehicle_id: str = "car-1",
    version: int = 1,
    at_ns: int = 1,
) -> int:
    counts = FireCounts(
        campaign="comparing", version=version, watermark=0, suppressed=0, compared=heads, events=events or {}
    )
    with database.begin() as connection:
        return record_counts(connection, vehicle_id, Telemetry(counts=(counts,), reported_at_ns=at_ns))


def tables(database: Database, version: int = 1) -> dict[str, Compared]:
    with database.begin() as connection:
        return compared(connection, "comparing", version)


def test_a_report_is_news_once_and_only_forward_whatever_its_time(database: Database) -> None:
    reports = [(5, 100), (5, 100), (4, 90), (6, 10), (5, 50), (6, 20)]
    assert [send(database, {"h": Compared(both=both)}, at_ns=at_ns) for both, at_ns in reports] == [1, 0, 0, 1, 0, 0]
    assert tables(database) == {"h": Compared(both=6)}


def test_a_table_is_taken_in_whole(database: Database) -> None:
    send(database, {"h": Compared(neither=10, only_shadow=2)})
    send(database, {"h": Compared(only_active=5, both=6)})
    assert tables(database) == {"h": Compared(neither=10, only_shadow=2)}
    send(database, {"h": Compared(only_active=5, both=8)})
    assert tables(database) == {"h": Compared(only_active=5, both=8)}


def test_heads_go_forward_by_themselves(database: Database) -> None:
    send(database, {"h": Compared(both=5), "k.f": Compared(neither=1)})
    assert send(database, {"h": Compared(both=4), "k.f": Compared(neither=2)}) == 1
    assert send(database, {"k.f": Compared(neither=3)}) == 1
    assert tables(database) == {"h": Compared(both=5), "k.f": Compared(neither=3)}


def test_vehicles_are_summed_and_versions_are_not(database: Database) -> None:
    send(database, {"h": Compared(1, 2, 3, 4, 5)})
    send(database, {"h": Compared(10, 20, 30, 40, 50)}, vehicle_id="car-2")
    send(database, {"h": Compared(unknown=7)}, vehicle_id="car-2", version=2)
    assert tables(database) == {"h": Compared(11, 22, 33, 44, 55)}
    assert tables(database, 2) == {"h": Compared(unknown=7)}
    assert tables(database, 3) == {}


def test_reports_in_any_order_and_at_once_end_at_the_newest(database: Database) -> None:
    reports = [{"h": Compared(both=n // 2, unknown=n - n // 2), "k.f": Compared(neither=n)} for n in range(20)]
    random.Random(1).shuffle(reports)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda heads: send(database, heads), reports))
    assert tables(database) == {"h": Compared(both=9, unknown=10), "k.f": Compared(neither=19)}


def test_pairs_that_fall_are_the_vehicles_problem_and_change_no_count(database: Database) -> None:
    seen = []
    for both, at_ns in [(40, 100), (40, 200), (39, 80), (3, 200), (7, 300), (41, 400)]:
        send(database, {"h": Compared(both=both), "k.f": Compared(neither=50 + both)}, at_ns=at_ns)
        with database.begin() as connection:
            seen.append(get_vehicle(connection, "car-1").problems)
    assert seen[:3] == [[], [], []], "reports that come late are no sign of a lost journal"
    of_h, of_k = seen[3]
    assert "pairs for h in comparing version 1 fell to 3 and is 40 here; " in of_h and "new id" in of_h
    assert "pairs for k.f in comparing version 1 fell to 53 and is 90 here; " in of_k
    assert seen[4] == seen[3]
    assert "fell to 3 and is 41 here" in seen[5][0]
    assert tables(database)["h"] == Compared(both=41)


def matched(database: Database, version: int = 1) -> dict[str, EventsBySides]:
    with database.begin() as connection:
        return events(connection, "comparing", version)


BOTH, WITH_DRIVER = Sides.ACTIVE_SHADOW, Sides.ACTIVE_DRIVER


def test_events_are_news_once_and_only_forward_whatever_their_time(database: Database) -> None:
    reports = [(5, 100), (5, 100), (4, 90), (6, 10), (5, 50), (6, 20)]
    found = [
        send(database, {}, events={"h": {BOTH: EventCounts(matched=count)}}, at_ns=at_ns) for count, at_ns in reports
    ]
    assert found == [1, 0, 0, 1, 0, 0]
    assert matched(database) == {"h": {BOTH: EventCounts(matched=6)}}


def test_events_of_two_sides_are_taken_in_whole_and_by_themselves(database: Database) -> None:
    send(database, {}, events={"h": {BOTH: EventCounts(10, 2), WITH_DRIVER: EventCounts(1)}})
    later = {"h": {BOTH: EventCounts(5, 6, 0, 1), WITH_DRIVER: EventCounts(1, 1)}}
    assert send(database, {}, events=later) == 1
    assert matched(database) == {"h": {BOTH: EventCounts(10, 2), WITH_DRIVER: EventCounts(1, 1)}}


def test_events_and_pairs_of_one_head_go_forward_beside_each_other(database: Database) -> None:
    send(database, {"h": Compared(both=5)}, events={"h": {BOTH: EventCounts(1)}})
    assert send(database, {"h": Compared(both=5)}, events={"h": {BOTH: EventCounts(2)}}) == 1
    assert send(database, {"h": Compared(both=6)}, events={"h": {BOTH: EventCounts(2)}}) == 1
    assert (tables(database), matched(database)) == ({"h": Compared(both=6)}, {"h": {BOTH: EventCounts(2)}})


def test_events_of_vehicles_are_summed_and_those_of_versions_are_not(database: Database) -> None:
    send(database, {}, events={"h": {BOTH: EventCounts(1, 2, 3, 4, 5)}})
    send(database, {}, events={"h": {BOTH: EventCounts(10, 20, 30, 40, 50)}}, vehicle_id="car-2")
    send(database, {}, events={"k.f": {BOTH: EventCounts(2**60)}}, vehicle_id="car-2", version=2)
    assert matched(database) == {"h": {BOTH: EventCounts(11, 22, 33, 44, 55)}}
    assert matched(database, 2) == {"k.f": {BOTH: EventCounts(2**60)}}


def test_reports_of_events_in_any_order_and_at_once_end_at_the_newest(database: Database) -> None:
    reports = [{"h": {BOTH: EventCounts(n // 2, n - n // 2), WITH_DRIVER: EventCounts(n)}} for n in range(20)]
    random.Random(2).shuffle(reports)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda found: send(database, {}, events=found), reports))
    assert matched(database) == {"h": {BOTH: EventCounts(9, 10), WITH_DRIVER: EventCounts(19)}}


def test_events_that_fall_are_the_vehicles_problem_and_change_no_count(database: Database) -> None:
    for count, at_ns in [(40, 100), (39, 80), (3, 200)]:
        send(database, {}, events={"h": {BOTH: EventCounts(count), WITH_DRIVER: EventCounts(50)}}, at_ns=at_ns)
    with database.begin() as connection:
        (problem,) = get_vehicle(connection, "car-1").problems
    assert "events for h (active_shadow) in comparing version 1 fell to 3 and is 40 here; " in problem
    assert matched(database)["h"][BOTH] == EventCounts(40)
