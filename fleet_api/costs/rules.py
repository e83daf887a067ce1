"""Rules for costs, as pure functions: when a month may be closed, its entries and corrections, and price books.

A closed month never changes. Whatever is learnt of it afterwards, such as the report of a vehicle that was offline for
weeks or a price that was wrong, is the difference between what its entries add up to and what it costs now: new entries
in the month that is open then. So entries are only ever appended, and those about a month, wherever they are booked,
always add up to what the month costs as far as it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from triggers.costs.amounts import total
from triggers.costs.charges import Charge, merged
from triggers.costs.months import DAY, Month
from triggers.costs.prices import PriceBook
from triggers.errors import Conflict

MAX_GRACE_DAYS = 90
"""The longest that a month may be kept open for late reports."""
Charges = Mapping[str, Iterable[Charge]]
"""What each campaign costs; the campaign "" is for what belongs to none."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A line of a month's statement: a campaign's charge, booked in `month`, which is billed with it.

    The charge arose in the same month, or in an earlier one, which this entry corrects.
    """

    month: Month
    campaign: str
    charge: Charge

    @property
    def is_correction(self) -> bool:
        """Whether it corrects a month that was closed before."""
        return self.charge.month != self.month


def check_may_close(month: Month, *, today: date, closed: Month | None, grace_days: int = 0) -> None:
    """Conflict unless a month may be closed now.

    `today` is the day by the server's clock, in the zone of the account; `closed` the last month that was closed (None:
    none yet); `grace_days` is how long after its end a month waits for the reports of vehicles.
    """
    if not 0 <= grace_days <= MAX_GRACE_DAYS:
        raise ValueError(f"grace_days must be from 0 to {MAX_GRACE_DAYS}")
    if closed is not None and month <= closed:
        raise Conflict(
            f"{month} is closed, as all months through {closed} are",
            remedy="nothing is left to do: what is learnt later is booked as corrections in the open month",
        )
    if closed is not None and month != closed.plus(1):
        raise Conflict(
            f"{month} cannot be closed before {closed.plus(1)}",
            remedy=f"close months in order: {closed.plus(1)} is next",
        )
    closes = month.end + timedelta(days=grace_days)
    if today < closes:
        waits = f", and vehicles may report until {grace_days} days later" if grace_days else ""
        raise Conflict(f"{month} is not over{waits}", remedy=f"close it on {closes} or later")


def closing_entries(month: Month, charges: Charges) -> list[Entry]:
    """The entries with which a month is closed: what each campaign was charged for in it, in order."""
    return [
        Entry(month, campaign, charge)
        for campaign in sorted(charges)
        for charge in merged(charges[campaign])
        if _of(month, charge)
    ]


def corrections(of: Month, booked: Iterable[Entry], charges: Charges, *, into: Month) -> list[Entry]:
    """The entries by which a closed month is corrected in an open one, `into`; empty if nothing changed.

    `booked` are all entries so far about the month, its corrections included, and `charges` what it costs by what is
    known now. A price that changed is taken back at the old price and charged at the new one.
    """
    if into <= of:
        raise ValueError(f"{of} is corrected in a later month, and {into} is not one")
    differences: dict[str, list[Charge]] = {campaign: list(of_campaign) for campaign, of_campaign in charges.items()}
    for entry in booked:
        if _of(of, entry.charge):
            taken_back = replace(entry.charge, quantity=-entry.charge.quantity)
            differences.setdefault(entry.campaign, []).append(taken_back)
    return [
        Entry(into, campaign, charge)
        for campaign in sorted(differences)
        for charge in merged(differences[campaign])
        if _of(of, charge)
    ]


def amount_by_campaign(entries: Iterable[Entry]) -> dict[str, Decimal]:
    """What entries cost in sum, by campaign. Exact."""
    amounts: dict[str, list[Decimal]] = {}
    for entry in entries:
        amounts.setdefault(entry.campaign, []).append(entry.charge.amount)
    return {campaign: total(amounts[campaign]) for campaign in sorted(amounts)}


def check_follows(book: PriceBook, newest: PriceBook) -> None:
    """Conflict unless a price book can follow the newest one.

    Statements are in one currency, months that are closed may still have to be corrected at the prices of their days,
    and without a price for a day nothing has a cost.
    """
    if book.currency != newest.currency:
        raise Conflict(
            f"the price book is in {book.currency}, and those before it are in {newest.currency}",
            remedy=f"give its prices in {newest.currency}: the costs of a deployment are in one currency",
        )
    start = newest.tariffs[0].start
    if book.tariffs[0].start > start:
        raise Conflict(
            f"the price book begins on {book.tariffs[0].start}, and the one before it on {start}",
            remedy="keep the entries of the earlier days: what became known late is charged at their prices",
        )
    if lost := sorted(newest.storage_classes.keys() - book.storage_classes.keys()):
        raise Conflict(
            f"the price book does not say in which tier {', '.join(lost)} is, and the one before it does",
            remedy="keep it in `storage_classes`: recordings that lie there would have no cost",
        )
    end, until = book.tariffs[-1].end, newest.tariffs[-1].end
    if end is not None and (until is None or end < until):
        ends = "has no end" if until is None else f"has prices through {until - DAY}"
        raise Conflict(
            f"the price book has prices through {end - DAY}, and the one before it {ends}",
            remedy="leave out `through` of the last entry, or add an entry for the days after it",
        )


def _of(month: Month, charge: Charge) -> bool:
    return charge.month == month
