"""Place cells as shapes: what a shape touches has the cell of each of its positions, and is bounded, however large."""

from __future__ import annotations

import h3
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.clips.positions.cells import MAX_CELLS, bounds, box_area, outline, touched
from triggers.clips.place_cells import FINEST
from triggers.errors import InvalidInput

LONGITUDES = st.floats(-180, 180, allow_subnormal=False)
LATITUDES = st.floats(-89.9, 89.9, allow_subnormal=False)
SIZES = st.floats(0, 359) | st.floats(0, 0.5)
SHARES = st.floats(0, 1)
NEAR_A_POLE = st.floats(-90, -89.95) | st.floats(89.95, 90)


def parent(latitude: float, longitude: float, resolution: int) -> str:
    """The cell that the catalog has of a position, at a coarser resolution."""
    return str(h3.cell_to_parent(h3.latlng_to_cell(latitude, longitude, FINEST), resolution))


@given(LONGITUDES, LATITUDES, SIZES, SIZES, SHARES, SHARES)
@example(179.9, 0.0, 0.3, 0.3, 0.9, 0.5)
@example(-180.0, -89.9, 359.0, 179.8, 0.3, 0.99)
@example(0.0, -35.0, 0.0, 125.0, 0.0, 0.0)  # a line: three rows of cells
@example(-3.986, -50.55, 0.0, 140.55, 0.0, 0.0)  # and of smaller ones
def test_a_box_touches_the_cell_of_each_of_its_positions(
    west: float, south: float, width: float, height: float, across: float, up: float
) -> None:
    north = min(90.0, south + height)
    resolution, cells = touched([box_area(west, south, west + width, north)], [])
    longitude, latitude = west + across * width, south + up * (north - south)
    assert parent(latitude, longitude, resolution) in cells
    assert len(cells) <= 4 * MAX_CELLS, "estimated by most cells; a line has three rows of smaller ones"


@given(LONGITUDES, NEAR_A_POLE, SIZES, st.floats(0, 0.01), SHARES, SHARES)
@example(179.22, 90.0, 0.005, 0.01, 0.5, 0.0)
@example(-120.764, -89.988574, 31.868, 0.000093, 0.986, 0.43)
def test_a_box_at_a_pole_touches_the_cell_of_each_of_its_positions(
    west: float, south: float, width: float, height: float, across: float, up: float
) -> None:
    north = min(90.0, south + height)
    longitude, latitude = west + across * width, south + up * (north - south)
    resolution, cells = touched([box_area(west, south, west + width, north)], [])
    assert parent(latitude, longitude, resolution) in cells


@pytest.mark.parametrize("pole", [-90.0, 90.0])
def test_the_box_and_the_outline_of_a_cell_around_a_pole_hold_the_pole(pole: float) -> None:
    cell = h3.latlng_to_cell(pole, 0.0, FINEST)
    corners = [latitude for latitude, _ in h3.cell_to_boundary(cell)]
    box = west, south, east, north = bounds(cell)
    assert box == ((-180.0, min(corners), 180.0, pole) if pole > 0 else (-180.0, pole, 180.0, max(corners)))
    assert outline(cell) == [(west, south), (east, south), (east, north), (west, north)]


@given(LONGITUDES, LATITUDES)
def test_a_point_touches_its_cell_and_no_other(longitude: float, latitude: float) -> None:
    assert touched([], [(longitude, latitude)]) == (FINEST, [h3.latlng_to_cell(latitude, longitude, FINEST)])


@given(LONGITUDES, st.floats(-85, 85))
def test_the_box_around_a_cell_holds_its_corners_and_its_centre(longitude: float, latitude: float) -> None:
    cell = h3.latlng_to_cell(latitude, longitude, FINEST)
    west, south, east, north = bounds(cell)
    corners = [*outline(cell), h3.cell_to_latlng(cell)[::-1]]
    for x, y in corners:
        assert south <= y <= north
        assert any(west <= x + turn <= (east if west <= east else east + 360) for turn in (0, 360))
    assert (east - west) % 360 < 1


def test_a_small_shape_has_small_cells_and_a_large_one_large_cells() -> None:
    sizes = {size: touched([box_area(11, 48, 11 + size, 48 + size)], [])[0] for size in (0.01, 1, 10, 30)}
    assert sizes == {0.01: 7, 1: 5, 10: 3, 30: 3}
    assert touched([box_area(-180, -90, 180, 90)], [])[0] == 1


def test_an_area_with_a_hole_does_not_touch_the_cells_within_the_hole() -> None:
    outer, hole = box_area(11, 48, 11.4, 48.4)[0], box_area(11.1, 48.1, 11.3, 48.3)[0]
    _, cells = touched([[outer, hole]], [])
    assert h3.latlng_to_cell(48.2, 11.2, FINEST) not in cells and h3.latlng_to_cell(48.05, 11.2, FINEST) in cells


def test_an_area_that_is_as_wide_as_half_the_earth_is_refused_unless_it_is_a_box() -> None:
    with pytest.raises(InvalidInput, match="120 degrees wide"):
        touched([[[(0.0, 0.0), (120.0, 0.0), (60.0, 40.0)]]], [])
