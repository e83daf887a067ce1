"""docs/cost.md: its price books are read, its figures follow from them, and mistakes are told as it shows."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from datetime import date
from decimal import Decimal

import pytest

import triggers.costs
from fleet_api.costs.focus import COLUMNS
from tests.support.paths import REPOSITORY
from tests.triggers.costs.books import BOOK, price_book
from triggers.contracts.campaign import Network
from triggers.contracts.limits import MAX_PRICE_BOOK_BYTES
from triggers.costs import nodes, reader
from triggers.costs.amounts import AMOUNT_DECIMALS, SHOWN_DECIMALS, UNIT_COST_DECIMALS, rounded, total
from triggers.costs.prices import RequestKind
from triggers.costs.storage import Uploads, lifetime_charges
from triggers.errors import InvalidInput

TEXT = (REPOSITORY / "docs/cost.md").read_text("utf-8")
EXAMPLE, ANNOTATED = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
GB = 10**9


def car_day(day: date) -> dict[str, Decimal]:
    """What 10 GB of a day cost, by what is paid for."""
    charges = lifetime_charges(price_book(EXAMPLE), [Uploads(day, Network.WIFI, 10 * GB, 100)])
    items = ("wifi", "hot", "archive")
    costs = {item: total(charge.amount for charge in charges if charge.sku.item == item) for item in items}
    assert total(costs.values()) == total(charge.amount for charge in charges)
    return costs


def test_the_worked_example_costs_what_it_says() -> None:
    costs = car_day(date(2026, 1, 1))
    assert costs == {"wifi": Decimal("0.50"), "hot": Decimal("0.63"), "archive": Decimal("0.594")}
    assert total(costs.values()) == Decimal("1.724")
    shown = re.findall(r"^\| (?:transfer|storage|\*\*).* \| \**([0-9.]+)\** \|$", TEXT, re.MULTILINE)
    assert [Decimal(cost) for cost in shown] == [*costs.values(), Decimal("1.724")]


def test_the_figures_of_the_fleet_follow_from_it() -> None:
    assert rounded(Decimal("1.724") * 365, 0) == 629
    assert Decimal("0.50") * 365 == Decimal("182.5")


def test_a_car_day_in_the_middle_of_a_month_costs_what_it_says() -> None:
    assert f"would have cost {rounded(total(car_day(date(2026, 1, 15)).values()), 4)} if" in TEXT


def test_the_annotated_book_is_that_of_the_tests() -> None:
    assert price_book(ANNOTATED) == price_book()
    assert (REPOSITORY / "examples/prices.yaml").read_text("utf-8") == ANNOTATED


def test_every_key_of_a_book_is_explained() -> None:
    for name in ("through", "transfer_per_gb", "per_1000_requests", "stays", *Network, *RequestKind):
        assert f"`{name}`" in TEXT
    for column in re.findall(r"^\| (`\w+`.*?) \|", TEXT, re.MULTILINE):
        assert set(re.findall(r"`(\w+)`", column)) <= set(COLUMNS)


def test_mistakes_are_told_as_shown() -> None:
    text = BOOK.replace("wifi: 0.05", "wifi: -0.05").replace("through: 2026-12-31", "through: 2026-11-30")
    with pytest.raises(InvalidInput) as refused:
        price_book(text.replace("      archive: {per_gb_month: 0.00099, stays: 60 months}\n", ""))
    assert refused.value.message.splitlines() == re.findall(r"^prices\.yaml:.*$", TEXT, re.MULTILINE)


def test_the_limits_are_those_of_the_code() -> None:
    assert (MAX_PRICE_BOOK_BYTES, reader.MAX_TARIFFS, reader.MAX_TIERS) == (256 * 1024, 500, 20)
    assert "256 KiB, 500 entries of `prices`, 20 tiers" in TEXT
    assert f"{nodes.MAX_STAY_MONTHS} months or {nodes.MAX_STAY_DAYS:,} days" in TEXT
    assert f"at most {nodes.PRICE_DIGITS} digits" in TEXT
    assert f"{AMOUNT_DECIMALS} decimals" in TEXT
    assert f"(to {UNIT_COST_DECIMALS} decimals)" in TEXT
    assert f"(to {SHOWN_DECIMALS})" in TEXT


@pytest.mark.parametrize("name", sorted(module.name for module in pkgutil.iter_modules(triggers.costs.__path__)))
def test_examples_in_the_code_are_right(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"triggers.costs.{name}")).failed == 0
