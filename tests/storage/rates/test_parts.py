"""Counts are divided by software and rollout, and whatever happens the parts add up to what a vehicle has counted."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text

from storage.database import Database
from storage.rates import parts
from storage.rates.parts import MAX_SOFTWARES, digest_of
from storage.tables import compare_counts, count_parts, event_counts, fire_counts
from tests.storage.rates.rates_support import HOUR_NS, enrol_all, report, roll_out, run_software
from tests.support.fleet import TRIGGER, add_version
from triggers.contracts.compared import Compared, EventCounts, Sides


@pytest.fixture(autouse=True)
def prepare(database: Database) -> None:
    with database.begin() as connection:
        add_version(connection, "braking")
    enrol_all(database, "car-1", "car-2")


def divided(database: Database) -> list[tuple[Any, ...]]:
    """Software, share, hours and fires of each part, in the order in which they began to grow."""
    with database.begin() as connection:
        rows = connection.execute(
            select(count_parts).order_by(count_parts.c.share, count_parts.c.software["stack"].astext)
        )
        return [(row.software.get("stack"), row.share, row.armed_ns / HOUR_NS, row.fires) for row in rows]


def require_that_parts_add_up(database: Database) -> None:
    with database.begin() as connection:
        totals: dict[Any, Counter[str]] = {}
        for row in connection.execute(select(count_parts)):
            total = totals.setdefault((row.vehicle_id, row.campaign, row.version), Counter())
            total.update({"armed_ns": row.armed_ns, "distance_m": row.distance_m})
            total.update({f"fires {name}": fires for name, fires in row.fires.items()})
            for head, counts in (*row.pairs.items(), *row.events.items()):
                total.update({f"{head} {place}": count for place, count in enumerate(counts)})
        counted: dict[Any, Counter[str]] = {}
        for row in connection.execute(select(fire_counts)):
            total = counted.setdefault((row.vehicle_id, row.campaign, row.version), Counter())
            total.update({"armed_ns": row.armed_ns, "distance_m": row.distance_m})
            total.update({f"fires {name}": fires for name, fires in row.per_trigger.items()})
        for row in connection.execute(select(compare_counts)):
            total = counted[row.vehicle_id, row.campaign, row.version]
            five = (row.neither, row.only_shadow, row.only_active, row.both, row.unknown)
            total.update({f"{row.head} {place}": count for place, count in enumerate(five)})
        for row in connection.execute(select(event_counts)):
            total = counted[row.vehicle_id, row.campaign, row.version]
            five = (row.matched, row.only_first, row.only_second, row.unresolved_first, row.unresolved_second)
            total.update({f"{row.head} {row.sides} {place}": count for place, count in enumerate(five)})
    assert {key: +total for key, total in totals.items()} == {key: +total for key, total in counted.items()}


def test_what_is_new_belongs_to_the_software_that_the_vehicle_told_last(database: Database) -> None:
    run_software(database, "car-1", stack="3.2.0")
    report(database, "car-1", 1, {TRIGGER: 4}, kilometres=50)
    run_software(database, "car-1", stack="3.2.1")
    report(database, "car-1", 3, {TRIGGER: 5}, kilometres=150)
    report(database, "car-1", 4, {TRIGGER: 5}, kilometres=200)
    assert divided(database) == [("3.2.0", 1.0, 1.0, {TRIGGER: 4}), ("3.2.1", 1.0, 3.0, {TRIGGER: 1})]
    require_that_parts_add_up(database)


def test_what_is_new_belongs_to_the_share_that_the_rollout_admitted_then(database: Database) -> None:
    roll_out(database, (0.01, 100), (0.1, 100), (1.0, 0), elapsed_s=50)
    report(database, "car-1", 1, {TRIGGER: 1})
    roll_out(database, (0.01, 100), (0.1, 100), (1.0, 0), elapsed_s=150)
    report(database, "car-1", 2, {TRIGGER: 2})
    roll_out(database, (0.01, 100), (0.1, 100), (1.0, 0), elapsed_s=999)
    report(database, "car-1", 4, {TRIGGER: 7})
    assert [(share, hours, fires[TRIGGER]) for _, share, hours, fires in divided(database)] == [
        (0.01, 1, 1),
        (0.1, 1, 1),
        (1.0, 2, 5),
    ]


@pytest.mark.parametrize(
    "halted", ["paused_at = rollout_from + interval '9 s', state = 'paused'", "held_at = rollout_from"]
)
def test_a_rollout_stands_still_while_it_is_paused_or_held(database: Database, halted: str) -> None:
    roll_out(database, (0.01, 100), (1.0, 0), elapsed_s=999)
    with database.begin() as connection:
        connection.execute(text(f"UPDATE campaign_versions SET {halted}"))
    report(database, "car-1", 1, {TRIGGER: 1})
    assert [share for _, share, _, _ in divided(database)] == [0.01]


def test_counts_from_before_there_were_parts_are_divided_with_the_next_report(database: Database) -> None:
    report(database, "car-1", 1, {TRIGGER: 4}, heads={"h": Compared(both=3)})
    with database.begin() as connection:
        connection.execute(count_parts.delete())
    report(database, "car-1", 2, {TRIGGER: 4}, heads={"h": Compared(both=3, only_shadow=1)})
    assert divided(database) == [(None, 1.0, 2.0, {TRIGGER: 4})]
    require_that_parts_add_up(database)


def test_events_belong_to_the_software_of_their_time(database: Database) -> None:
    for stack, matched in (("3.2.0", 4), ("3.2.1", 5)):
        run_software(database, "car-1", stack=stack)
        report(database, "car-1", matched, {}, events={"k.f": {Sides.ACTIVE_SHADOW: EventCounts(matched, 1)}})
    with database.begin() as connection:
        rows = connection.execute(select(count_parts.c.software["stack"].astext, count_parts.c.events))
        assert dict(tuple(row) for row in rows) == {
            "3.2.0": {"k.f active_shadow": [4, 1, 0, 0, 0]},
            "3.2.1": {"k.f active_shadow": [1, 0, 0, 0, 0]},
        }
    require_that_parts_add_up(database)


def test_dividing_again_changes_nothing(database: Database) -> None:
    events = {"h": {Sides.ACTIVE_SHADOW: EventCounts(1, 2, 3, 4, 5), Sides.SHADOW_DRIVER: EventCounts(7)}}
    report(database, "car-1", 1, {TRIGGER: 4}, heads={"h": Compared(1, 2, 3, 4, 5)}, events=events)
    before = divided(database)
    with database.begin() as connection:
        parts.divide(connection, "car-1", [("braking", 1)])
    assert divided(database) == before
    require_that_parts_add_up(database)


def test_a_vehicle_that_tells_ever_new_software_has_only_so_many_parts(database: Database) -> None:
    for number in range(MAX_SOFTWARES + 5):
        run_software(database, "car-1", stack=f"{number:02}")
        report(database, "car-1", number + 1, {TRIGGER: number})
    assert len(divided(database)) == MAX_SOFTWARES + 1
    assert (None, 1.0, 5.0, {TRIGGER: 5}) in divided(database)
    require_that_parts_add_up(database)


def test_no_part_is_below_zero_if_counts_fall(database: Database) -> None:
    """A vehicle that lost its journal overtakes its fires before its time."""
    report(database, "car-1", 5, {TRIGGER: 4})
    run_software(database, "car-1", stack="new")
    report(database, "car-1", 1, {TRIGGER: 6})
    assert divided(database) == [(None, 1.0, 5.0, {TRIGGER: 4}), ("new", 1.0, 0.0, {TRIGGER: 2})] or divided(
        database
    ) == [("new", 1.0, 0.0, {TRIGGER: 2}), (None, 1.0, 5.0, {TRIGGER: 4})]


def test_parts_add_up_whatever_is_reported_in_whatever_order_and_at_once(database: Database) -> None:
    steps = [
        (hours, {TRIGGER: hours // 2, "other": hours // 3}, {"h": Compared(neither=hours, both=2 * hours)})
        for hours in range(12)
    ]
    work = [(vehicle_id, *step) for step in steps for vehicle_id in ("car-1", "car-2") for _ in range(2)]
    random.Random(4).shuffle(work)

    def send(task: tuple[str, int, dict[str, int], dict[str, Compared]]) -> None:
        vehicle_id, hours, fires, heads = task
        run_software(database, vehicle_id, stack=str(hours % 3))
        report(database, vehicle_id, hours, fires, kilometres=hours, heads=heads)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, work))
    require_that_parts_add_up(database)
    assert len(divided(database)) > 2


def test_software_is_the_same_in_whatever_order_it_is_told() -> None:
    assert digest_of({"a": "1", "b": "2"}) == digest_of({"b": "2", "a": "1"}) != digest_of({"a": "12"})
