"""What each campaign costs by what is known now: what the ledger has, at the prices of the newest price book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fleet_api.costs.expected import read_book
from storage.costs import measured, price_books
from storage.costs.measured import Caused
from storage.database import Connection
from triggers.costs.charges import Charge, merged, request_charges, transfer_charges
from triggers.costs.months import DAY
from triggers.costs.prices import PriceBook
from triggers.costs.storage import StoragePeriod
from triggers.errors import Conflict, InvalidInput


@dataclass(frozen=True, slots=True)
class KnownCosts:
    """The charges of each campaign until before a day, by a version of the price book."""

    version: int
    book: PriceBook
    end: date
    caused: Mapping[str, Caused]
    charges: Mapping[str, list[Charge]]


def known_costs(connection: Connection, zone: str, *, end: date | None = None) -> KnownCosts:
    """What is known to have been caused before the day `end` (None: all, today included), and what it costs.

    Conflict without a price book, and with one that lacks prices for these days.
    """
    newest = price_books.newest_text(connection)
    if newest is None:
        raise Conflict(
            "there are no prices: no price book is published", remedy="publish one with `longtail cost publish BOOK`"
        )
    version, text = newest
    book, end = read_book(text), end or measured.today(connection, zone) + DAY
    caused = measured.caused(connection, zone)
    period = StoragePeriod(book, min((each.arrived for of in caused.values() for each in of.stored), default=end), end)
    try:
        charges = {name: _charges(book, period, each, end) for name, each in caused.items()}
    except InvalidInput as error:
        raise Conflict(f"version {version} of the price book: {error.message}", remedy=error.remedy) from error
    return KnownCosts(version, book, end, caused, charges)


def _charges(book: PriceBook, period: StoragePeriod, caused: Caused, end: date) -> list[Charge]:
    return merged(
        [
            *transfer_charges(book, [each for each in caused.transferred if each.day < end]),
            *request_charges(book, [each for each in caused.requested if each.day < end]),
            *period.charges(caused.stored),
        ]
    )
