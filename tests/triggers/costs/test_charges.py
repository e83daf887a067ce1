"""What transfer, requests and storage cost: exactly quantity times price, day by day, as tiers and prices change."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.triggers.costs.books import BOOK, WORKED_EXAMPLE, price_book
from triggers.contracts.campaign import Network
from triggers.costs.amounts import total
from triggers.costs.charges import (
    MAX_QUANTITY,
    Charge,
    Requested,
    Service,
    Sku,
    Transferred,
    merged,
    request_charges,
    transfer_charges,
)
from triggers.costs.months import DAY, Month, day_at, month_parts, months_later, zone_named
from triggers.costs.prices import PriceBook, RequestKind, Stay
from triggers.costs.storage import StoragePeriod, Stored, Uploads, lifetime_charges, storage_charges
from triggers.errors import InvalidInput

GB = 10**9
START, END = date(2026, 1, 1), date(2028, 3, 1)
DAYS = st.dates(START, END)
SIZES = st.integers(0, MAX_QUANTITY)
HOT, ARCHIVE = Sku(Service.STORAGE, "hot"), Sku(Service.STORAGE, "archive")
MOVE = Sku(Service.REQUESTS, RequestKind.TRANSITION)


def by_sku(charges: list[Charge]) -> dict[str, Decimal]:
    skus = sorted({charge.sku for charge in charges})
    return {str(sku): total(each.amount for each in charges if each.sku == sku) for sku in skus}


def test_a_car_day_of_10_gb_costs_1_724() -> None:
    charges = lifetime_charges(price_book(WORKED_EXAMPLE), [Uploads(date(2026, 1, 1), Network.WIFI, 10 * GB, 100)])
    assert by_sku([charge for charge in charges if charge.amount]) == {
        "transfer:wifi": Decimal("0.50"),
        "storage:hot": Decimal("0.63"),
        "storage:archive": Decimal("0.594"),
    }
    assert total(charge.amount for charge in charges) == Decimal("1.724")
    # A figure that circulates for the archive is wrong by a factor of ten.
    assert by_sku(charges)["storage:archive"] != Decimal("0.06")


def test_a_car_day_in_the_middle_of_a_month_pays_months_by_their_days() -> None:
    charges = lifetime_charges(price_book(WORKED_EXAMPLE), [Uploads(date(2026, 1, 15), Network.WIFI, 10 * GB, 1)])
    hot = [charge for charge in charges if charge.sku == HOT]
    # 17 of 31 days in January, whole months, 14 of 30 days in April: 3.015 GB-months for each GB.
    assert [charge.quantity for charge in hot] == [5_483_870_968, 10 * GB, 10 * GB, 4_666_666_667]
    assert total(charge.priced_quantity for charge in hot) == Decimal("30.150537635")


@given(st.lists(st.tuples(DAYS, st.sampled_from(Network), SIZES)))
def test_transfer_costs_its_bytes_times_the_price_of_their_day(reports: list[tuple[date, Network, int]]) -> None:
    book = price_book()
    charges = transfer_charges(book, [Transferred(*report) for report in reports])
    exact = sum(
        (Fraction(size, GB) * Fraction(book.tariff_on(day).transfer_per_gb[network]) for day, network, size in reports),
        Fraction(0),
    )
    assert Fraction(total(charge.amount for charge in charges)) == exact
    assert sum(charge.quantity for charge in charges) == sum(size for _, _, size in reports)


@given(st.lists(st.tuples(DAYS, st.sampled_from(RequestKind), SIZES)), st.randoms())
def test_requests_cost_their_number_times_a_thousandth_of_the_price_in_any_order(
    reports: list[tuple[date, RequestKind, int]], chance: random.Random
) -> None:
    book = price_book()
    charges = request_charges(book, [Requested(*report) for report in reports])
    exact = sum(
        (
            Fraction(count) * Fraction(book.tariff_on(day).per_1000_requests[kind]) / 1000
            for day, kind, count in reports
        ),
        Fraction(0),
    )
    assert Fraction(total(charge.amount for charge in charges)) == exact
    chance.shuffle(reports)
    assert request_charges(book, [Requested(*report) for report in reports]) == charges


def day_by_day(book: PriceBook, stored: list[Stored], start: date, end: date) -> Counter[tuple[Month, date, str]]:
    """The byte-days by month, tariff and tier, from the rules as they are written: one clip and one day at a time."""
    found: Counter[tuple[Month, date, str]] = Counter()
    for each in stored:
        day = max(start, each.arrived)
        while day < end and (each.gone is None or day < each.gone):
            tariff = book.tariff_on(day)
            boundary, name = Stay(), tariff.tiers[-1].name
            for tier in tariff.tiers[:-1]:
                assert tier.stays is not None
                boundary += tier.stays
                if day < boundary.after(each.arrived):
                    name = tier.name
                    break
            found[Month.of(day), tariff.start, name] += each.size_bytes
            day += DAY
    return found


STORED = st.builds(
    lambda arrived, days, size: Stored(arrived, None if days is None else arrived + timedelta(days), size),
    DAYS,
    st.none() | st.integers(0, 500),
    st.integers(0, 10**13),
)


@given(st.lists(STORED, max_size=4), DAYS, DAYS)
@example([Stored(date(2026, 10, 31), None, 7)], START, END)
def test_storage_costs_what_it_costs_day_by_day(stored: list[Stored], start: date, end: date) -> None:
    book = price_book()
    charges = [charge for charge in storage_charges(book, stored, start, end) if charge.sku != MOVE]
    expected = {
        (month, tier, max(month.start, tariff_start)): round(Fraction(quantity, month.days))
        for (month, tariff_start, tier), quantity in day_by_day(book, stored, start, end).items()
    }
    assert {(charge.month, charge.sku.item, charge.start): charge.quantity for charge in charges} == {
        key: quantity for key, quantity in expected.items() if quantity
    }
    for charge in charges:
        tariff = book.tariff_on(charge.start)
        (tier,) = (tier for tier in tariff.tiers if tier.name == charge.sku.item)
        assert charge.unit_price == tier.per_gb_month
        assert Fraction(charge.amount) == Fraction(charge.quantity) * Fraction(tier.per_gb_month) / GB


@given(st.lists(STORED, max_size=3), DAYS)
def test_storage_of_two_times_is_that_of_both_when_they_meet_between_months(stored: list[Stored], day: date) -> None:
    middle, book = Month.of(day).start, price_book()
    parts = [*storage_charges(book, stored, START, middle), *storage_charges(book, stored, middle, END)]
    assert merged(parts) == storage_charges(book, stored, START, END)


def test_a_clip_moves_once_to_each_tier_also_when_the_tariff_makes_it_move() -> None:
    book = price_book()
    # By the tariff of 2026 it would stay hot until 31 January; by the one of 2027, for 90 days.
    stored = [
        Stored(date(2026, 10, 31), None, GB, objects=5),
        Stored(date(2026, 1, 1), date(2026, 3, 1), GB, objects=9),
    ]
    (move,) = [charge for charge in storage_charges(book, stored, START, END) if charge.sku == MOVE]
    assert (move.quantity, move.month) == (5, Month(2027, 1))


def test_a_clip_moves_in_the_month_whose_first_day_it_is_that_asks_for_the_next_tier() -> None:
    stored = [Stored(date(2026, 1, 1), None, GB, objects=3)]
    april = storage_charges(price_book(), stored, date(2026, 4, 1), date(2026, 5, 1))
    assert [(charge.sku, charge.quantity) for charge in april] == [(MOVE, 3), (ARCHIVE, GB)]
    assert MOVE not in {each.sku for each in storage_charges(price_book(), stored, START, date(2026, 4, 1))}
    assert MOVE not in {each.sku for each in storage_charges(price_book(), stored, date(2026, 5, 1), date(2026, 6, 1))}


def test_every_tier_ends_by_the_day_of_arrival_and_short_months_do_not_add_up() -> None:
    text = WORKED_EXAMPLE.replace("[hot, archive]", "[hot, warm, archive]").replace(
        "      hot: {per_gb_month: 0.021, stays: 3 months}\n",
        "      hot: {per_gb_month: 0.021, stays: 1 month}\n      warm: {per_gb_month: 0.01, stays: 1 month}\n",
    )
    (tariff,) = price_book(text).tariffs
    spans = [(tier.name, start, end) for tier, start, end in tariff.tier_spans(date(2026, 1, 31))]
    assert spans == [
        ("hot", date(2026, 1, 31), date(2026, 2, 28)),
        ("warm", date(2026, 2, 28), date(2026, 3, 31)),
        ("archive", date(2026, 3, 31), None),
    ]
    charges = storage_charges(price_book(text), [Stored(date(2026, 1, 31), None, 31 * GB)], START, date(2026, 4, 1))
    assert {(str(charge.sku), charge.month.number): charge.quantity for charge in charges if charge.sku != MOVE} == {
        ("storage:hot", 1): GB,
        ("storage:hot", 2): round(Fraction(31 * GB * 27, 28)),
        ("storage:warm", 2): round(Fraction(31 * GB, 28)),
        ("storage:warm", 3): 30 * GB,
        ("storage:archive", 3): GB,
    }


def test_a_clip_that_is_erased_on_the_day_of_its_transition_does_not_move() -> None:
    stored = Stored(date(2026, 1, 1), date(2026, 4, 1), GB)
    assert {charge.sku for charge in storage_charges(price_book(), [stored], START, END)} == {HOT}


def test_what_outlives_its_last_tier_goes_on_being_paid_for() -> None:
    book = price_book(WORKED_EXAMPLE)
    charges = storage_charges(book, [Stored(START, None, GB)], date(2033, 1, 1), date(2033, 2, 1))
    assert [(charge.sku, charge.quantity) for charge in charges] == [(ARCHIVE, GB)]


def test_byte_days_of_all_clips_are_added_up_before_they_are_rounded() -> None:
    charges = storage_charges(price_book(), [Stored(date(2026, 1, 1), date(2026, 1, 16), 1)], START, END)
    assert charges == []
    many = [Stored(date(2026, 1, 1), date(2026, 1, 16), 1)] * 31
    assert [charge.quantity for charge in storage_charges(price_book(), many, START, END)] == [15]


def test_a_campaigns_retention_is_used_before_the_price_books() -> None:
    day, book = Uploads(date(2026, 1, 1), Network.CELLULAR, 10 * GB, 0), price_book(WORKED_EXAMPLE)
    assert by_sku(lifetime_charges(book, [day], kept=Stay(months=1))) == {
        "transfer:cellular": Decimal("9.00"),
        "storage:hot": Decimal("0.210"),
    }


def test_what_a_plan_costs_is_not_known_if_nobody_says_how_long_clips_are_kept() -> None:
    with pytest.raises(InvalidInput, match=r"how long they are kept; give the last tier, archive, its `stays`"):
        lifetime_charges(price_book(), [Uploads(date(2027, 1, 1), Network.WIFI, 1, 1)])


@given(st.lists(st.tuples(st.integers(0, 80), SIZES), max_size=30), st.integers(0, 100))
def test_uploads_of_many_days_cost_what_those_of_each_day_do_but_for_less_than_a_byte_month(
    days: list[tuple[int, int]], kept: int
) -> None:
    book, stay = price_book(), Stay(days=kept)
    uploads = [Uploads(date(2026, 1, 1) + timedelta(day), Network.WIFI, size, 1) for day, size in days]
    together, alone = lifetime_charges(book, uploads, kept=stay), []
    for each in uploads:
        alone += lifetime_charges(book, [each], kept=stay)
    quantities = [
        Counter({(each.sku, each.start): each.quantity for each in merged(all_of)}) for all_of in (together, alone)
    ]
    for key in quantities[0] | quantities[1]:
        apart = abs(quantities[0][key] - quantities[1][key])
        assert apart <= len(days) / 2 + 1 if key[0].service is Service.STORAGE else apart == 0


@pytest.mark.parametrize("size", [-1, MAX_QUANTITY + 1])
def test_an_impossible_size_is_refused(size: int) -> None:
    book = price_book()
    for charge in (
        lambda: transfer_charges(book, [Transferred(START, Network.WIFI, size)]),
        lambda: request_charges(book, [Requested(START, RequestKind.READ, size)]),
        lambda: storage_charges(book, [Stored(START, None, size)], START, END),
        lambda: storage_charges(book, [Stored(START, None, 1, objects=size)], START, END),
    ):
        with pytest.raises(InvalidInput, match=f"{size} .*: it must be from 0 to {MAX_QUANTITY}"):
            charge()


def test_an_erasure_before_the_arrival_is_refused() -> None:
    with pytest.raises(InvalidInput, match="arrived on 2026-02-01 were erased on 2026-01-31, before that"):
        storage_charges(price_book(), [Stored(date(2026, 2, 1), date(2026, 1, 31), 1)], START, END)


def test_a_day_without_prices_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no prices for 2025-12-31"):
        transfer_charges(price_book(), [Transferred(date(2025, 12, 31), Network.WIFI, 1)])
    old = Stored(date(2025, 1, 1), None, 1)  # what was stored before the book begins is paid for from then on
    assert storage_charges(price_book(), [old], START, END)


@given(DAYS, st.integers(0, 1200))
def test_a_day_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int) -> None:
    later = months_later(day, months)
    assert Month.of(later) == Month.of(day).plus(months)
    assert later.day == day.day or (later.day < day.day and later + DAY == Month.of(later).end)


@given(DAYS, DAYS)
def test_parts_of_months_are_all_days_once(start: date, end: date) -> None:
    days = [
        first + timedelta(number)
        for _, first, after in month_parts(start, end)
        for number in range((after - first).days)
    ]
    assert days == [start + timedelta(number) for number in range((end - start).days)]
    assert all(Month.of(first) == month == Month.of(after - DAY) for month, first, after in month_parts(start, end))


def test_months_are_read_strictly() -> None:
    assert Month.parse("2026-01") == Month(2026, 1)
    assert Month.parse("9998-12").end == date(9999, 1, 1)
    for text in ("2026-1", "2026-13", "0000-01", "1969-12", "9999-01", "2026-01-01", ""):
        with pytest.raises(InvalidInput, match="write year and month, such as 2026-01"):
            Month.parse(text)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.timezones()), st.timezones())
def test_a_moment_is_on_one_day_of_a_zone_wherever_it_was_written(moment: datetime, zone: tzinfo) -> None:
    day = day_at(moment, zone)
    assert day == day_at(moment.astimezone(UTC), zone)
    assert abs(day - moment.astimezone(UTC).date()) <= DAY


def test_what_is_no_zone_and_no_moment_is_refused() -> None:
    assert day_at(datetime(2026, 1, 1, tzinfo=UTC), zone_named("America/New_York")) == date(2025, 12, 31)
    for name in (
        "Berlin",
        "../../etc/passwd",
        "/etc/localtime",
        "",
        "a" * 5000,
        "UTC\0",
        "CET",
        "EST5EDT",
        "right/Europe/Berlin",
        "posix/UTC",
    ):
        with pytest.raises(InvalidInput, match=r"unknown time zone: .*; write UTC, or a name of the IANA database"):
            zone_named(name)
    with pytest.raises(ValueError, match="without an offset"):
        day_at(datetime(2026, 1, 1), UTC)


def test_what_a_period_has_found_for_one_campaign_holds_for_the_next() -> None:
    period = StoragePeriod(price_book(), START, END)
    of_campaigns = [
        [Stored(START, None, GB), Stored(START, date(2026, 5, 3), 2 * GB)],
        [Stored(START, date(2026, 2, 1), 3 * GB), Stored(date(2026, 2, 1), None, GB)],
    ]
    for stored in (*of_campaigns, of_campaigns[0]):
        assert period.charges(stored) == storage_charges(price_book(), stored, START, END)


def test_prices_may_end_once_nothing_is_stored_any_more() -> None:
    book = price_book(BOOK[: BOOK.index("  - from: 2027")])
    erased = Stored(date(2026, 12, 1), date(2027, 1, 1), GB)
    assert storage_charges(book, [erased], START, date(2027, 6, 1))
    for kept in (replace(erased, gone=None), Stored(date(2027, 2, 1), None, GB)):
        with pytest.raises(InvalidInput, match="its last are through 2026-12-31"):
            storage_charges(book, [kept], START, date(2027, 6, 1))
