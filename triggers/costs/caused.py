"""What something caused, added up over parts of months in which prices are the same; and what it costs.

Bytes, requests and changes of what is stored are added up by day before (in SQL, over millions of clips), so that their
number here is that of months, not of days or clips. Storage is counted where objects lie: a change of so many bytes in
a storage class counts from its day on, so the byte-days of a part are what was there at its beginning times its days,
and of each change its bytes times the days that are left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from triggers.costs.charges import Charge, Service, Sku, unit_price
from triggers.costs.months import Month, month_parts
from triggers.costs.prices import PriceBook, Tariff
from triggers.costs.storage import byte_months


class Part(NamedTuple):
    """Days from `start` until before `until` of one month, with one tariff; None: the book has no prices for them."""

    start: date
    until: date
    tariff: Tariff | None

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.start).days

    def charge(self, sku: Sku, quantity: int) -> Charge:
        """A quantity that arose in it, at its price, for the days on which a month has this price."""
        assert self.tariff is not None  # noqa: S101 - `caused_charges` refuses what arises without a price
        month, tariff = Month.of(self.start), self.tariff
        end = month.end if tariff.end is None else min(month.end, tariff.end)
        return Charge(sku, max(month.start, tariff.start), end, unit_price(tariff, sku), quantity)


@dataclass(frozen=True, slots=True)
class Caused:
    """A quantity that was caused in a part, by its number: of bytes that came, requests, or bytes that came into a
    storage class (negative: left it).

    `byte_days` is what a change of storage adds within the part: its bytes times the days from it to the part's end.
    """

    part: int
    service: Service
    item: str
    quantity: int
    byte_days: int = 0


def parts_of(book: PriceBook, first: date, end: date) -> list[Part]:
    """The days from `first` until before `end`, divided where months begin and prices change; in order.

    Those after the book's last prices are one part without a tariff. InvalidInput if the book begins after `first`.
    """
    last = book.tariffs[-1].end
    priced_end = end if last is None else min(end, last)
    parts = [
        Part(start, until, tariff)
        for tariff, tariff_start, tariff_end in book.parts(first, priced_end)
        for _, start, until in month_parts(tariff_start, tariff_end)
    ]
    unpriced = max(first, priced_end)
    return [*parts, Part(unpriced, end, None)] if unpriced < end else parts


def caused_charges(book: PriceBook, parts: Sequence[Part], caused: Iterable[Caused]) -> list[Charge]:
    """What it costs: a charge for each part and SKU, in order, without those of nothing.

    InvalidInput for what arose on days without prices, and for a storage class of which the book does not say the tier.
    """
    quantities: defaultdict[tuple[int, Sku], int] = defaultdict(int)
    changes: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for each in caused:
        if each.service is Service.STORAGE:
            change = changes[book.tier_of(each.item), each.part]
            change[0] += each.quantity
            change[1] += each.byte_days
        else:
            quantities[each.part, Sku(each.service, each.item)] += each.quantity
    for tier in {tier for tier, _ in changes}:
        stored_bytes = 0
        for number, part in enumerate(parts):
            arrived, byte_days = changes.get((tier, number), (0, 0))
            byte_days += stored_bytes * part.days
            stored_bytes += arrived
            sku = Sku(Service.STORAGE, tier)
            quantities[number, sku] += byte_months(byte_days, Month.of(part.start)) if part.tariff else byte_days
    ordered = sorted(quantities, key=lambda key: (key[1].service, key[1].item, key[0]))  # as charges are in order
    return [_charge(book, parts[part], sku, quantities[part, sku]) for part, sku in ordered if quantities[part, sku]]


def _charge(book: PriceBook, part: Part, sku: Sku, quantity: int) -> Charge:
    if part.tariff is None:
        book.tariff_on(part.start)  # it has no prices for that day, and says so
    return part.charge(sku, quantity)
