"""Times as text: every ns survives the way to RFC 3339 and back, and nothing but RFC 3339 is read."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers import times
from triggers.errors import InvalidInput
from triggers.times import format_time, parse_time

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(INT64)
def test_every_time_of_64_bits_survives_as_text(t_ns: int) -> None:
    assert parse_time(format_time(t_ns)) == t_ns


@given(INT64, INT64)
def test_texts_sort_like_their_times(a: int, b: int) -> None:
    assert (format_time(a) < format_time(b)) == (a < b)


@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_texts_of_datetime_are_read_in_their_zone(moment: datetime, zone: timezone) -> None:
    local = moment.replace(tzinfo=zone)
    microseconds = (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_time(local.isoformat()) == microseconds * 1000


@pytest.mark.parametrize(
    ("text", "t_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1970-01-01t00:00:00.1z", 100_000_000),
        ("1970-01-01 00:00:00.000000001-00:00", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T12:30:00-11:30", 0),
    ],
)
def test_the_forms_of_rfc_3339_are_read(text: str, t_ns: int) -> None:
    assert parse_time(text) == t_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-01-05",
        "2026-01-05T12:00:00",
        "2026-13-01T00:00:00Z",
        "2026-01-05T24:00:01Z",
        "2026-01-05T12:00:60Z",
        "2026-01-05T12:00:00.Z",
        "2026-01-05T12:00:00.1234567890Z",
        "2026-01-05T12:00:00+25:00",
        "2026-01-05T12:00:00Z ",
        "٢٠٢٦-01-05T12:00:00Z",
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_time(text)
    assert refused.value.message == f"invalid time: {text!r}"


@pytest.mark.parametrize("t_ns", [-(10**30), 10**30])
def test_times_outside_the_calendar_have_no_text(t_ns: int) -> None:
    with pytest.raises(OverflowError):
        format_time(t_ns)


def test_the_examples_hold() -> None:
    assert doctest.testmod(times) == doctest.TestResults(failed=0, attempted=2)
