"""What was caused, added up over parts of months, costs what it costs clip by clip and day by day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.costs.books import BOOK, price_book
from triggers.costs.caused import Caused, Part, caused_charges, parts_of
from triggers.costs.charges import Requested, Service, merged, request_charges
from triggers.costs.prices import RequestKind
from triggers.costs.storage import Stored, storage_charges
from triggers.errors import InvalidInput

GB = 10**9
START, END = date(2026, 1, 1), date(2027, 6, 15)
ENDED = BOOK.replace("  - from: 2027-01-01\n", "  - from: 2027-01-01\n    through: 2027-03-31\n")


def caused_by(stored: Stored, parts: list[Part]) -> Iterator[Caused]:
    """Arrival, move to the archive at the age that the book's tier says, and erasure of clips, as changes."""
    book, moved = price_book(), stored.arrived
    while moved < END and book.tariff_on(moved).tiers[0].name == _tier(stored, moved):
        moved += timedelta(days=1)
    gone = stored.gone or END
    yield from _change(parts, stored.arrived, "", stored.size_bytes)
    yield from _request(parts, stored.arrived, "write", stored.objects)
    if moved < gone:
        yield from _change(parts, moved, "", -stored.size_bytes)
        yield from _change(parts, moved, "DEEP_ARCHIVE", stored.size_bytes)
        yield from _request(parts, moved, "transition", stored.objects)
    yield from _change(parts, gone, "" if moved >= gone else "DEEP_ARCHIVE", -stored.size_bytes)


def _tier(stored: Stored, day: date) -> str:
    spans = price_book().tariff_on(day).tier_spans(stored.arrived)
    return next(tier.name for tier, start, end in spans if start <= day and (end is None or day < end))


def _part(parts: list[Part], day: date) -> int | None:
    return bisect_right([part.start for part in parts], day) - 1 if day < END else None


def _change(parts: list[Part], day: date, storage_class: str, size_bytes: int) -> Iterator[Caused]:
    if (part := _part(parts, day)) is not None:
        byte_days = size_bytes * (parts[part].until - day).days
        yield Caused(part, Service.STORAGE, storage_class, size_bytes, byte_days)


def _request(parts: list[Part], day: date, kind: str, count: int) -> Iterator[Caused]:
    if (part := _part(parts, day)) is not None:
        yield Caused(part, Service.REQUESTS, kind, count)


@st.composite
def clips(draw: st.DrawFn) -> Stored:
    # through October: a tier that begins another day in the second tariff would move a clip back, which nobody does
    arrived = START + timedelta(days=draw(st.integers(0, 270)))
    days = draw(st.none() | st.integers(0, 500))
    gone = None if days is None else arrived + timedelta(days=days)
    return Stored(arrived, gone, draw(st.integers(1, 10**12)), draw(st.integers(1, 9)))


@given(st.lists(clips(), max_size=6))
def test_clips_that_are_moved_at_the_ages_of_their_tiers_cost_what_a_plan_says(stored: list[Stored]) -> None:
    book = price_book()
    parts = parts_of(book, START, END)
    found = caused_charges(book, parts, [each for clip in stored for each in caused_by(clip, parts)])
    writes = [Requested(clip.arrived, RequestKind.WRITE, clip.objects) for clip in stored]
    expected = merged([*storage_charges(book, stored, START, END), *request_charges(book, writes)])
    assert found == expected


def test_parts_are_divided_where_months_begin_and_prices_change_and_priced_for_all_days_of_a_price() -> None:
    book = price_book(BOOK.replace("2026-12-31", "2026-12-10").replace("2027-01-01", "2026-12-11"))
    parts = parts_of(book, date(2026, 11, 20), date(2026, 12, 15))
    assert [(str(part.start), str(part.until), part.days) for part in parts] == [
        ("2026-11-20", "2026-12-01", 11),
        ("2026-12-01", "2026-12-11", 10),
        ("2026-12-11", "2026-12-15", 4),
    ]
    caused = [Caused(number, Service.TRANSFER, "wifi", GB) for number in range(3)]
    charges = caused_charges(book, parts, caused)
    assert [(str(each.start), str(each.end), each.amount) for each in charges] == [
        ("2026-11-01", "2026-12-01", Decimal("0.05")),
        ("2026-12-01", "2026-12-11", Decimal("0.05")),
        ("2026-12-11", "2027-01-01", Decimal("0.04")),
    ]


def test_what_lies_in_a_class_that_the_book_does_not_have_has_no_cost() -> None:
    parts = parts_of(price_book(), START, END)
    caused = [Caused(0, Service.STORAGE, "GLACIER", GB, GB)]
    with pytest.raises(InvalidInput, match="storage class GLACIER, and the price book does not say in which tier"):
        caused_charges(price_book(), parts, caused)


def test_classes_of_one_tier_are_added_up_before_they_are_rounded() -> None:
    book = price_book(BOOK.replace("archive: [DEEP_ARCHIVE]", "archive: [DEEP_ARCHIVE, GLACIER]"))
    parts = parts_of(book, START, date(2026, 2, 1))
    caused = [Caused(0, Service.STORAGE, name, 1, 10) for name in ("DEEP_ARCHIVE", "GLACIER")]
    (charge,) = caused_charges(book, parts, caused)
    assert (str(charge.sku), charge.quantity) == ("storage:archive", 1)


def test_days_without_prices_are_refused_only_if_something_was_caused_on_them() -> None:
    book = price_book(ENDED)
    parts = parts_of(book, date(2027, 3, 1), date(2027, 5, 1))
    assert [(part.start, part.tariff is None) for part in parts] == [
        (date(2027, 3, 1), False),
        (date(2027, 4, 1), True),
    ]
    arrived = Caused(0, Service.STORAGE, "", GB, 31 * GB)
    erased = Caused(1, Service.STORAGE, "", -GB, -30 * GB)
    assert len(caused_charges(book, parts, [arrived, erased])) == 1
    for late in ([arrived], [Caused(1, Service.TRANSFER, "wifi", 1)]):
        with pytest.raises(InvalidInput, match="no prices for 2027-04-01: its last are through 2027-03-31"):
            caused_charges(book, parts, late)
    with pytest.raises(InvalidInput, match="no prices for 2025-12-31"):
        parts_of(book, date(2025, 12, 31), END)
    assert parts_of(book, date(2027, 4, 2), date(2027, 4, 3)) == [Part(date(2027, 4, 2), date(2027, 4, 3), None)]
