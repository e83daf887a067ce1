"""Use cases for costs: what campaigns have cost so far, months that are closed, statements and their export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date

from fleet_api.costs import focus
from fleet_api.costs.rules import Entry, amount_by_campaign, check_may_close
from fleet_api.services import Services
from fleet_api.statements import rules
from fleet_api.statements.known import KnownCosts, known_costs
from fleet_api.statements.views import (
    account_of,
    campaign_view,
    closed_view,
    entry_of,
    entry_view,
    exact,
    row_of,
    total_view,
)
from storage import audit
from storage.campaigns import owners
from storage.campaigns.queries import get_versions
from storage.costs import measured, months, rollup
from storage.costs.months import ClosedMonth, NewMonth
from storage.costs.uses import Uses, uses
from storage.database import Connection
from storage.statements.time_limit import time_limit
from triggers.contracts.api.costs.months import (
    MAX_LISTED_ENTRIES,
    ClosedMonthList,
    ClosedMonthView,
    StatementView,
)
from triggers.contracts.api.costs.to_date import CostList
from triggers.contracts.users import Role, User
from triggers.costs.amounts import total
from triggers.costs.months import DAY, Month
from triggers.errors import Conflict, InvalidInput, NotFound

TIME_LIMIT_S = 20.0
"""Of one statement of a request that adds costs up."""


def show_costs(services: Services, user: User, *, campaign: str | None, after: str, limit: int) -> CostList:
    """A page of what campaigns have cost through today, by name, or of one; and the total of all.

    InvalidInput for `after` with a campaign, NotFound without the campaign; Conflict without a price book, or with one
    that lacks prices for these days; TooMany while another costly request of this user runs, Overloaded when a
    statement takes longer than TIME_LIMIT_S.
    """
    user.require(Role.VIEWER)
    if campaign is not None and after:
        raise InvalidInput("`after` cannot be combined with `campaign`", remedy="leave one of them out")
    zone = services.settings.cost_zone
    with services.searches.turn(user.name), services.database.snapshot() as connection, _bounded(connection):
        if campaign is not None:
            get_versions(connection, campaign, limit=1)
        known = known_costs(connection, zone)
        used = uses(connection, zone)
    names = sorted({*known.charges, *(name for name in used if name is not None)})
    listed = [name for name in names if name > after] if campaign is None else [campaign]
    page = listed[:limit]
    return CostList(
        price_book=known.version,
        currency=known.book.currency,
        zone=zone,
        through=known.end - DAY,
        total=total_view(known, used[None]),
        costs=[campaign_view(known, name, used.get(name, Uses())) for name in page],
        next=page[-1] if len(listed) > limit else None,
    )


def close_month(services: Services, user: User, text: str) -> ClosedMonthView:
    """Close a month for good, with corrections of those before it.

    Conflict unless it is the next to be closed, is over for as long as the settings say, and has prices; and while
    somebody else closes one.
    """
    user.require(Role.OPERATOR)
    month, settings = Month.parse(text), services.settings
    with services.database.begin() as connection:
        if not months.try_lock(connection):
            raise Conflict("somebody else is closing a month", remedy="see `longtail cost months`, and try again then")
        closed = months.closed(connection)
        check_may_close(
            month,
            today=measured.today(connection, settings.cost_zone),
            closed=_last(closed),
            grace_days=settings.cost_grace_days,
        )
        if closed:
            rules.check_zone(settings.cost_zone, closed_in=closed[-1].zone)
        rollup.hold(connection)
        known = known_costs(connection, settings.cost_zone, end=month.end)
        if not closed:
            rules.check_is_first(month, known.charges)
        entries = _entries(connection, month, known, closed)
        new = NewMonth(
            month=month.start,
            price_book=known.version,
            currency=known.book.currency,
            zone=settings.cost_zone,
            amount=total(amount_by_campaign(entries).values()),
            account={
                "id": months.deployment_id(connection),
                "name": settings.cost_account,
                "provider": settings.cost_provider,
            },
        )
        owned = owners.every(connection)
        rows = [row_of(entry, number, owner=owned.get(entry.campaign)) for number, entry in enumerate(entries, 1)]
        closed_month = months.close(connection, new, rows, user=user)
        sums = {"amount": exact(new.amount), "currency": new.currency}
        after = {**sums, "entries": len(rows), "price_book": known.version}
        audit.record(connection, user, "month.close", "month", str(month), after=after)
    return closed_view(closed_month)


def list_months(services: Services, user: User) -> ClosedMonthList:
    """All closed months, in order."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        closed = months.closed(connection)
    last = _last(closed)
    return ClosedMonthList(
        months=[closed_view(month) for month in closed], next_open=None if last is None else str(last.plus(1))
    )


def show_statement(services: Services, user: User, text: str, *, after: int, limit: int) -> StatementView:
    """A page of a month's entries: those it was closed with, or would be with what is known now.

    NotFound for one that has not begun, or is before the first that was closed. Errors as in `show_costs`.
    """
    user.require(Role.VIEWER)
    month, zone = Month.parse(text), services.settings.cost_zone
    with services.database.snapshot() as connection:
        closed = months.closed(connection)
        of_month = next((each for each in closed if each.month == month.start), None)
        if of_month is not None:
            page = months.entries(
                connection, first=month.start, last=month.start, after=(month.start, after), limit=limit
            )
            return _closed_statement(of_month, [(row.number, entry_of(row)) for row in page])
        today = measured.today(connection, zone)
        rules.check_is_open(month, today=today, closed=_all(closed))
        if closed:
            rules.check_zone(zone, closed_in=closed[-1].zone)
    with services.searches.turn(user.name), services.database.snapshot() as connection, _bounded(connection):
        known = known_costs(connection, zone, end=min(month.end, today + DAY))
        entries = _entries(connection, month, known, closed)
    numbered = list(enumerate(entries, 1))[after : after + limit]
    return StatementView(
        month=str(month),
        currency=known.book.currency,
        zone=zone,
        price_book=known.version,
        closed_at=None,
        closed_by=None,
        amount=exact(total(entry.charge.amount for entry in entries)),
        count=len(entries),
        entries=[entry_view(number, entry) for number, entry in numbered],
        next=after + limit if len(entries) > after + limit else None,
    )


def export_focus(services: Services, user: User, *, first: str | None, through: str | None) -> Iterator[str]:
    """The lines of the statements of closed months as FOCUS 1.2; without `first` or `through`, from or to the end.

    NotFound if no month is closed, Conflict for one that is not. Entries are read page by page: they never change.
    """
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        closed = {Month.of(each.month): each for each in months.closed(connection)}
    if not closed:
        raise NotFound("no month is closed", remedy="an operator closes one with `longtail cost close MONTH`")
    start = min(closed) if first is None else Month.parse(first)
    end = max(closed) if through is None else Month.parse(through)
    rules.check_closed(start, end, closed)
    return _focus_lines(services, [closed[month] for month in sorted(closed) if start <= month <= end])


def _focus_lines(services: Services, of_months: list[ClosedMonth]) -> Iterator[str]:
    yield focus.header()
    for closed_month in of_months:
        day, after = closed_month.month, 0
        while after < closed_month.entries:
            with services.database.begin() as connection:
                page = months.entries(connection, first=day, last=day, after=(day, after), limit=MAX_LISTED_ENTRIES)
            account = account_of(closed_month, page)
            yield from focus.lines(map(entry_of, page), account=account, currency=closed_month.currency)
            after = page[-1].number


def _bounded(connection: Connection) -> AbstractContextManager[None]:
    return time_limit(connection, TIME_LIMIT_S, what="adding up costs", remedy="ask again when the database is idle")


def _entries(connection: Connection, month: Month, known: KnownCosts, closed: list[ClosedMonth]) -> list[Entry]:
    is_first_open = bool(closed) and month == max(_all(closed)).plus(1)  # only this one has corrections
    booked = months.entries(connection, first=date.min, last=date.max) if is_first_open else []
    return rules.month_entries(month, known.charges, map(entry_of, booked), _all(closed))


def _closed_statement(of_month: ClosedMonth, page: list[tuple[int, Entry]]) -> StatementView:
    last = page[-1][0] if page else of_month.entries
    view = closed_view(of_month)
    return StatementView(
        month=view.month,
        currency=view.currency,
        zone=view.zone,
        price_book=view.price_book,
        closed_at=view.closed_at,
        closed_by=view.closed_by,
        amount=view.amount,
        count=view.entries,
        entries=[entry_view(number, entry) for number, entry in page],
        next=last if last < of_month.entries else None,
    )


def _last(closed: list[ClosedMonth]) -> Month | None:
    return Month.of(closed[-1].month) if closed else None


def _all(closed: list[ClosedMonth]) -> set[Month]:
    return {Month.of(each.month) for each in closed}
