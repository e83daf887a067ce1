"""Rules for statements, as pure functions: which entries a month has that is closed, or would be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from fleet_api.costs.rules import Charges, Entry, closing_entries, corrections
from triggers.costs.charges import Charge
from triggers.costs.months import Month
from triggers.errors import Conflict, NotFound


def month_entries(month: Month, charges: Charges, booked: Iterable[Entry], closed: Collection[Month]) -> list[Entry]:
    """What a month is closed with: its charges, and what is known by now of the months that are closed.

    `charges` are all that are known, `booked` the entries of the months in `closed`. Where `month` is not the first
    that is open, there are no corrections in it: they will be in that one.
    """
    known, was_booked = _by_month(charges), defaultdict[Month, list[Entry]](list)
    for entry in booked:
        was_booked[entry.charge.month].append(entry)
    entries = closing_entries(month, known.get(month, {}))
    if closed and month == max(closed).plus(1):
        for earlier in sorted(closed):
            entries += corrections(earlier, was_booked[earlier], known.get(earlier, {}), into=month)
    return entries


def check_is_first(month: Month, charges: Charges) -> None:
    """Conflict unless the first month to be closed is the one with the first cost.

    Costs of an earlier one would never be billed, and a month that is closed by mistake stays closed. `charges` are all
    that are known until the month's end.
    """
    first = min(_by_month(charges), default=None)
    if first is None:
        raise Conflict(
            f"{month} cannot be closed first: nothing has cost anything by its end",
            remedy="begin with the month of the first cost; `longtail cost statement MONTH` shows what a month has",
        )
    if first != month:
        raise Conflict(
            f"{month} cannot be closed first: there are costs since {first}",
            remedy=f"close months in order: {first} is next",
        )


def check_zone(zone: str, *, closed_in: str) -> None:
    """Conflict for another time zone than that of the months before: a day would be in two months, or in none."""
    if zone != closed_in:
        raise Conflict(
            f"months so far were closed in the time zone {closed_in}, and the account's is {zone} now",
            remedy=f"set LONGTAIL_COST_ZONE to {closed_in}",
        )


def check_is_open(month: Month, *, today: date, closed: Collection[Month]) -> None:
    """NotFound for a month of which there is no statement: it has not begun, or is before the first that was closed."""
    if month > Month.of(today):
        raise NotFound(f"{month} has not begun", remedy=f"ask for {Month.of(today)} or a month before it")
    if closed and month < min(closed):
        raise NotFound(f"there is no statement of {month}", remedy=f"the first is that of {min(closed)}")


def check_closed(first: Month, through: Month, closed: Collection[Month]) -> None:
    """Conflict unless all months from `first` through `through` are closed."""
    if through < first:
        raise Conflict(f"{through} is before {first}", remedy="name the earlier month first")
    month = first
    while month <= through:
        if month not in closed:
            raise Conflict(
                f"{month} is not closed, so its entries may still change",
                remedy=f"close it, or look at it with `longtail cost statement {month}`",
            )
        month = month.plus(1)


def _by_month(charges: Charges) -> Mapping[Month, Mapping[str, list[Charge]]]:
    """Charges by the month in which they arose, and by campaign."""
    months: defaultdict[Month, defaultdict[str, list[Charge]]] = defaultdict(lambda: defaultdict(list))
    for campaign, of_campaign in charges.items():
        for charge in of_campaign:
            months[charge.month][campaign].append(charge)
    return months
