"""What each campaign costs by what is known now: what it caused, at the prices of the newest price book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fleet_api.costs.expected import read_book
from storage.costs import measured, price_books, rollup
from storage.costs.measured import OfCampaign
from storage.database import Connection
from triggers.costs.caused import caused_charges, parts_of
from triggers.costs.charges import Charge
from triggers.costs.months import DAY
from triggers.costs.prices import PriceBook
from triggers.errors import Conflict, InvalidInput


@dataclass(frozen=True, slots=True)
class KnownCosts:
    """The charges of each campaign until before a day, by a version of the price book."""

    version: int
    book: PriceBook
    end: date
    caused: Mapping[str, OfCampaign]
    charges: Mapping[str, list[Charge]]


def known_costs(connection: Connection, zone: str, *, end: date | None = None) -> KnownCosts:
    """What is known to have been caused before the day `end` (None: all, today included), and what it costs.

    Conflict without a price book, and with one that lacks prices for these days, or the tier of a storage class.
    """
    newest = price_books.newest_text(connection)
    if newest is None:
        raise Conflict(
            "there are no prices: no price book is published", remedy="publish one with `longtail cost publish BOOK`"
        )
    version, text = newest
    book, end = read_book(text), end or measured.today(connection, zone) + DAY
    first = rollup.first_day(connection, zone)
    try:
        parts = [] if first is None or first >= end else parts_of(book, first, end)
        caused = measured.caused(connection, zone, parts)
        charges = {name: caused_charges(book, parts, each.caused) for name, each in caused.items()}
    except InvalidInput as error:
        raise Conflict(f"version {version} of the price book: {error.message}", remedy=error.remedy) from error
    return KnownCosts(version, book, end, caused, charges)
