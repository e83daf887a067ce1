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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

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


class _Span(NamedTuple):
    """Days on which an object is in one tier and prices are the same; end exclusive."""

    tariff: Tariff
    tier: TierPrice
    start: date
    end: date


def storage_charges(book: PriceBook, stored: Iterable[Stored], start: date, end: date) -> list[Charge]:
    """What storage costs from `start` until before `end`, with the requests that move objects between tiers.

    In order, a charge for each month, price and tier. InvalidInput for a size out of range, for an erasure before the
    arrival, and for a day without prices.
    """
    byte_days: defaultdict[tuple[date, str, Month], int] = defaultdict(int)
    moves: list[Requested] = []
    for each in stored:
        _check(each)
        before: TierPrice | None = None
        for span in _spans(book, each, start, end):
            if before is None:
                before = _tier_on(book, each, span.start - DAY)
            if before is not None and before.name != span.tier.name:
                moves.append(Requested(span.start, RequestKind.TRANSITION, each.objects))
            before = span.tier
            for month, first, after in month_parts(span.start, span.end):
                byte_days[max(month.start, span.tariff.start), span.tier.name, month] += (
                    each.size_bytes * (after - first).days
                )
    tally = Tally(book)
    for (day, tier, month), quantity in byte_days.items():
        tally.add(book.tariff_on(day), day, Sku(Service.STORAGE, tier), byte_months(quantity, month))
    return merged([*tally.charges(), *request_charges(book, moves)])


def byte_months(byte_days: int, month: Month) -> int:
    """Byte-days of a month as whole byte-months, half to even.

    >>> byte_months(31 * 10**10, Month(2026, 1)), byte_months(14, Month(2026, 2)), byte_months(42, Month(2026, 2))
    (10000000000, 0, 2)
    """
    return round(Fraction(byte_days, month.days))


def lifetime_charges(
    book: PriceBook, transferred: Transferred, *, objects: int, kept: Stay | None = None
) -> list[Charge]:
    """What bytes cost from their transfer until they are erased: what a plan of so many bytes a day will cost.

    `objects` clips are written, one request each. `kept` is how long a campaign keeps its clips; without it they stay
    as long as the tiers of that day's tariff say. InvalidInput if neither says when they are erased.
    """
    day = transferred.day
    stays = kept if kept is not None else book.tariff_on(day).stays
    if stays is None:
        raise InvalidInput(
            "what clips will cost is not known: neither the campaign nor the price book says how long they are kept",
            remedy=f"give the last tier, {book.tiers[-1]}, its `stays`, or the campaign its retention",
        )
    gone = stays.after(day)
    stored = Stored(day, gone, transferred.size_bytes, objects)
    return merged(
        [
            *transfer_charges(book, [transferred]),
            *request_charges(book, [Requested(day, RequestKind.WRITE, objects)]),
            *storage_charges(book, [stored], day, gone),
        ]
    )


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
