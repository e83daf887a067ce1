"""Conversion of times between RFC 3339 text and ns since the Unix epoch, without loss in either direction."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from triggers.errors import InvalidInput

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
MS_PER_S = 1000
DAY_NS = 86_400 * NS_PER_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_IN_UTC = _EPOCH.replace(tzinfo=None)
_RFC3339 = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


def midnight_ns(day: date) -> int:
    """ns since the Unix epoch at which a day begins in UTC."""
    return (day - _EPOCH.date()).days * DAY_NS


def format_time(t_ns: int) -> str:
    """The time as RFC 3339 in UTC, always with nine decimals, so that the strings sort like the times.

    >>> format_time(1_767_614_400_000_000_001)
    '2026-01-05T12:00:00.000000001Z'

    Works for any signed 64-bit number. Raises OverflowError outside the years 1 to 9999.
    """
    # datetime only has microseconds, so the fraction is appended as text and never passes through it.
    seconds, fraction_ns = divmod(t_ns, NS_PER_S)
    return f"{(_EPOCH_IN_UTC + timedelta(seconds=seconds)).isoformat()}.{fraction_ns:09d}Z"


def parse_time(text: str) -> int:
    """ns since the Unix epoch of an RFC 3339 time with a zone and at most nine decimals.

    >>> parse_time("2026-01-05T13:00:00.5+01:00")
    1767614400500000000

    The result for an early or late year may exceed 64 bits. Raises InvalidInput for anything else, including leap
    seconds, which vehicle clocks do not have.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise _invalid(text)
    zone = "+00:00" if match["zone"] in "Zz" else match["zone"]
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{match['clock']}{zone}")
    except ValueError as error:
        raise _invalid(text) from error
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return seconds * NS_PER_S + int((match["fraction"] or "0").ljust(9, "0"))


def _invalid(text: str) -> InvalidInput:
    return InvalidInput(
        f"invalid time: {text[:60]!r}", remedy="write it with its zone, like 2026-01-05T12:00:00.123456789Z"
    )
