"""The plan of a simulated fleet: a pure function of drives, catalog and seed."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.demo.drives import FIRST_START_NS, generate_drives, package_file
from fleet_api.simulation.simulate import (
    BREAK_NS,
    PlannedVehicle,
    Trip,
    VehicleResult,
    draw_attributes,
    measured_speed,
    plan_fleet,
    upload_queued,
)
from triggers.assignment.targets import matches
from triggers.contracts.campaign import Comparison, Junction
from triggers.distance import SpeedSignal
from triggers.drives.drive import Drive
from triggers.drives.find import find_drives
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

CATALOG = SignalCatalog.parse(package_file("signals.yaml"), name="signals.yaml")
NARROW = Junction(
    kind="and",
    operands=(
        Comparison(attribute="region", op="==", values=("Atlantis",)),
        Comparison(attribute="hardware", op=">=", values=(4,)),
    ),
)


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> list[Drive]:
    return find_drives(generate_drives(tmp_path_factory.mktemp("drives"), count=3, duration_s=16, camera=False))


def test_every_drive_is_played_and_every_vehicle_plays(drives: list[Drive]) -> None:
    for vehicles in (1, 2, 3, 5):
        plan = plan_fleet(drives, [{}] * vehicles)
        assert {trip.drive.path for vehicle in plan for trip in vehicle.trips} == {drive.path for drive in drives}
        assert all(vehicle.trips for vehicle in plan)
        assert len({vehicle.id for vehicle in plan}) == vehicles


def test_a_drive_is_played_at_the_time_its_metadata_tell_in_whole_seconds(drives: list[Drive]) -> None:
    (vehicle,) = plan_fleet(drives[:1], [{}])
    assert vehicle.trips[0].offset_ns == FIRST_START_NS
    assert vehicle.trips[0].offset_ns % NS_PER_S == 0


def test_a_vehicle_never_drives_twice_at_once(drives: list[Drive]) -> None:
    same_start = [drives[0], drives[0], drives[0]]
    (vehicle,) = plan_fleet(same_start, [{}])
    starts = [trip.offset_ns for trip in vehicle.trips]
    assert all(later - earlier >= BREAK_NS for earlier, later in pairwise(starts))


def test_no_drives_are_a_mistake() -> None:
    with pytest.raises(InvalidInput, match="no drives"):
        plan_fleet([], [{}])


def test_attributes_are_those_of_the_catalog_and_the_same_for_the_same_seed() -> None:
    drawn = [draw_attributes(CATALOG, [], seed=7, number=number) for number in range(20)]
    assert drawn == [draw_attributes(CATALOG, [], seed=7, number=number) for number in range(20)]
    assert drawn != [draw_attributes(CATALOG, [], seed=8, number=number) for number in range(20)]
    assert all(set(attributes) == {"model", "hardware", "region"} for attributes in drawn)
    assert all(isinstance(car["hardware"], int) and isinstance(car["model"], str) for car in drawn)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_vehicle_is_one_that_a_target_is_for(seed: int) -> None:
    assert matches(NARROW, draw_attributes(CATALOG, [NARROW], seed=seed, number=0))


def test_others_are_drawn_freely() -> None:
    drawn = [draw_attributes(CATALOG, [NARROW], seed=1, number=number) for number in range(1, 40)]
    assert {matches(NARROW, attributes) for attributes in drawn} == {True, False}


def test_the_folder_of_a_drive_names_it(drives: list[Drive], tmp_path: Path) -> None:
    assert [drive.name for drive in drives] == ["munich_a9", "gothenburg_e6", "turin_a4"]
    with pytest.raises(InvalidInput):
        find_drives([tmp_path / "nothing"])


def test_distance_is_counted_from_the_speed_of_the_catalog_in_its_unit_where_every_drive_has_it(
    drives: list[Drive], tmp_path: Path
) -> None:
    (vehicle,) = plan_fleet(drives[:1], [{}])
    assert measured_speed(vehicle, CATALOG) == SpeedSignal("ego.speed", "m/s")
    pq.write_table(pa.table({"t": [0.0, 1.0], "v": [36.0, 36.0]}), tmp_path / "bare.parquet")
    bare = PlannedVehicle("car-1", {}, (Trip(Drive(tmp_path / "bare.parquet"), 0), *vehicle.trips))
    assert measured_speed(bare, CATALOG) is None
    with pytest.raises(InvalidInput, match=r"`ego\.speed` is not a speed"):
        measured_speed(bare, CATALOG, "ego.speed")
    other = SignalCatalog.parse("signals: {v: {unit: km/h, rate: 1}}", name="c")
    assert measured_speed(PlannedVehicle("car-1", {}, bare.trips[:1]), other, "v") == SpeedSignal("v", "km/h")


class Waiting:
    """A vehicle whose one clip never comes due within a slice, as with a gateway that is gone."""

    def __init__(self) -> None:
        self.attempts = 0

    def status(self) -> SimpleNamespace:
        return SimpleNamespace(queued=("clip",))

    def upload_pending(self, deadline_s: float) -> SimpleNamespace:
        assert deadline_s > 0
        self.attempts += 1
        return SimpleNamespace(handed_over=0, bytes_acknowledged=0, problems=["no answer"])


def test_a_vehicle_that_cannot_upload_waits_between_its_attempts() -> None:
    vehicle: Any = Waiting()
    result = VehicleResult("car", {}, [])
    upload_queued(vehicle, result, threading.Event(), deadline_s=0.2, pause_s=0.05)
    assert 1 <= vehicle.attempts <= 5
    assert result.problems == ["no answer"] * vehicle.attempts
