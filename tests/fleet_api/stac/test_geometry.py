"""Tracks as geometries: no line crosses the antimeridian, and every point of a track is in one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleet_api.stac.geometry import geometry_of

POINTS = st.tuples(st.floats(-89, 89), st.floats(-180, 180))


def lines_of(geometry: dict[str, Any]) -> list[list[tuple[float, float]]]:
    match geometry:
        case {"type": "MultiLineString", "coordinates": lines}:
            return list(lines)
        case {"type": "LineString", "coordinates": line}:
            return [line]
        case {"type": "Point", "coordinates": point}:
            return [[point]]
    raise AssertionError(geometry)


@given(st.lists(POINTS, min_size=1, max_size=20))
def test_lines_stay_on_their_side_and_pass_every_point_of_the_track(track: list[tuple[float, float]]) -> None:
    geometry = geometry_of(track)
    assert geometry is not None
    lines = lines_of(geometry)
    for line in lines:
        steps = [abs(x2 - x1) for (x1, _), (x2, _) in pairwise(line)]
        assert all(step <= 180 for step in steps)
        assert all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in line)
    passed = {(x % 360, y) for line in lines for x, y in line}
    assert {(longitude % 360, latitude) for latitude, longitude in track} <= passed


def test_a_track_over_the_date_line_is_cut_where_it_crosses() -> None:
    assert geometry_of([(-17.0, 179.5), (-18.0, -179.5)]) == {
        "type": "MultiLineString",
        "coordinates": [[(179.5, -17.0), (180.0, -17.5)], [(-180.0, -17.5), (-179.5, -18.0)]],
    }


def test_a_clip_that_stood_still_is_a_point_and_one_without_a_position_is_nowhere() -> None:
    assert geometry_of([(48.0, 11.0), (48.0, 11.0)]) == {"type": "Point", "coordinates": (11.0, 48.0)}
    assert geometry_of([]) is None
