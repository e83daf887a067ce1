"""Splits keep a place cell, or a vehicle, on one side, whatever else there is, and have about the shares asked for."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_api.datasets.rules import place_cell, side_of
from triggers.contracts.api.datasets.versions import Split, SplitRequest

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)
EIGHTY = SplitRequest(by="vehicle", train=80, val=10, test=10)


def of_vehicle(request: SplitRequest, number: int) -> Split:
    return side_of(request, vehicle=f"car-{number}", latitude=None, longitude=None)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES, st.text(max_size=5))
def test_clips_of_one_cell_are_on_one_side_and_those_of_one_vehicle_likewise(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float, seed: str
) -> None:
    by_place = SplitRequest(by="place", train=50, val=30, test=20, seed=seed)
    one = side_of(by_place, vehicle="car-1", latitude=latitude, longitude=longitude)
    two = side_of(by_place, vehicle="car-2", latitude=other_latitude, longitude=other_longitude)
    assert one == two or place_cell(latitude, longitude) != place_cell(other_latitude, other_longitude)
    assert one == side_of(by_place, vehicle="car-9", latitude=latitude, longitude=longitude)
    by_vehicle = SplitRequest(by="vehicle", train=50, val=30, test=20, seed=seed)
    assert side_of(by_vehicle, vehicle="car-1", latitude=latitude, longitude=longitude) == side_of(
        by_vehicle, vehicle="car-1", latitude=other_latitude, longitude=other_longitude
    )


def test_the_shares_are_about_those_asked_for() -> None:
    counts = Counter(of_vehicle(EIGHTY, number) for number in range(5000))
    assert abs(counts["train"] - 4000) < 150 and abs(counts["val"] - 500) < 100 and abs(counts["test"] - 500) < 100


def test_another_seed_gives_another_split_and_a_larger_share_keeps_what_was_in_train() -> None:
    other = EIGHTY.model_copy(update={"seed": "b"})
    assert any(of_vehicle(EIGHTY, number) != of_vehicle(other, number) for number in range(100))
    larger = SplitRequest(by="vehicle", train=90, test=10)
    kept = [number for number in range(500) if of_vehicle(EIGHTY, number) == "train"]
    assert all(of_vehicle(larger, number) == "train" for number in kept)


def test_a_share_of_nothing_gets_nothing() -> None:
    all_train = SplitRequest(by="vehicle", train=100)
    assert {of_vehicle(all_train, number) for number in range(1000)} == {"train"}


@pytest.mark.parametrize(("latitude", "longitude"), [(90, 180), (-90, -180), (90, -180), (0, 180), (-0.0, 0)])
def test_every_position_is_in_a_cell(latitude: float, longitude: float) -> None:
    assert place_cell(latitude, longitude).startswith("p")


def test_the_date_line_is_no_border_and_positions_close_by_share_a_cell() -> None:
    assert place_cell(52.51, 180.0) == place_cell(52.51, -180.0)
    assert place_cell(52.51, 13.401) == place_cell(52.511, 13.402)
    assert place_cell(52.51, 13.4) != place_cell(52.57, 13.4)


@pytest.mark.parametrize(
    "shares", [{"train": 80}, {"train": 80, "val": 30}, {"train": -10, "val": 110}, {"train": 101}]
)
def test_shares_that_are_not_the_whole_are_refused(shares: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        SplitRequest(**shares)
