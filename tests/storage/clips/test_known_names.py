"""Names that no clip has had are refused with those that exist, and signals with two units unless one is stated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, update

from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.tables import campaign_versions
from tests.storage.clips.catalog_support import add_clip
from tests.support.fleet import add_version
from triggers.errors import InvalidInput


def found(connection: Connection, source: str, sortby: str = "-start") -> list[str]:
    query = ClipQuery.parse(filter_source=source, sortby=sortby)
    return [clip.vehicle_id for clip in search(connection, query).clips]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


@pytest.fixture
def fleet(connection: Connection) -> Connection:
    """A clip with a yaw rate in deg/s, and one in rad/s; both vehicles have a region, and a speed in m/s."""
    for vehicle, yaw_rate, unit in (("a", 90.0, "deg/s"), ("b", 1.0, "rad/s")):
        add_clip(
            connection,
            vehicle_id=vehicle,
            statistics={
                "ego.yaw_rate": (0.0, yaw_rate, 0.5),
                "ego.speed": (0.0, 31.5, 12.0),
                "vehicle.axle.load": (0.0, 1.0, 0.5),
            },
            units={"ego.yaw_rate": unit, "ego.speed": "m/s"},
            attributes={"region": "EU"},
        )
    return connection


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("vehicle.axle.load > 1", "that is a signal: write vehicle.axle.load.max, .min or .mean"),
        (
            "\"vehicle.my-regio\" = 'EU'",
            "no clip has had the attribute 'vehicle.my-regio' (line 1, column 1); did you mean",
        ),
        ("ego.speeed.max > 1", "no clip has had the signal 'ego.speeed' (line 1, column 1); did you mean ego.speed"),
        ("TRUE AND\n NOT in_unit(ego.speeed.max, 'km/h') > 1", "the signal 'ego.speeed' (line 2, column 14)"),
        ("ego.speed.max > 1 AND ego.yaw_rate.max > 1", "depending on the clip (line 1, column 23)"),
        ("x.max > 1", "clips have ego.speed, ego.yaw_rate"),
        (
            "vehicle.regio = 'EU'",
            "no clip has had the attribute 'vehicle.regio' (line 1, column 1); did you mean vehicle.region?",
        ),
        ("EGO.SPEED.MAX > 1", "did you mean ego.speed.max or EGO.SPEED.max"),
        ("EGO.SPEED.max > 1", "no clip has had the signal 'EGO.SPEED' (line 1, column 1); did you mean ego.speed"),
        ("VEHICLE.REGION = 'EU'", "did you mean vehicle.region?"),
        (
            "vehicle.REGION = 'EU'",
            "no clip has had the attribute 'vehicle.REGION' (line 1, column 1); did you mean vehicle.region?",
        ),
        ("START > TIMESTAMP('2026-01-01T00:00:00Z')", "did you mean start?"),
        ("vehicle.regio IS NULL", "did you mean vehicle.region?"),
    ],
)
def test_a_name_that_no_clip_has_had_is_refused(fleet: Connection, source: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        found(fleet, source)
    assert says in str(refused.value)


def test_a_signal_that_needs_a_prefix_is_proposed_with_it(connection: Connection) -> None:
    add_clip(connection, statistics={"signal.left": (0.0, 1.0, 0.5)})
    with pytest.raises(InvalidInput) as refused:
        found(connection, "signal.left.max = 1")
    assert refused.value.remedy == "that of `signal.left` is written signal.signal.left.max"
    assert len(found(connection, "signal.signal.left.max = 1")) == 1


@pytest.mark.parametrize(
    ("source", "notes"),
    [
        ("campaign = 'Brakin'", ("there is no campaign 'Brakin'; did you mean 'braking'?",)),
        ("fire(trigger IN ('hard_braek', 'zzz'))", ("there is no trigger 'hard_braek'; did you mean 'hard_brake'?",
                                                    "there is no trigger 'zzz'")),
        ("vehicle.region = 'EUU'", ("there is no vehicle.region 'EUU'; did you mean 'eu'?",)),
        ("campaign = 'braking' AND ego.speed.max > 1000", ()),
        ("label = 'car'", ()),
        ("vehicle.region = 'EU'", ()),
    ],
)  # fmt: skip
def test_what_finds_nothing_says_which_names_there_are_not(
    fleet: Connection, source: str, notes: tuple[str, ...]
) -> None:
    add_version(fleet, "braking")
    assert search(fleet, ClipQuery.parse(filter_source=source)).notes == notes


def test_a_sort_key_that_no_clip_has_had_is_refused(fleet: Connection) -> None:
    with pytest.raises(InvalidInput, match=r"did you mean ego\.speed"):
        found(fleet, "TRUE", sortby="ego.speeed.max")


def test_while_there_is_no_clip_every_name_is_accepted(connection: Connection) -> None:
    assert found(connection, "ego.speed.max > 1 AND vehicle.region = 'EU'") == []


def test_what_a_campaigns_catalog_declares_is_known_before_a_clip_has_it(fleet: Connection) -> None:
    catalog = "signals:\n  ego.torque: {unit: Nm, rate: 10}\nvehicle: {model: text}\n"
    add_version(fleet, "braking")
    fleet.execute(update(campaign_versions).values(signal_catalog=catalog))
    assert found(fleet, "ego.torque.max > 1 OR vehicle.model = 'x'") == []


@pytest.mark.parametrize(
    ("source", "vehicles"),
    [
        ("in_unit(ego.yaw_rate.max, 'deg/s') > 80", ["a"]),
        ("in_unit(ego.yaw_rate.max, 'deg/s') < 80", ["b"]),
        ("in_unit(ego.yaw_rate.max, 'rad/s') > 1.5", ["a"]),
        ("in_unit(ego.yaw_rate.max, 'deg/s') = 90", ["a"]),
        ("in_unit(ego.yaw_rate.max, 'm/s') IS NULL", ["a", "b"]),
        ("in_unit(ego.speed.max, 'km/h') BETWEEN 113 AND 114", ["a", "b"]),
        ("ego.yaw_rate.samples > 1", ["a", "b"]),
        ("ego.speed.max > 31", ["a", "b"]),
    ],
)
def test_a_filter_states_the_unit_of_a_signal_that_has_two(fleet: Connection, source: str, vehicles: list[str]) -> None:
    assert sorted(found(fleet, source)) == vehicles


@pytest.mark.parametrize(("source", "sortby"), [("ego.yaw_rate.max > 1", "start"), ("TRUE", "-ego.yaw_rate.max")])
def test_a_signal_with_two_units_is_not_compared_as_if_it_had_one(fleet: Connection, source: str, sortby: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        found(fleet, source, sortby)
    assert "`ego.yaw_rate.max` is in deg/s and in rad/s, depending on the clip" in str(refused.value)
    assert "in_unit(ego.yaw_rate.max, 'rad/s')" in refused.value.remedy
