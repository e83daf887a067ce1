"""Months are closed in order when they are over, never change afterwards, and are corrected by entries that add up."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_api.costs.rules import Entry, amount_by_campaign, check_may_close, closing_entries, corrections
from tests.triggers.costs.books import BOOK, price_book
from triggers.contracts.campaign import Network
from triggers.costs.amounts import total
from triggers.costs.charges import Charge, Service, Sku, Transferred, transfer_charges
from triggers.costs.months import Month
from triggers.costs.prices import PriceBook
from triggers.errors import Conflict

JANUARY, FEBRUARY, MARCH = Month(2026, 1), Month(2026, 2), Month(2026, 3)
GB = 10**9
Report = tuple[date, str, Network, int, int]
"""Day, campaign, network, bytes, and in which month of 2026 it arrives."""
WIFI = Sku(Service.TRANSFER, Network.WIFI)


def charge(gigabytes: int, month: Month = JANUARY, price: str = "0.05") -> Charge:
    return Charge(WIFI, month.start, month.end, Decimal(price), gigabytes * GB)


def test_a_month_is_closed_when_it_is_over() -> None:
    check_may_close(JANUARY, today=date(2026, 2, 1), closed=None)
    with pytest.raises(Conflict, match=r"2026-01 is not over; close it on 2026-02-01 or later"):
        check_may_close(JANUARY, today=date(2026, 1, 31), closed=None)


def test_a_month_waits_for_late_reports() -> None:
    check_may_close(JANUARY, today=date(2026, 2, 8), closed=None, grace_days=7)
    with pytest.raises(Conflict, match=r"may report until 7 days later; close it on 2026-02-08 or later"):
        check_may_close(JANUARY, today=date(2026, 2, 7), closed=None, grace_days=7)
    with pytest.raises(ValueError, match="grace_days must be from 0 to 90"):
        check_may_close(JANUARY, today=date(2026, 2, 7), closed=None, grace_days=-1)


def test_months_are_closed_in_order_and_once() -> None:
    check_may_close(Month(2027, 1), today=date(2027, 2, 1), closed=Month(2026, 12))
    with pytest.raises(Conflict, match=r"2026-03 cannot be closed before 2026-02; close months in order"):
        check_may_close(MARCH, today=date(2026, 5, 1), closed=JANUARY)
    for month in (JANUARY, FEBRUARY):
        with pytest.raises(Conflict, match=rf"{month} is closed, as all months through 2026-02 are"):
            check_may_close(month, today=date(2026, 5, 1), closed=FEBRUARY)


def test_a_statement_has_the_charges_of_its_month_by_campaign() -> None:
    charges = {"swerve": [charge(1), charge(2), charge(5, FEBRUARY)], "": [charge(4)], "idle": [charge(0)]}
    assert closing_entries(JANUARY, charges) == [Entry(JANUARY, "", charge(4)), Entry(JANUARY, "swerve", charge(3))]


def test_what_is_learnt_later_is_a_new_entry_in_the_open_month() -> None:
    booked = closing_entries(JANUARY, {"swerve": [charge(3)]})
    (late,) = corrections(JANUARY, booked, {"swerve": [charge(10)]}, into=MARCH)
    assert late == Entry(MARCH, "swerve", charge(7))
    assert (late.is_correction, booked[0].is_correction) == (True, False)
    assert corrections(JANUARY, [*booked, late], {"swerve": [charge(10)]}, into=MARCH) == []


def test_what_turns_out_to_be_too_much_is_taken_back() -> None:
    booked = closing_entries(JANUARY, {"swerve": [charge(3)], "idle": [charge(2)]})
    assert corrections(JANUARY, booked, {"swerve": [charge(1)]}, into=FEBRUARY) == [
        Entry(FEBRUARY, "idle", charge(-2)),
        Entry(FEBRUARY, "swerve", charge(-2)),
    ]


def test_a_wrong_price_is_taken_back_and_charged_at_the_right_one() -> None:
    booked = closing_entries(JANUARY, {"swerve": [charge(3)]})
    corrected = corrections(JANUARY, booked, {"swerve": [charge(3, price="0.04")]}, into=FEBRUARY)
    assert corrected == [Entry(FEBRUARY, "swerve", charge(3, price="0.04")), Entry(FEBRUARY, "swerve", charge(-3))]
    assert amount_by_campaign([*booked, *corrected]) == {"swerve": Decimal("0.12")}


def test_a_month_is_not_corrected_in_itself() -> None:
    for into in (JANUARY, Month(2025, 12)):
        with pytest.raises(ValueError, match="2026-01 is corrected in a later month"):
            corrections(JANUARY, [], {}, into=into)


REPORTS = st.lists(
    st.tuples(
        st.dates(date(2026, 1, 1), date(2026, 4, 30)),
        st.sampled_from(["swerve", "cut_in", ""]),
        st.sampled_from(Network),
        st.integers(0, 10**15),
        st.integers(1, 6),
    ),
    max_size=20,
)


@given(REPORTS, st.booleans())
def test_entries_always_add_up_to_what_is_known_and_closed_months_never_change(
    reports: list[Report], cheaper: bool
) -> None:
    """Each report arrives in a month of its own, in some cases long after the day that it is about."""
    entries: list[Entry] = []
    statements: dict[Month, list[Entry]] = {}
    books = [price_book(), price_book(BOOK.replace("wifi: 0.05", "wifi: 0.03")) if cheaper else price_book()]
    for now in (Month(2026, number) for number in range(2, 8)):
        known = known_charges(reports, until=now, book=books[now >= Month(2026, 5)])
        for closed in sorted(statements):
            entries += corrections(closed, entries, known, into=now)
            assert corrections(closed, entries, known, into=now) == []
        for closed, statement in statements.items():
            costs = [each.amount for of_campaign in known.values() for each in of_campaign if each.month == closed]
            booked = [entry.charge.amount for entry in entries if entry.charge.month == closed]
            assert total(booked) == total(costs)
            assert [entry for entry in entries if entry.month == closed and not entry.is_correction] == statement
        ending = now.plus(-1)
        check_may_close(ending, today=now.start, closed=max(statements, default=None))
        statements[ending] = closing_entries(ending, known)
        entries += statements[ending]


def known_charges(reports: list[Report], *, until: Month, book: PriceBook) -> dict[str, list[Charge]]:
    """What is known of transfer when a month begins: the reports that arrived before."""
    transferred: dict[str, list[Transferred]] = defaultdict(list)
    for day, campaign, network, size, arrival in reports:
        if max(Month.of(day), Month(2026, arrival)) < until:
            transferred[campaign].append(Transferred(day, network, size))
    return {campaign: transfer_charges(book, of_campaign) for campaign, of_campaign in transferred.items()}
