"""What storage costs over time: byte-days by tier and month, as clips grow older and prices change.

The rules, in full:

- A clip is in storage on the day on which it arrives, and no longer on the day on which it is erased.
- On each day it is in the tier that its age asks for, by the tariff of that day. In the last tier it stays, and is paid
  for, until it is erased.
- A day costs the GB-month price of its month, divided by the days of that month. So a whole calendar month is one
  GB-month per GB, and part of one is its share by days.
- The bytes of all clips are added up over the days before they are divided: once for each tier, price and month, half
  to even, to whole byte-months. Nothing else is rounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from triggers.contracts.campaign import Network
from triggers.costs.charges import (
    Charge,
    Requested,
    Service,
    Sku,
    Tally,
    Transferred,
    check_quantity,
    merged,
    request_charges,
    transfer_charges,
)
from triggers.costs.months import DAY, Month, month_parts
from triggers.costs.prices import PriceBook, RequestKind, Stay, Tariff, TierPrice
from triggers.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Stored:
    """Objects that arrived on the same day, and are erased on the same day, or not yet (None)."""

    arrived: date
    gone: date | None
    size_bytes: int
    objects: int = 1


@dataclass(frozen=True, slots=True)
class Uploads:
    """The bytes of so many clips that are uploaded on a day on one network."""

    day: date
    network: Network
    size_bytes: int
    clips: int


class _Span(NamedTuple):
    """Days on which an object is in one tier and prices are the same; end exclusive."""

    tariff: Tariff
    tier: TierPrice
    start: date
    end: date


_Changes = defaultdict[tuple[date, str], defaultdict[date, int]]
"""By the start of a tariff and a tier, how many bytes come into it, or leave it, on which days."""


def storage_charges(book: PriceBook, stored: Iterable[Stored], start: date, end: date) -> list[Charge]:
    """What storage costs from `start` until before `end`, with the requests that move objects between tiers.

    In order, a charge for each month, price and tier. InvalidInput for a size out of range, for an erasure before the
    arrival, and for a day without prices.
    """
    return StoragePeriod(book, start, end).charges(stored)


class StoragePeriod:
    """The days from `start` until before `end`, over which storage costs.

    What arrived on the same day goes through the tiers on the same days, so these are found once for each day, however
    many campaigns have clips of it.
    """

    def __init__(self, book: PriceBook, start: date, end: date) -> None:
        self._book, self._start, self._end = book, start, end
        last = book.tariffs[-1].end
        self._priced_end = end if last is None else min(end, last)
        self._spans: dict[date, list[_Span]] = {}
        self._before: dict[date, str | None] = {}

    def charges(self, stored: Iterable[Stored]) -> list[Charge]:
        """What these objects cost; see `storage_charges`."""
        changes: _Changes = defaultdict(lambda: defaultdict(int))
        moves: defaultdict[date, int] = defaultdict(int)
        for each in stored:
            _check(each)
            self._add(each, changes, moves)
        tally = Tally(self._book)
        for (tariff_start, tier), by_day in changes.items():
            for month, byte_days in _byte_days(by_day).items():
                day = max(month.start, tariff_start)
                quantity = byte_months(byte_days, month)
                tally.add(self._book.tariff_on(day), day, Sku(Service.STORAGE, tier), quantity)
        requested = [Requested(day, RequestKind.TRANSITION, count) for day, count in moves.items()]
        return merged([*tally.charges(), *request_charges(self._book, requested)])

    def _add(self, stored: Stored, changes: _Changes, moves: defaultdict[date, int]) -> None:
        """Add objects where they come into a tier, and take them away where they leave it."""
        first, last = max(self._start, stored.arrived), stored.gone or self._end
        if first >= min(last, self._end):
            return
        if self._priced_end < min(last, self._end):
            self._book.tariff_on(max(first, self._priced_end))  # it has no prices for that day, and says so
        spans = self._spans_of(stored.arrived)
        before = self._before[stored.arrived]
        for span in spans:
            if stored.gone is not None and stored.gone <= span.start:
                return
            if before is not None and before != span.tier.name:
                moves[span.start] += stored.objects
            before = span.tier.name
            by_day = changes[span.tariff.start, span.tier.name]
            by_day[span.start] += stored.size_bytes
            by_day[span.end if stored.gone is None else min(span.end, stored.gone)] -= stored.size_bytes

    def _spans_of(self, arrived: date) -> list[_Span]:
        spans = self._spans.get(arrived)
        if spans is None:
            kept = Stored(arrived, None, 0)
            spans = self._spans[arrived] = list(_spans(self._book, kept, self._start, self._priced_end))
            tier = _tier_on(self._book, kept, spans[0].start - DAY) if spans else None
            self._before[arrived] = None if tier is None else tier.name
        return spans


def _byte_days(changes: Mapping[date, int]) -> dict[Month, int]:
    """The byte-days of each month, by how many bytes come (or go, when negative) on which days."""
    months: defaultdict[Month, int] = defaultdict(int)
    size_bytes, days = 0, sorted(changes)
    for day, after in pairwise(days):
        size_bytes += changes[day]
        if size_bytes:
            for month, first, end in month_parts(day, after):
                months[month] += size_bytes * (end - first).days
    return months


def byte_months(byte_days: int, month: Month) -> int:
    """Byte-days of a month as whole byte-months, half to even.

    >>> byte_months(31 * 10**10, Month(2026, 1)), byte_months(14, Month(2026, 2)), byte_months(42, Month(2026, 2))
    (10000000000, 0, 2)
    """
    return round(Fraction(byte_days, month.days))


def lifetime_charges(book: PriceBook, uploads: Sequence[Uploads], *, kept: Stay | None = None) -> list[Charge]:
    """What bytes cost from their transfer until they are erased: what a plan of so many bytes a day will cost.

    Each clip is written by one request. `kept` is how long a campaign keeps its clips; without it they stay as long as
    the tiers of their day's tariff say. InvalidInput if neither says when they are erased.
    """
    stored = [Stored(each.day, _gone(book, each.day, kept), each.size_bytes, each.clips) for each in uploads]
    if not stored:
        return []
    first, last = min(each.arrived for each in stored), max(each.gone for each in stored if each.gone is not None)
    return merged(
        [
            *transfer_charges(book, (Transferred(each.day, each.network, each.size_bytes) for each in uploads)),
            *request_charges(book, (Requested(each.day, RequestKind.WRITE, each.clips) for each in uploads)),
            *storage_charges(book, stored, first, last),
        ]
    )


def _gone(book: PriceBook, day: date, kept: Stay | None) -> date:
    """The day on which clips of a day are erased."""
    stays = kept if kept is not None else book.tariff_on(day).stays
    if stays is None:
        raise InvalidInput(
            "what clips will cost is not known: neither the campaign nor the price book says how long they are kept",
            remedy=f"give the last tier, {book.tiers[-1]}, its `stays`, or the campaign its retention",
        )
    return stays.after(day)


def _check(stored: Stored) -> None:
    check_quantity(stored.size_bytes, "bytes stored")
    check_quantity(stored.objects, "objects stored")
    if stored.gone is not None and stored.gone < stored.arrived:
        raise InvalidInput(
            f"clips that arrived on {stored.arrived} were erased on {stored.gone}, before that",
            remedy="correct the report",
        )


def _spans(book: PriceBook, stored: Stored, start: date, end: date) -> Iterator[_Span]:
    """In which tier and under which prices an object is, on the days of an interval, in order."""
    first = max(start, stored.arrived)
    last = end if stored.gone is None else min(end, stored.gone)
    for tariff, part_start, part_end in book.parts(first, last):
        for tier, tier_start, tier_end in tariff.tier_spans(stored.arrived):
            span_start = max(part_start, tier_start)
            span_end = part_end if tier_end is None else min(part_end, tier_end)
            if span_start < span_end:
                yield _Span(tariff, tier, span_start, span_end)


def _tier_on(book: PriceBook, stored: Stored, day: date) -> TierPrice | None:
    """The tier of an object on a day; None if it was not there yet, or the book begins later."""
    if day < max(stored.arrived, book.tariffs[0].start):
        return None
    return next(span.tier for span in _spans(book, stored, day, day + DAY))
