"""Statements in the API: months that are closed or open, and their entries."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from triggers.contracts.api.base import View

MAX_LISTED_ENTRIES = 1000


class ClosedMonthView(View):
    """A closed month: `amount` is the sum of its entries, exactly, and `price_book` the version it was closed by."""

    month: str
    amount: str
    currency: str
    entries: int
    price_book: int
    zone: str
    closed_at: datetime
    closed_by: str


class ClosedMonthList(BaseModel):
    """All closed months, in order; `next` is the first that is open, null as long as none was closed."""

    months: list[ClosedMonthView]
    next_open: str | None


class CostEntryView(View):
    """A line of a month's statement: a campaign's quantity of something, with its price and amount, exactly.

    It arose on the days from `start` through `end`; as a correction, in an earlier month. `unit` is what the quantity
    is in: bytes, requests, or bytes for a whole month. `unit_price` is per GB, 1,000 requests, or GB-month.
    """

    number: int
    campaign: str
    sku: str
    is_correction: bool
    start: date
    end: date
    quantity: int
    unit: str
    unit_price: str
    amount: str


class StatementView(BaseModel):
    """A month's statement. `closed_at` and `closed_by` are null for one that is open, whose entries may still change.

    `amount` is of all entries, whichever are listed. Pass `next` as `after` to continue; null at the end.
    """

    month: str
    currency: str
    zone: str
    price_book: int
    closed_at: datetime | None
    closed_by: str | None
    amount: str
    count: int
    entries: list[CostEntryView]
    next: int | None = None
