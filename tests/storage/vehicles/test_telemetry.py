"""Counts that vehicles report: they only go forward, in whatever order reports come."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from storage.database import Database
from storage.tables import fire_counts
from storage.vehicles import queries, telemetry
from storage.vehicles.enrolment import enrol
from tests.support.fleet import TRIGGER, add_version
from triggers.assignment.given import CountedParts
from triggers.contracts.checkin import FireCounts, Telemetry


def report(watermark: int, in_flight: int, at_ns: int) -> Telemetry:
    """Counts of `braking` with that many fires, those not in flight handed over."""
    counts = FireCounts(
        campaign="braking",
        version=1,
        watermark=watermark,
        suppressed=0,
        in_flight=in_flight,
        handed_over=watermark - in_flight,
        per_trigger={"hard": watermark},
    )
    return Telemetry(counts=(counts,), reported_at_ns=at_ns)


def prepare(database: Database) -> None:
    """A campaign and a vehicle."""
    with database.begin() as connection:
        add_version(connection, "braking")
        enrol(connection, "car-1", {})


def test_a_report_is_news_once_and_only_forward(database: Database) -> None:
    prepare(database)
    reports = [(5, 5, 100), (5, 5, 100), (4, 0, 900), (5, 3, 50), (5, 4, 999), (5, 3, 60), (6, 6, 1)]
    news = []
    for numbers in reports:
        with database.begin() as connection:
            news.append(telemetry.record_counts(connection, "car-1", report(*numbers)))
    assert news == [1, 0, 0, 1, 0, 1, 1]


def test_reports_in_any_order_and_at_once_end_at_the_newest(database: Database) -> None:
    prepare(database)
    reports = [(watermark, in_flight, watermark) for watermark in range(8) for in_flight in range(watermark + 1)]
    random.Random(1).shuffle(reports)

    def send(numbers: tuple[int, int, int]) -> None:
        with database.begin() as connection:
            telemetry.record_counts(connection, "car-1", report(*numbers))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, reports))
    with database.begin() as connection:
        (row,) = connection.execute(select(fire_counts)).all()
    assert (row.watermark, row.in_flight, row.handed_over) == (7, 0, 7)


def test_a_count_that_falls_is_the_vehicles_problem_and_changes_no_count(database: Database) -> None:
    prepare(database)
    seen = []
    for numbers in [(40, 0, 100), (40, 0, 90), (39, 0, 80), (3, 3, 200), (7, 0, 300), (41, 0, 400)]:
        with database.begin() as connection:
            telemetry.record_counts(connection, "car-1", report(*numbers))
            seen.append(queries.get_vehicle(connection, "car-1").problems)
            assert queries.list_vehicles(connection)[0].problems == seen[-1]
    assert seen[:3] == [[], [], []], "reports that come late are no sign of a lost journal"
    assert "braking version 1 fell to 3 and is 40 here" in seen[3][0]
    assert "new id" in seen[3][0]
    assert seen[4] == seen[3]
    assert "fell to 3 and is 41 here" in seen[5][0]


def test_what_versions_that_exist_count_is_known(database: Database) -> None:
    prepare(database)
    with database.begin() as connection:
        asked = {("braking", 1), ("braking", 2), ("none", 1), ("braking", 2**40)}
        parts = telemetry.counted_parts(connection, asked)
    assert parts == {("braking", 1): CountedParts(frozenset(), frozenset({TRIGGER}))}
