"""Sums over vehicles in SQL are those that Python computes from the same reports."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from sqlalchemy import func, update

from storage.database import Database
from storage.rates import days
from storage.rates.sums import (
    EventSums,
    HeadSums,
    TriggerSums,
    event_sums,
    head_sums,
    sums_of_json,
    sums_to_json,
    trigger_sums,
)
from storage.tables import rate_days, vehicles
from tests.storage.rates.rates_support import HOUR_NS, enrol_all, report, roll_out, run_software
from tests.support.fleet import TRIGGER, add_version
from triggers.contracts.compared import Compared, EventCounts, Sides
from triggers.statistics.fleet_rates import Report, VehicleSums

VERSION = ("braking", 1)
CARS = [f"car-{number}" for number in range(6)]


@pytest.fixture(autouse=True)
def prepare(database: Database) -> None:
    with database.begin() as connection:
        add_version(connection, "braking")
    enrol_all(database, *CARS)


def sums_of(database: Database, component: str | None = None) -> list[TriggerSums]:
    with database.begin() as connection:
        return trigger_sums(connection, {VERSION: [TRIGGER, "silent"]}, component)


def heads_of(database: Database, component: str | None = None) -> list[HeadSums]:
    with database.begin() as connection:
        return head_sums(connection, [VERSION], component)


def test_sums_of_a_rollout_are_exactly_those_of_its_reports(database: Database) -> None:
    rng = random.Random(7)
    reports: dict[str, list[Report]] = {car: [] for car in CARS}
    counted = dict.fromkeys(CARS, (0, 0, 0))
    for stage, share in enumerate((0.01, 0.2, 1.0)):
        roll_out(database, (0.01, 100), (0.2, 100), (1.0, 0), elapsed_s=100 * stage + 50)
        for car in CARS[: 2 * stage + 2]:
            hours, fires, kilometres = rng.randint(1, 9), rng.randint(0, 5), rng.randint(0, 400)
            reports[car].append(Report(fires, hours * HOUR_NS, Fraction(str(share))))
            counted[car] = tuple(a + b for a, b in zip(counted[car], (hours, fires, kilometres), strict=True))  # type: ignore[assignment]
            report(database, car, counted[car][0], {TRIGGER: counted[car][1]}, kilometres=counted[car][2])
    fired, silent = sums_of(database)
    assert fired.time == VehicleSums.of(reports.values())
    assert fired.fires == sum(fires for _, fires, _ in counted.values())
    assert fired.exposure.armed_ns == sum(hours for hours, _, _ in counted.values()) * HOUR_NS
    assert (silent.fires, silent.time.fires, silent.time.exposure) == (0, 0, fired.time.exposure)


def test_a_vehicle_that_drove_no_distance_is_in_no_rate_per_distance(database: Database) -> None:
    report(database, "car-0", 1, {TRIGGER: 3}, kilometres=0)
    report(database, "car-1", 2, {TRIGGER: 5}, kilometres=100)
    fired, _ = sums_of(database)
    assert (fired.time.vehicles, fired.time.fires) == (2, 8)
    assert fired.way == VehicleSums.of([[Report(5, 100_000)]])


def test_vehicles_whose_counts_are_voided_are_in_no_sum(database: Database) -> None:
    report(database, "car-0", 1, {TRIGGER: 3}, heads={"h": Compared(both=5)})
    report(database, "car-1", 1, {TRIGGER: 100}, heads={"h": Compared(only_shadow=5)})
    with database.begin() as connection:
        connection.execute(update(vehicles).where(vehicles.c.id == "car-1").values(counts_voided_at="2026-01-01"))
    assert sums_of(database)[0].fires == 3
    assert [(head.head, head.pairs.fires, head.pairs.exposure) for head in heads_of(database)] == [("h", 0, 5)]


def test_versions_of_a_component_are_told_apart(database: Database) -> None:
    run_software(database, "car-0", stack="1", agent="x")
    report(database, "car-0", 1, {TRIGGER: 3}, heads={"h": Compared(neither=9, only_active=1)})
    run_software(database, "car-0", stack="2", agent="x")
    report(database, "car-0", 3, {TRIGGER: 4}, heads={"h": Compared(neither=9, only_active=1, both=4, unknown=2)})
    report(database, "car-1", 5, {TRIGGER: 0})
    found = [
        (each.exposure.label, each.fires, each.time.exposure)
        for each in sums_of(database, "stack")
        if each.trigger == TRIGGER
    ]
    assert found == [("", 0, 5 * HOUR_NS), ("1", 3, HOUR_NS), ("2", 1, 2 * HOUR_NS)]
    assert [each.exposure.label for each in sums_of(database, "agent") if each.trigger == TRIGGER] == ["", "x"]
    heads = [(each.label, each.pairs.fires, each.pairs.exposure, each.unknown) for each in heads_of(database, "stack")]
    assert heads == [("1", 1, 10, 0), ("2", 0, 4, 2)]


def test_a_vehicle_that_ran_two_softwares_is_one_vehicle_if_they_are_not_told_apart(database: Database) -> None:
    for stack in ("1", "2"):
        run_software(database, "car-0", stack=stack)
        report(database, "car-0", int(stack), {TRIGGER: int(stack)}, heads={"h": Compared(only_shadow=int(stack))})
    (fired, _), (head,) = sums_of(database), heads_of(database)
    assert fired.time == VehicleSums.of([[Report(2, 2 * HOUR_NS)]])
    assert head.pairs == VehicleSums.of([[Report(2, 2)]])


def test_sums_come_back_from_their_records(database: Database) -> None:
    roll_out(database, (0.03, 0))
    report(database, "car-0", 1, {TRIGGER: 3}, kilometres=7)
    before = sums_of(database)
    with database.begin() as connection:
        days.record(connection, before)
        days.record(connection, before)
        latest = days.latest(connection, {VERSION: [TRIGGER, "silent"]})
        recorded = days.recorded_days(connection, {VERSION: [TRIGGER, "silent"]})
    assert [each.sums.time for each in latest] == [each.time for each in before]
    assert [(each.sums.fires, each.sums.trigger) for each in latest] == [(3, TRIGGER), (0, "silent")]
    assert [day.fires for day in recorded["braking", 1, TRIGGER]] == [3], "one record of a day"
    assert sums_of_json(sums_to_json(before[0].way)) == before[0].way


def test_of_the_records_of_years_the_newest_are_read(database: Database) -> None:
    report(database, "car-0", 1, {TRIGGER: 3})
    of_today = sums_of(database)
    with database.begin() as connection:
        for ago in range(days.MAX_DAYS + 5, -1, -1):
            days.record(connection, of_today)
            connection.execute(
                update(rate_days)
                .where(rate_days.c.day == func.current_date())
                .values(day=rate_days.c.day - ago, fires=1000 - ago)
            )
        recorded = days.recorded_days(connection, {VERSION: [TRIGGER]})
        [latest] = days.latest(connection, {VERSION: [TRIGGER]})
    assert list(recorded) == [(*VERSION, TRIGGER)], "and of the triggers that were asked for"
    assert [day.fires for day in recorded[*VERSION, TRIGGER]] == list(range(1001 - days.MAX_DAYS, 1001))
    assert latest.sums.fires == 1000


def test_the_sums_of_some_versions_of_a_component_are_those_among_the_sums_of_all(database: Database) -> None:
    for stack, hours in (("1", 1), ("2", 3), ("3", 7)):
        run_software(database, "car-0", stack=stack)
        report(database, "car-0", hours, {TRIGGER: hours}, heads={"h": Compared(only_shadow=hours)})
    with database.begin() as connection:
        for labels in (["1", "3"], ["2"], ["4"], []):
            fired = trigger_sums(connection, {VERSION: [TRIGGER]}, "stack", labels)
            heads = head_sums(connection, [VERSION], "stack", labels)
            everything = trigger_sums(connection, {VERSION: [TRIGGER]}, "stack")
            assert fired == [each for each in everything if each.exposure.label in labels]
            assert heads == [each for each in head_sums(connection, [VERSION], "stack") if each.label in labels]


def test_versions_that_ended_long_ago_are_recorded_no_more(database: Database) -> None:
    with database.begin() as connection:
        for name, ended in (("late", "1 day"), ("old", "30 days")):
            add_version(connection, name, state="stopped")
            connection.exec_driver_sql(
                f"UPDATE campaign_versions SET ended_at = now() - interval '{ended}' WHERE campaign = '{name}'"
            )
        assert days.counting_versions(connection) == {VERSION: [TRIGGER], ("late", 1): [TRIGGER]}


def events_of(database: Database, component: str | None = None) -> list[EventSums]:
    with database.begin() as connection:
        return event_sums(connection, [VERSION], component)


def test_events_are_summed_per_distance_with_the_weights_of_their_rollout(database: Database) -> None:
    roll_out(database, (0.5, 0))
    report(database, "car-0", 1, {}, kilometres=100, events={"h": {Sides.ACTIVE_SHADOW: EventCounts(3, 1, 0, 2, 0)}})
    report(database, "car-1", 1, {}, kilometres=300, events={"h": {Sides.ACTIVE_SHADOW: EventCounts(0, 0, 5)}})
    report(database, "car-2", 1, {}, kilometres=0, events={"h": {Sides.ACTIVE_SHADOW: EventCounts(9, 9, 9)}})
    (found,) = events_of(database)
    assert (found.head, found.sides, found.exposure.distance_m) == ("h", Sides.ACTIVE_SHADOW, 400_000)
    assert found.counts == EventCounts(12, 10, 14, 2, 0)
    half = Fraction(1, 2)
    for sums_, counts in ((found.matched, (3, 0)), (found.only_first, (1, 0)), (found.only_second, (0, 5))):
        reports = [Report(counts[0], 100_000, half)], [Report(counts[1], 300_000, half)]
        assert sums_ == VehicleSums.of(reports), "a vehicle without distance has no rate, nor has what it counted"


def test_events_of_two_softwares_and_sides_are_told_apart(database: Database) -> None:
    for stack, events in (("1", EventCounts(4)), ("2", EventCounts(4, 3))):
        run_software(database, "car-0", stack=stack)
        both = {Sides.ACTIVE_SHADOW: events, Sides.ACTIVE_DRIVER: EventCounts(int(stack))}
        report(database, "car-0", int(stack), {}, kilometres=10 * int(stack), events={"h": both})
    found = [
        (each.exposure.label, each.sides, each.counts, each.matched.exposure) for each in events_of(database, "stack")
    ]
    assert found == [
        ("1", Sides.ACTIVE_DRIVER, EventCounts(1), 10_000),
        ("2", Sides.ACTIVE_DRIVER, EventCounts(1), 10_000),
        ("1", Sides.ACTIVE_SHADOW, EventCounts(4), 10_000),
        ("2", Sides.ACTIVE_SHADOW, EventCounts(0, 3), 10_000),
    ]


def test_events_of_voided_vehicles_are_in_no_sum(database: Database) -> None:
    report(database, "car-0", 1, {}, kilometres=1, events={"h": {Sides.ACTIVE_SHADOW: EventCounts(1)}})
    report(database, "car-1", 1, {}, kilometres=1, events={"h": {Sides.ACTIVE_SHADOW: EventCounts(100)}})
    with database.begin() as connection:
        connection.execute(update(vehicles).where(vehicles.c.id == "car-1").values(counts_voided_at="2026-01-01"))
    (found,) = events_of(database)
    assert found.counts == EventCounts(1)
