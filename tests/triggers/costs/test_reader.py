"""Price books are read exactly as written, and every mistake is told with its line and what to write instead."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.costs.books import BOOK, price_book
from triggers.contracts.campaign import Network
from triggers.contracts.limits import MAX_PRICE_BOOK_BYTES
from triggers.costs.currencies import CURRENCIES
from triggers.costs.nodes import MAX_SHOWN
from triggers.costs.prices import RequestKind, Stay, TierPrice
from triggers.costs.reader import load_price_book
from triggers.errors import InvalidInput


def mistakes(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        price_book(text)
    return refused.value.message.splitlines()


def test_a_book_is_read_as_written() -> None:
    book = price_book()
    assert (book.currency, book.tiers) == ("EUR", ("hot", "archive"))
    first, second = book.tariffs
    assert (first.start, first.end, second.start, second.end) == (
        date(2026, 1, 1),
        date(2027, 1, 1),
        date(2027, 1, 1),
        None,
    )
    assert first.transfer_per_gb == {Network.WIFI: Decimal("0.05"), Network.CELLULAR: Decimal("0.90")}
    assert first.per_1000_requests[RequestKind.READ] == Decimal("0.0004")
    assert first.tiers == (
        TierPrice("hot", Decimal("0.021"), Stay(months=3)),
        TierPrice("archive", Decimal("0.00099"), Stay(months=60)),
    )
    assert second.tiers[0].stays == Stay(days=90)
    assert (first.stays, second.stays) == (Stay(months=63), None)


@given(st.decimals(min_value=0, max_value=999_999_999, allow_nan=False, allow_infinity=False, places=9))
def test_every_price_is_exact(price: Decimal) -> None:
    book = price_book(BOOK.replace("wifi: 0.05", f"wifi: {price:f}"))
    assert book.tariffs[0].transfer_per_gb[Network.WIFI] == price


def test_a_price_may_name_the_books_currency() -> None:
    assert price_book(BOOK.replace("wifi: 0.05", "wifi: 0.05 EUR")) == price_book()
    assert price_book(BOOK.replace("wifi: 0.05", 'wifi: "0.05"')) == price_book()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "currency: EUR",
            "currency: eur",
            "1: currency: eur is not a currency; write its code in ISO 4217, such as EUR",
        ),
        (
            "currency: EUR",
            "currency: EUX",
            "1: currency: EUX is not a currency; write its code in ISO 4217, such as EUR",
        ),
        (
            "wifi: 0.05",
            "wifi: 0.05 USD",
            "6: prices.0.transfer_per_gb.wifi: the price is in USD, the book in EUR; a book has one currency",
        ),
        (
            "  - from: 2027-01-01\n",
            "  - from: 2027-01-01\n    currency: USD\n",
            "12: prices.1.currency: a price book has one currency, EUR; "
            "prices in another belong in a book of their own",
        ),
        ("wifi: 0.05", "wifi: -0.05", "6: prices.0.transfer_per_gb.wifi: '-0.05' is negative; a price is 0 or more"),
        (
            "wifi: 0.05",
            'wifi: "0,05"',
            "6: prices.0.transfer_per_gb.wifi: '0,05' has a comma; "
            "write decimals after a point, and no separators of thousands",
        ),
        (
            "wifi: 0.05",
            "wifi: 5e-2",
            "6: prices.0.transfer_per_gb.wifi: 5e-2 is not a decimal number; write digits and a point, such as 0.05",
        ),
        (
            "wifi: 0.05",
            "wifi: .nan",
            "6: prices.0.transfer_per_gb.wifi: '.nan' is not a decimal number; write digits and a point, such as 0.05",
        ),
        (
            "wifi: 0.05",
            "wifi: 0.0000000001",
            "6: prices.0.transfer_per_gb.wifi: 0.0000000001 is too long; "
            "a price has at most 9 digits on either side of the point",
        ),
        ("wifi: 0.05", 'wifi: ""', "6: prices.0.transfer_per_gb.wifi: it has no value"),
        ("wifi: 0.05", "wifi: [1]", "6: prices.0.transfer_per_gb.wifi: it must be a single value"),
        ("wifi: 0.05, ", "", "6: prices.0.transfer_per_gb: the key wifi is missing; add it"),
        (
            "wifi: 0.05",
            "wfii: 0.05, wifi: 0.05",
            "6: prices.0.transfer_per_gb: there is no key wfii here; `wifi` is meant?",
        ),
        (
            "      archive: {per_gb_month: 0.00099, stays: 60 months}\n",
            "",
            "9: prices.0.storage: the tier archive is missing; add it",
        ),
        (
            "      archive: {per_gb_month: 0.00099}\n",
            "      archive: {per_gb_month: 0.00099}\n      deep: {per_gb_month: 0.0009}\n",
            "17: prices.1.storage: there is no tier deep here; known are hot, archive",
        ),
        (", stays: 3 months", "", "9: prices.0.storage.hot: the key stays is missing; add it"),
        (
            "3 months",
            "3",
            "9: prices.0.storage.hot.stays: 3 is not a time to stay; write `3 months` or `90 days`, "
            "1200 months or 36500 days at most",
        ),
        (
            "from: 2026-01-01",
            "from: 2026-02-30",
            "4: prices.0.from: 2026-02-30 is not a day; write one such as 2026-01-31, from 2000 on",
        ),
        (
            "through: 2026-12-31",
            "through: 2025-12-31",
            "5: prices.0.through: 2025-12-31 is before `from`, 2026-01-01; write the last day, or no `through`",
        ),
        (
            "through: 2026-12-31",
            "through: 2027-01-31",
            "11: prices.1: it overlaps the entry before it (line 4): "
            "there would be two prices from 2027-01-01 through 2027-01-31",
        ),
        (
            "    through: 2026-12-31\n",
            "",
            "10: prices.1: it overlaps the entry before it (line 4), which has no `through`; "
            "end that one through 2026-12-31",
        ),
        (
            "through: 2026-12-31",
            "through: 2026-11-30",
            "11: prices.1: there is a gap after the entry before it (line 4): "
            "no prices from 2026-12-01 through 2026-12-31",
        ),
        (
            "from: 2027-01-01",
            "from: 2025-01-01",
            "11: prices.1: it begins on 2025-01-01, and the entry before it (line 4) on 2026-01-01; "
            "sort the entries by `from`",
        ),
        ("tiers: [hot, archive]", "tiers: [hot, hot, archive]", "2: tiers: hot is named twice"),
        (
            "tiers: [hot, archive]",
            "tiers: [hot, Archive, archive]",
            "2: tiers: Archive is not a tier's name; use lower-case letters, digits and `_`",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_a_remedy(old: str, new: str, message: str) -> None:
    assert old in BOOK
    assert f"prices.yaml:{message}" in mistakes(BOOK.replace(old, new, 1))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = BOOK.replace("wifi: 0.05", "wifi: -1").replace("write: 0.005", "write: free").replace("3 months", "soon")
    assert [line.split(": ")[:2] for line in mistakes(text)] == [
        ["prices.yaml:6", "prices.0.transfer_per_gb.wifi"],
        ["prices.yaml:7", "prices.0.per_1000_requests.write"],
        ["prices.yaml:9", "prices.0.storage.hot.stays"],
        ["prices.yaml:13", "prices.1.per_1000_requests.write"],
    ]


@pytest.mark.parametrize("through", ["2025-12-31", "soon"])
def test_a_mistake_in_days_is_told_once(through: str) -> None:
    (mistake,) = mistakes(BOOK.replace("through: 2026-12-31", f"through: {through}"))
    assert mistake.startswith("prices.yaml:5: prices.0.through: ")


def test_a_list_of_mistakes_has_an_end() -> None:
    tiers = ", ".join(f"T{number}" for number in range(15))
    entries = "".join(f"  - from: never{number}\n" for number in range(100))
    lines = mistakes(f"currency: EUR\ntiers: [{tiers}]\nprices:\n{entries}")
    assert len(lines) == MAX_SHOWN + 1
    assert lines[-1].endswith("more mistakes")


def test_a_text_of_nothing_but_mistakes_is_refused_with_the_first_of_them() -> None:
    """Proposals for a hundred thousand unknown keys would take minutes; only those that are shown are looked for."""
    keys = "".join(f"k{number:x}: 1\n" for number in range(20_000))
    lines = mistakes(BOOK + keys)
    assert len(lines) == MAX_SHOWN + 1
    assert lines[-1] == f"prices.yaml: and {20_000 - MAX_SHOWN} more mistakes"
    assert len(mistakes(BOOK + f"{'k' * 100_000}: 1\n")[0]) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "prices.yaml: the price book: it is empty"),
        ("- a\n", "prices.yaml:1: the price book: it must have the keys currency, tiers, prices"),
        ("currency: EUR\ncurrency: USD\n", "prices.yaml:2: currency is declared twice"),
        ("a: &a [1]\nb: *a\n", "prices.yaml:1: YAML aliases are not supported here"),
        ("[" * 50, "prices.yaml: nested more than 20 deep"),
    ],
)
def test_what_is_no_price_book_is_refused(text: str, message: str) -> None:
    assert mistakes(text) == [message]


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_value_of_any_text_is_read_or_refused(value: str) -> None:
    for old in ("0.05", "3 months", "2026-12-31", "EUR"):
        try:
            price_book(BOOK.replace(old, value, 1))
        except InvalidInput as refused:
            assert refused.message.startswith("prices.yaml")


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("\ufeff" + BOOK, "utf-8")
    assert load_price_book(path) == price_book()
    path.write_text(BOOK + "#" * MAX_PRICE_BOOK_BYTES, "utf-8")
    with pytest.raises(InvalidInput, match=r"has at most 262144 bytes"):
        load_price_book(path)
    path.write_bytes(b"currency: \xff")
    with pytest.raises(InvalidInput, match=r"not UTF-8 at byte 10"):
        load_price_book(path)
    with pytest.raises(InvalidInput, match=r"nowhere.yaml: cannot be read"):
        load_price_book(tmp_path / "nowhere.yaml")


def test_a_day_without_prices_says_which_there_are() -> None:
    book = price_book(BOOK[: BOOK.index("  - from: 2027")])
    with pytest.raises(InvalidInput, match=r"no prices for 2025-12-31: its first are from 2026-01-01; add an entry"):
        book.tariff_on(date(2025, 12, 31))
    with pytest.raises(InvalidInput, match=r"no prices for 2027-01-01: its last are through 2026-12-31; add an entry"):
        book.tariff_on(date(2027, 1, 1))
    assert book.tariff_on(date(2026, 12, 31)) == book.tariffs[0]


def test_currencies_are_codes_of_three_letters() -> None:
    assert {code for code in CURRENCIES if len(code) != 3 or not code.isupper()} == set()
    assert {"EUR", "USD", "JPY", "CHF", "CNY"} <= CURRENCIES


@pytest.mark.parametrize(
    ("classes", "mistake"),
    [
        ("{cold: [GLACIER]}", "storage_classes: there is no tier cold here"),
        (
            "{archive: [DEEP_FREEZE]}",
            "storage_classes.archive: DEEP_FREEZE is not a storage class of S3; choose",
        ),
        ("{hot: [GLACIER], archive: [GLACIER]}", "storage_classes.archive: GLACIER is in the tier hot already"),
        ("{archive: GLACIER}", "storage_classes.archive: it must be a list with at least one entry"),
        ("GLACIER", "storage_classes: it must have the tiers hot, archive"),
    ],
)
def test_storage_classes_are_each_in_one_tier_of_the_book(classes: str, mistake: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        price_book(BOOK.replace("storage_classes: {archive: [DEEP_ARCHIVE]}", f"storage_classes: {classes}"))
    assert mistake in caught.value.message


def test_what_was_never_moved_is_in_the_first_tier() -> None:
    book = price_book()
    assert [book.tier_of(name) for name in ("", "STANDARD", "DEEP_ARCHIVE")] == ["hot", "hot", "archive"]
    moved = price_book(BOOK.replace("[DEEP_ARCHIVE]", "[STANDARD]"))
    assert [moved.tier_of(name) for name in ("", "STANDARD")] == ["hot", "archive"]
