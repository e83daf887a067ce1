"""Times as people give them to commands: a time, a day in UTC, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from triggers.errors import InvalidInput
from triggers.times import parse_time

FORMS = "2026-11-28T09:00:00Z, 2026-11-28, or how long ago: 7d, 24h, 90min"
NS_PER_US = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGO = re.compile(r"(\d{1,6}) ?(min|h|d)", re.ASCII)
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def ns_of(moment: datetime) -> int:
    """A time in ns since the Unix epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1) * NS_PER_US


def moment(text: str, *, now: datetime) -> datetime:
    """The time that a text names, to the microsecond; InvalidInput for anything else.

    >>> moment("2d", now=datetime(2026, 11, 28, 9, tzinfo=UTC)).isoformat()
    '2026-11-26T09:00:00+00:00'
    """
    try:
        if ago := _AGO.fullmatch(text.strip()):
            return now - int(ago[1]) * _UNITS[ago[2]]
        t_ns = parse_time(text if "T" in text else f"{text}T00:00:00Z")
        return EPOCH + timedelta(microseconds=t_ns // NS_PER_US)
    except (InvalidInput, OverflowError, ValueError) as error:
        raise InvalidInput(f"{text[:64]!r} is not a time", remedy=f"write {FORMS}") from error
