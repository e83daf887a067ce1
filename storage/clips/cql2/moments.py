"""Literal times of a filter: an instant or a day, as a closed range of ns since the Unix epoch.

A `TIMESTAMP` is an instant; a `DATE` is the whole day in UTC, so `start = DATE('2026-01-05')` finds that day's clips.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from triggers.errors import InvalidInput
from triggers.times import DAY_NS, midnight_ns, parse_time

LOWEST_NS, HIGHEST_NS = -(2**63), 2**63 - 1
"""The times that a clip can have, in the years 1677 to 2262; those of a filter are in the years 1 to 9999."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class Moment:
    """A literal time: from `first_ns` to `last_ns`, which are equal for an instant."""

    first_ns: int
    last_ns: int
    shown: str


ALWAYS = Moment(-(10**21), 10**21, "..")
"""All of time, beyond the years 1 to 9999: what an open end of an interval reaches into."""


def instant(text: object) -> Moment:
    """The moment of an RFC 3339 time."""
    try:
        t_ns = parse_time(text if isinstance(text, str) else "")
    except InvalidInput as error:
        raise _invalid(text) from error
    return Moment(t_ns, t_ns, repr(text))


def day(text: object) -> Moment:
    """The day of an ISO 8601 date, in UTC."""
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise _invalid(text)
    try:
        first_ns = midnight_ns(date.fromisoformat(text))
    except ValueError as error:
        raise _invalid(text) from error
    return Moment(first_ns, first_ns + DAY_NS - 1, repr(text))


def instant_or_day(text: object) -> Moment:
    """The moment of a text that may be a date or a time."""
    return day(text) if isinstance(text, str) and _DAY.fullmatch(text) else instant(text)


def require_order(first: Moment, last: Moment) -> None:
    """InvalidInput for an interval that ends before it begins."""
    if last.last_ns < first.first_ns:
        raise InvalidInput(
            f"an INTERVAL in the filter ends at {last.shown:.60}, before it begins at {first.shown:.60}",
            remedy="write the earlier time first",
        )


def _invalid(text: object) -> InvalidInput:
    return InvalidInput(
        f"invalid time in the filter: {str(text)[:60]!r}",
        remedy="write TIMESTAMP('2026-01-05T12:00:00Z') or DATE('2026-01-05')",
    )
