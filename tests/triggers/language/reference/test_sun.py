"""The sun's elevation and the solar time, against values that another implementation computed."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from tests.triggers.language.support import ir_of
from triggers.language.reference.earth.sun import elevation_deg
from triggers.language.reference.interpreter import Interpreter
from triggers.language.reference.values import Value
from triggers.language.rows import Row
from triggers.language.sun import DAY_NS, ERROR_DEG, FIRST_NS, HOUR_NS, J2000_NS
from triggers.times import NS_PER_S

ELEVATIONS = (
    ("2000-01-01T12:00:00", 35.68, 139.69, -52.3049),
    ("2001-06-21T11:14:30", 35.68, 103.85, 11.8576),
    ("2004-02-29T23:59:59", 69.65, 139.69, 7.3192),
    ("2008-08-08T06:00:00", 69.65, 151.21, 25.2677),
    ("2012-12-21T16:20:00", 35.68, -74.01, 30.3234),
    ("2017-03-20T10:28:00", 69.65, 151.21, -11.9000),
    ("2020-06-21T04:40:00", 48.137, 15.65, 14.1706),
    ("2024-09-22T18:15:45", 35.68, 18.96, -19.9700),
    ("2026-11-29T15:30:00", 48.137, 151.21, -55.9364),
    ("2026-03-20T05:48:00", 48.137, 11.575, 4.3510),
    ("2031-01-15T08:08:08", 1.29, 103.85, 41.8745),
    ("2038-01-19T03:14:07", 48.137, 139.69, 21.3509),
    ("2044-10-02T13:00:00", -54.8, 139.69, -28.3349),
    ("2049-12-31T20:45:00", 1.29, 103.85, -33.1020),
)
"""UTC, latitude and longitude in degrees, and the sun's elevation without refraction by Astropy 8.0 (`get_sun`)."""


def unix_ns(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * NS_PER_S


def value(expression: str, t_ns: int, latitude: float, longitude: float) -> Value:
    """The value of an expression at a tick with this position."""
    evaluator = Interpreter(ir_of(f"({expression}) == ({expression})"))
    evaluator.run([Row(t_ns, {"lat": latitude, "lon": longitude})])
    return evaluator.values[evaluator.ir.nodes[evaluator.ir.triggers[0].root].arguments[0]]


@pytest.mark.parametrize(("utc", "latitude", "longitude", "expected"), ELEVATIONS, ids=str)
def test_the_elevation_is_within_its_error(utc: str, latitude: float, longitude: float, expected: float) -> None:
    days = (unix_ns(utc) - J2000_NS) / DAY_NS
    elevation = elevation_deg(days, latitude, longitude)
    assert abs(elevation - expected) < ERROR_DEG
    assert value("sun_elevation", unix_ns(utc), latitude, longitude) == elevation


@pytest.mark.parametrize(
    ("utc", "longitude", "hours"),
    [
        ("2026-06-01T12:00:00", 0.0, 12.0),
        ("2026-06-01T12:00:00", 15.0, 13.0),
        ("2026-06-01T00:30:00", -15.0, 23.5),
        ("2026-06-01T23:00:00", 180.0, 11.0),
        ("2026-06-01T23:00:00", -180.0, 11.0),
        ("2026-06-01T01:00:00", 360.0, 1.0),
        ("2026-06-01T00:00:00", -1e-20, 0.0),
    ],
)
def test_the_solar_time_is_utc_and_an_hour_for_15_degrees(utc: str, longitude: float, hours: float) -> None:
    assert value("solar_time", unix_ns(utc), 0.0, longitude) == hours


@pytest.mark.parametrize("expression", ["solar_time", "sun_elevation"])
def test_both_are_unknown_without_unix_time_or_a_place_on_the_earth(expression: str) -> None:
    assert value(expression, FIRST_NS, 48.0, 11.0) is not None
    assert value(expression, FIRST_NS - 1, 48.0, 11.0) is None
    assert value(expression, HOUR_NS, 48.0, 11.0) is None
    assert value(expression, FIRST_NS, 48.0, math.inf) is None
    assert value(expression, FIRST_NS, 48.0, 361.0) is None


def test_an_elevation_is_unknown_beyond_the_poles() -> None:
    assert value("sun_elevation", FIRST_NS, 90.5, 11.0) is None
    assert value("solar_time", FIRST_NS, 90.5, 11.0) is not None
