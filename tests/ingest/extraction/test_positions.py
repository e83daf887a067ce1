"""Track and box of a clip: at the antimeridian, with samples that no car can drive to, and with other longitudes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.extraction.outputs import MAX_TRACK_POINTS
from ingest.extraction.positions import Positions, positions
from ingest.extraction.track import box, track
from triggers.clips.damage import Remark
from triggers.drives.series import SignalSeries
from triggers.times import NS_PER_S

Points = list[tuple[float, float]]


def series(values: list[float], *, offset_ns: int = 0, period_ns: int = NS_PER_S // 10) -> SignalSeries:
    return SignalSeries(np.arange(len(values), dtype=np.int64) * period_ns + offset_ns, np.array(values, dtype=float))


def located(points: Points, *, offset_ns: int = 0) -> tuple[Positions, list[Remark]]:
    """The positions of points at 10 Hz; longitudes come `offset_ns` after latitudes."""
    remarks: list[Remark] = []
    latitudes, longitudes = series([p[0] for p in points]), series([p[1] for p in points], offset_ns=offset_ns)
    return positions(latitudes, longitudes, remarks), remarks


def test_a_track_across_the_antimeridian_has_a_box_whose_west_is_beyond_its_east() -> None:
    found, remarks = located([(-43.9, 179.9999), (-43.9, 179.99999), (-43.9, -179.99999), (-43.9, -179.9999)])
    assert box(found) == (179.9999, -43.9, -179.9999, -43.9)
    assert track(found) == ((-43.9, 179.9999), (-43.9, -179.9999))
    assert remarks == []


@pytest.mark.parametrize("degree", [180.0, -180.0])
def test_a_drive_along_the_antimeridian_has_a_small_box(degree: float) -> None:
    found, _ = located([(10.0, degree), (10.00001, -degree), (10.00002, degree)])
    west, south, east, north = box(found) or (0.0, 0.0, 0.0, 0.0)
    assert (abs(west), abs(east), south, north) == (180.0, 180.0, 10.0, 10.00002)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(48.0, 48.0001), st.floats(11.0, 11.0001)), min_size=1, max_size=40),
    st.integers(-(10**9), 10**9),
)
def test_the_box_holds_every_sample_however_the_track_is_simplified(points: Points, offset_ns: int) -> None:
    found, remarks = located(points, offset_ns=offset_ns)
    assert remarks == []
    if abs(offset_ns) > 10**8 * (len(points) - 1):
        return  # the two were not measured together
    assert found.points[:, 0].min() >= min(p[0] for p in points)
    west, south, east, north = box(found) or (0.0, 0.0, 0.0, 0.0)
    for latitude, longitude in found.points:
        assert south <= latitude <= north
        assert west <= longitude <= east


def test_the_box_holds_the_extremes_of_both_signals() -> None:
    """The last longitude comes after the last latitude, and a bend of less than the tolerance is not in the track."""
    points = [(48.0, 11.0), (48.0, 11.00001), (48.000004, 11.00002), (48.0, 11.00003), (48.0, 11.00004)]
    found, _ = located(points, offset_ns=1_000_000)
    assert box(found) == (11.0, 48.0, 11.00004, 48.000004)
    assert 48.000004 not in [latitude for latitude, _ in track(found)]


def test_a_clip_with_one_latitude_and_a_longitude_after_it_has_a_place() -> None:
    """As a receiver at 1 Hz gives them to a clip of a second: what has a box has a track, too."""
    found, remarks = located([(48.1, 11.5)], offset_ns=1_000_000)
    assert (box(found), track(found), remarks) == ((11.5, 48.1, 11.5, 48.1), ((48.1, 11.5),), [])
    later = positions(series([48.1]), series([11.5, 11.50001], offset_ns=1_000_000), remarks)
    assert track(later) == ((48.1, 11.5), (48.1, 11.50001))


@pytest.mark.parametrize("at", [0, 1, 25, 49])
@pytest.mark.parametrize("wrong", [[(0.0, 0.0)], [(0.0, 0.0)] * 5, [(48.14, 12.5)], [(-48.14, 11.58)]])
def test_positions_that_no_car_can_drive_to_are_left_out_and_counted(at: int, wrong: Points) -> None:
    right = [(48.14 + i * 1e-5, 11.58) for i in range(50)]
    found, (remark,) = located([*right[:at], *wrong, *right[at:]])
    assert box(found) == (11.58, 48.14, 11.58, right[-1][0])
    assert (remark.reason, remark.count, remark.damages) == ("positions_left_out", len(wrong), False)


def test_every_second_position_may_be_wrong() -> None:
    right = [(48.14 + i * 1e-5, 11.58) for i in range(50)]
    mixed = [point for pair in zip(right, [(0.0, float(i * 7)) for i in range(50)], strict=True) for point in pair]
    found, (remark,) = located(mixed)
    assert box(found) == (11.58, 48.14, 11.58, right[-1][0])
    assert remark.count == 50


def test_a_drive_through_a_tunnel_goes_on_behind_it() -> None:
    remarks: list[Remark] = []
    times = np.array([0, 1, 61, 62], dtype=np.int64) * NS_PER_S
    latitudes = np.array([48.0, 48.0002, 48.03, 48.0302])
    found = positions(SignalSeries(times, latitudes), SignalSeries(times, np.full(4, 11.0)), remarks)
    assert (remarks, len(found.points)) == ([], 4)


def test_longitudes_from_0_to_360_are_the_same_places() -> None:
    found, remarks = located([(-43.9, 190.0), (-43.9, 190.00001)])
    west, south, east, north = box(found) or (0.0, 0.0, 0.0, 0.0)
    assert (west, east) == pytest.approx((-170.0, -169.99999))
    assert (south, north, remarks) == (-43.9, -43.9, [])


@pytest.mark.parametrize("point", [(91.0, 11.0), (48.0, 361.0), (-1e300, 11.0)])
def test_a_clip_without_any_possible_position_is_damaged(point: tuple[float, float]) -> None:
    found, (remark,) = located([point, point])
    assert (box(found), track(found)) == (None, ())
    assert (remark.reason, remark.damages) == ("position_out_of_range", True)
    assert "2 of 2 samples" in remark.message


def test_one_sample_out_of_range_is_left_out() -> None:
    found, (remark,) = located([(48.0, 11.0), (95.0, 11.0), (48.00001, 11.0)])
    assert box(found) == (11.0, 48.0, 11.0, 48.00001)
    assert (remark.reason, remark.damages) == ("positions_left_out", False)


def test_invalid_measurements_are_no_mistake() -> None:
    found, remarks = located([(math.inf, 11.0), (math.nan, math.nan), (48.0, 11.0)])
    assert (box(found), remarks) == ((11.0, 48.0, 11.0, 48.0), [])


def test_a_long_track_has_a_bounded_number_of_points_and_keeps_its_ends() -> None:
    generator = np.random.default_rng(1)
    wander = np.array([48.0, 11.0]) + np.cumsum(generator.normal(0, 1e-5, (30_000, 2)), axis=0)
    found, remarks = located([(float(a), float(b)) for a, b in wander])
    kept = track(found)
    assert remarks == []
    assert len(kept) <= MAX_TRACK_POINTS
    assert (kept[0], kept[-1]) == (tuple(wander[0]), tuple(wander[-1]))


def test_nothing_is_needed_for_no_track() -> None:
    found, remarks = located([])
    assert (box(found), track(found), remarks) == (None, (), [])
