"""Months as billing periods, and days later by months: the calendar that prices and storage are counted in."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Self
from zoneinfo import ZoneInfo

from triggers.errors import InvalidInput

_TEXT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
DAY = timedelta(days=1)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
"""Of prices and plans: whatever lies there for as long as a price book can say is gone before the calendar ends."""
FIRST_YEAR, LAST_YEAR = 1970, 9998
"""Of months that are asked for: each has a next one, and all of them are in a calendar with time zones."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, the period that is billed as one and closed as one.

    >>> month = Month.of(date(2026, 2, 14))
    >>> str(month), month.days, str(month.plus(11)), month.end
    ('2026-02', 28, '2027-01', datetime.date(2026, 3, 1))
    """

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Self:
        """The month that a day is in."""
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a month such as 2026-01; InvalidInput for anything else."""
        match = _TEXT.fullmatch(text)
        if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            raise InvalidInput(f"invalid month: {text[:40]!r}", remedy="write year and month, such as 2026-01")
        return cls(int(match[1]), int(match[2]))

    @property
    def start(self) -> date:
        """The first day."""
        return date(self.year, self.number, 1)

    @property
    def end(self) -> date:
        """The first day of the next month."""
        return self.plus(1).start

    @property
    def days(self) -> int:
        """How many days it has, 28 to 31."""
        return monthrange(self.year, self.number)[1]

    def plus(self, months: int) -> Month:
        """The month so many months later."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day if it is shorter.

    >>> str(months_later(date(2026, 1, 15), 3)), str(months_later(date(2026, 1, 31), 1))
    ('2026-04-15', '2026-02-28')
    """
    month = Month.of(day).plus(months)
    return month.start.replace(day=min(day.day, month.days))


def month_parts(start: date, end: date) -> Iterator[tuple[Month, date, date]]:
    """The days from `start` until before `end`, divided at the ends of months; each part with its month."""
    while start < end:
        month = Month.of(start)
        yield month, start, (start := min(month.end, end))


def zone_named(name: str) -> tzinfo:
    """The time zone in which an account counts its days, such as UTC or Europe/Berlin; InvalidInput for no zone.

    Nor is CET one, nor any other name without an area: PostgreSQL reads many of these as abbreviations, which have no
    summer time, where Python reads zones. Those of `right/` have leap seconds.
    """
    if name == "UTC":
        return UTC
    unknown = InvalidInput(
        f"unknown time zone: {name[:60]!r}", remedy="write UTC, or a name of the IANA database such as Europe/Berlin"
    )
    if "/" not in name or name.startswith(("right/", "posix/")):
        raise unknown
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # not in the database; a path out of it; a folder of it
        raise unknown from error


def day_at(moment: datetime, zone: tzinfo) -> date:
    """The day that a moment by the server's clock is on in a zone. The moment must have an offset of its own.

    >>> str(day_at(datetime(2026, 1, 31, 23, 30, tzinfo=UTC), zone_named("Europe/Berlin")))
    '2026-02-01'
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset is on no certain day")
    return moment.astimezone(zone).date()
