"""Charges: a quantity of something that has a price, on days of one month on which the price is the same.

Quantities are whole numbers, so a charge's amount is exact. Charges are grouped by whoever pays (a campaign): the rules
here know no campaigns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from triggers.contracts.campaign import Network
from triggers.costs.amounts import EXACT
from triggers.costs.months import Month
from triggers.costs.prices import PriceBook, RequestKind, Tariff
from triggers.errors import InvalidInput

MAX_QUANTITY = 2**63 - 1
"""The largest number of bytes or requests that is accepted at once."""


class Service(StrEnum):
    """What is paid for."""

    TRANSFER = "transfer"
    REQUESTS = "requests"
    STORAGE = "storage"

    @property
    def per_price(self) -> int:
        """As a power of ten, how many of a quantity (bytes, requests, byte-months) a price is for.

        A GB is 10^9 bytes, as the clouds' and FOCUS's is, not a GiB; requests are priced by the thousand.
        """
        return 3 if self is Service.REQUESTS else 9


@dataclass(frozen=True, slots=True, order=True)
class Sku:
    """What has a price of its own: a service, and its network class, kind of request or tier."""

    service: Service
    item: str

    def __str__(self) -> str:
        return f"{self.service}:{self.item}"


@dataclass(frozen=True, slots=True, order=True)
class Charge:
    """A quantity with its price, on the days from `start` until before `end`, which are of one month.

    `quantity` is in bytes (transfer), requests, or byte-months (storage); `unit_price` per GB, per 1,000 requests, or
    per GB-month. Only a correction has a negative quantity.
    """

    sku: Sku
    start: date
    end: date
    unit_price: Decimal
    quantity: int

    @property
    def month(self) -> Month:
        """The month in which it arose."""
        return Month.of(self.start)

    @property
    def priced_quantity(self) -> Decimal:
        """The quantity in the unit of its price: GB, thousands of requests, GB-months. Exact."""
        return Decimal(self.quantity).scaleb(-self.sku.service.per_price, EXACT)

    @property
    def amount(self) -> Decimal:
        """What it costs. Exact: the product of quantity and price."""
        return EXACT.multiply(self.priced_quantity, self.unit_price)


@dataclass(frozen=True, slots=True)
class Transferred:
    """Bytes of uploads that ended on a day and were sent on a network, each byte once: as far as the upload came."""

    day: date
    network: Network
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Requested:
    """Requests to the object store on a day."""

    day: date
    kind: RequestKind
    count: int


def transfer_charges(book: PriceBook, transferred: Iterable[Transferred]) -> list[Charge]:
    """What transfer costs: a charge for each month, price and network, in order.

    InvalidInput for a size out of range, and for a day without prices.
    """
    tally = Tally(book)
    for each in transferred:
        check_quantity(each.size_bytes, "bytes transferred")
        tariff = book.tariff_on(each.day)
        tally.add(tariff, each.day, Sku(Service.TRANSFER, each.network), each.size_bytes)
    return tally.charges()


def request_charges(book: PriceBook, requested: Iterable[Requested]) -> list[Charge]:
    """What requests cost: a charge for each month, price and kind, in order. InvalidInput as `transfer_charges`."""
    tally = Tally(book)
    for each in requested:
        check_quantity(each.count, "requests")
        tariff = book.tariff_on(each.day)
        tally.add(tariff, each.day, Sku(Service.REQUESTS, each.kind), each.count)
    return tally.charges()


def merged(charges: Iterable[Charge]) -> list[Charge]:
    """The charges with those of the same SKU, days and price added up, in order and without those of nothing."""
    quantities: defaultdict[tuple[Sku, date, date, Decimal], int] = defaultdict(int)
    for charge in charges:
        quantities[charge.sku, charge.start, charge.end, charge.unit_price] += charge.quantity
    return [Charge(*key, quantity) for key, quantity in sorted(quantities.items()) if quantity]


def check_quantity(quantity: int, what: str) -> None:
    """InvalidInput unless a quantity from outside is possible."""
    if not 0 <= quantity <= MAX_QUANTITY:
        raise InvalidInput(f"{quantity} {what}: it must be from 0 to {MAX_QUANTITY}", remedy="correct the report")


class Tally:
    """Adds quantities up, by what has one price: SKU, month and tariff."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._quantities: defaultdict[tuple[Sku, date, date], int] = defaultdict(int)
        self._prices: dict[tuple[Sku, date, date], Decimal] = {}

    def add(self, tariff: Tariff, day: date, sku: Sku, quantity: int) -> None:
        """Count a quantity that arose on a day, on which the tariff holds."""
        month = Month.of(day)
        start = max(month.start, tariff.start)
        key = (sku, start, month.end if tariff.end is None else min(month.end, tariff.end))
        self._quantities[key] += quantity
        self._prices[key] = unit_price(tariff, sku)

    def charges(self) -> list[Charge]:
        """The charges so far, in order, without those of nothing."""
        return [
            Charge(sku, start, end, self._prices[sku, start, end], quantity)
            for (sku, start, end), quantity in sorted(self._quantities.items())
            if quantity
        ]


def unit_price(tariff: Tariff, sku: Sku) -> Decimal:
    """The price of an SKU in a tariff."""
    if sku.service is Service.TRANSFER:
        return tariff.transfer_per_gb[Network(sku.item)]
    if sku.service is Service.REQUESTS:
        return tariff.per_1000_requests[RequestKind(sku.item)]
    return next(tier.per_gb_month for tier in tariff.tiers if tier.name == sku.item)
